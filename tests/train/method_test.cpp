// SPDX-License-Identifier: MIT
// What the presets choose: the tables of docs/method.md, "One iteration".
#include "train/method.h"

#include <gtest/gtest.h>

namespace ebm {
namespace {

TEST(ToyPresets, AreTheTables) {
  for (const Preset preset : {Preset::paper, Preset::code}) {
    const bool code = preset == Preset::code;
    for (const Method method : {Method::ebm_bb, Method::ebm_0gp, Method::wgan_0gp}) {
      SCOPED_TRACE(name_of(method, method_names) + ", " + name_of(preset, preset_names));
      const GameOptions options = toy_options(method, preset);
      EXPECT_EQ(options.batch, 200);
      EXPECT_EQ(options.lr_energy, 2e-4);
      EXPECT_EQ(options.lr_generator, 2e-4);
      EXPECT_EQ(options.adam.beta1, 0);
      EXPECT_EQ(options.adam.beta2, 0.9);
      EXPECT_EQ(options.adam.epsilon, code ? 1e-6 : 1e-8);
      EXPECT_EQ(options.entropy_points, EntropyPoints::generator);
      EXPECT_EQ(options.precision, Precision::training);
      EXPECT_EQ(options.lower.has_value(), method != Method::wgan_0gp);
      if (!options.lower) continue;
      EXPECT_EQ(options.entropy_weight, 1);
      EXPECT_EQ(options.lower->kind, code ? LowerBoundKind::s1 : LowerBoundKind::lobpcg);
      EXPECT_EQ(options.lower->lobpcg_iterations, 2);
      EXPECT_EQ(options.lower->preconditioning, Preconditioning::none);
      if (code) continue;  // the exact s1 has no direction
      EXPECT_EQ(options.lower->direction, Direction::orthonormal);
    }
    const UpperBoundOptions bb = toy_options(Method::ebm_bb, preset).upper,
                            gp = toy_options(Method::ebm_0gp, preset).upper,
                            wgan = toy_options(Method::wgan_0gp, preset).upper;
    EXPECT_EQ(bb.kind, UpperBoundKind::bidirectional);
    EXPECT_EQ(bb.weight, 0.001);
    EXPECT_EQ(bb.normaliser, code ? PenaltyNormaliser::none : PenaltyNormaliser::d);
    EXPECT_EQ(bb.hinge, 1);
    EXPECT_EQ(gp.kind, UpperBoundKind::gp_real);
    EXPECT_EQ(gp.weight, 0.001);
    EXPECT_EQ(gp.hinge, 0);
    EXPECT_EQ(wgan.kind, UpperBoundKind::gp_interpolated);
    EXPECT_EQ(wgan.weight, 0.1);
    EXPECT_EQ(wgan.hinge, 0);
  }
}

TEST(ImagePresets, AreTheTables) {
  for (const ImageNetworks networks : {ImageNetworks::mlp, ImageNetworks::dcgan, ImageNetworks::resnet}) {
    for (const Preset preset : {Preset::paper, Preset::code}) {
      const bool code = preset == Preset::code, mlp = networks == ImageNetworks::mlp;
      const GameOptions bb = image_options(networks, Method::ebm_bb, preset),
                        gp = image_options(networks, Method::ebm_0gp, preset),
                        wgan = image_options(networks, Method::wgan_0gp, preset);
      for (const GameOptions* options : {&bb, &gp, &wgan}) {
        EXPECT_EQ(options->batch, 64);
        EXPECT_EQ(options->lr_energy, mlp ? 2e-4 : 5e-5);
        EXPECT_EQ(options->lr_generator, mlp ? 2e-4 : 5e-5);
        EXPECT_EQ(options->adam.beta1, 0);
        EXPECT_EQ(options->adam.beta2, mlp ? 0.9 : 0.999);
        EXPECT_EQ(options->adam.epsilon, code ? 1e-6 : 1e-8);
        if (!options->lower) continue;
        EXPECT_EQ(options->entropy_weight, code ? 1e-4 : 1);
        EXPECT_EQ(options->lower->kind, LowerBoundKind::lobpcg);
        EXPECT_EQ(options->lower->lobpcg_iterations, 2);
        EXPECT_EQ(options->lower->direction, code ? Direction::authors : Direction::orthonormal);
      }
      EXPECT_EQ(bb.entropy_points, EntropyPoints::energy);
      EXPECT_EQ(gp.entropy_points, EntropyPoints::generator);
      EXPECT_EQ(bb.upper.kind, UpperBoundKind::bidirectional);
      EXPECT_EQ(bb.upper.weight, 0.001);
      EXPECT_EQ(bb.upper.normaliser, code ? PenaltyNormaliser::none : PenaltyNormaliser::d);
      EXPECT_EQ(bb.upper.hinge, code ? 0 : 1);
      EXPECT_EQ(gp.upper.kind, UpperBoundKind::gp_real);
      EXPECT_EQ(gp.upper.weight, 0.001);
      EXPECT_EQ(gp.upper.hinge, 0);
      EXPECT_FALSE(wgan.lower);
      EXPECT_EQ(wgan.upper.kind, UpperBoundKind::gp_interpolated);
      EXPECT_EQ(wgan.upper.weight, mlp ? 10 : 0.1);
      EXPECT_EQ(wgan.upper.hinge, 0);
    }
  }
}

}  // namespace
}  // namespace ebm
