// SPDX-License-Identifier: MIT
// What the presets choose: the tables of docs/method.md, "One iteration".
#include "methods/ebm_bb_options.h"

#include <gtest/gtest.h>

namespace ebm {
namespace {

TEST(ToyPresets, AreTheTables) {
  for (const Preset preset : {Preset::paper, Preset::code}) {
    const bool code = preset == Preset::code;
    for (const Variant method : {Variant::ebm_bb, Variant::ebm_0gp, Variant::wgan_0gp}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(method)) + ", " + name_of(preset, preset_names));
      const EbmBbOptions options = ebm_bb_options(NetworkKind::toy, method, preset);
      EXPECT_EQ(options.training.batch, 200);
      EXPECT_EQ(options.training.lr_energy, 2e-4);
      EXPECT_EQ(options.training.lr_generator, 2e-4);
      EXPECT_EQ(options.training.optimiser.adam.beta1, 0);
      EXPECT_EQ(options.training.optimiser.adam.beta2, 0.9);
      EXPECT_EQ(options.training.optimiser.adam.epsilon, code ? 1e-6 : 1e-8);
      EXPECT_EQ(options.entropy_points, EntropyPoints::generator);
      EXPECT_EQ(options.training.precision, Precision::training);
      EXPECT_EQ(options.lower.has_value(), method != Variant::wgan_0gp);
      if (!options.lower) continue;
      EXPECT_EQ(options.entropy_weight, 1);
      EXPECT_EQ(options.lower->kind, code ? EntropyBoundKind::s1 : EntropyBoundKind::lobpcg);
      EXPECT_EQ(options.lower->lobpcg_iterations, 2);
      EXPECT_EQ(options.lower->preconditioning, Preconditioning::none);
      if (code) continue;  // the exact s1 has no direction
      EXPECT_EQ(options.lower->direction, Direction::orthonormal);
    }
    const EnergyPenaltyOptions bb = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, preset).upper,
                               gp = ebm_bb_options(NetworkKind::toy, Variant::ebm_0gp, preset).upper,
                               wgan = ebm_bb_options(NetworkKind::toy, Variant::wgan_0gp, preset).upper;
    EXPECT_EQ(bb.kind, EnergyPenaltyKind::bidirectional);
    EXPECT_EQ(bb.weight, 0.001);
    EXPECT_EQ(bb.normaliser, code ? PenaltyNormaliser::none : PenaltyNormaliser::d);
    EXPECT_EQ(bb.hinge, 1);
    EXPECT_EQ(gp.kind, EnergyPenaltyKind::gp_real);
    EXPECT_EQ(gp.weight, 0.001);
    EXPECT_EQ(gp.hinge, 0);
    EXPECT_EQ(wgan.kind, EnergyPenaltyKind::gp_interpolated);
    EXPECT_EQ(wgan.weight, 0.1);
    EXPECT_EQ(wgan.hinge, 0);
  }
}

TEST(ImagePresets, AreTheTables) {
  for (const NetworkKind networks : {NetworkKind::mlp, NetworkKind::dcgan, NetworkKind::resnet}) {
    for (const Preset preset : {Preset::paper, Preset::code}) {
      const bool code = preset == Preset::code, mlp = networks == NetworkKind::mlp;
      const EbmBbOptions bb = ebm_bb_options(networks, Variant::ebm_bb, preset),
                         gp = ebm_bb_options(networks, Variant::ebm_0gp, preset),
                         wgan = ebm_bb_options(networks, Variant::wgan_0gp, preset);
      for (const EbmBbOptions* options : {&bb, &gp, &wgan}) {
        EXPECT_EQ(options->training.batch, 64);
        EXPECT_EQ(options->training.lr_energy, mlp ? 2e-4 : 5e-5);
        EXPECT_EQ(options->training.lr_generator, mlp ? 2e-4 : 5e-5);
        EXPECT_EQ(options->training.optimiser.adam.beta1, 0);
        EXPECT_EQ(options->training.optimiser.adam.beta2, mlp ? 0.9 : 0.999);
        EXPECT_EQ(options->training.optimiser.adam.epsilon, code ? 1e-6 : 1e-8);
        if (!options->lower) continue;
        EXPECT_EQ(options->entropy_weight, code ? 1e-4 : 1);
        EXPECT_EQ(options->lower->kind, EntropyBoundKind::lobpcg);
        EXPECT_EQ(options->lower->lobpcg_iterations, 2);
        EXPECT_EQ(options->lower->direction, code ? Direction::authors : Direction::orthonormal);
      }
      EXPECT_EQ(bb.entropy_points, EntropyPoints::energy);
      EXPECT_EQ(gp.entropy_points, EntropyPoints::generator);
      EXPECT_EQ(bb.upper.kind, EnergyPenaltyKind::bidirectional);
      EXPECT_EQ(bb.upper.weight, 0.001);
      EXPECT_EQ(bb.upper.normaliser, code ? PenaltyNormaliser::none : PenaltyNormaliser::d);
      EXPECT_EQ(bb.upper.hinge, code ? 0 : 1);
      EXPECT_EQ(gp.upper.kind, EnergyPenaltyKind::gp_real);
      EXPECT_EQ(gp.upper.weight, 0.001);
      EXPECT_EQ(gp.upper.hinge, 0);
      EXPECT_FALSE(wgan.lower);
      EXPECT_EQ(wgan.upper.kind, EnergyPenaltyKind::gp_interpolated);
      EXPECT_EQ(wgan.upper.weight, mlp ? 10 : 0.1);
      EXPECT_EQ(wgan.upper.hinge, 0);
    }
  }
}

}  // namespace
}  // namespace ebm
