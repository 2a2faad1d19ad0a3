// SPDX-License-Identifier: MIT
// Training with activations of bfloat16: near what float32 gives, on masters of float32.
#include <gtest/gtest.h>

#include <cmath>

#include "methods/ebm_bb_options.h"
#include "runs/data.h"
#include "support/devices.h"
#include "support/tolerance.h"
#include "train/seen.h"

namespace ebm::test {
namespace {

class Bfloat16Test : public testing::TestWithParam<std::string> {
 protected:
  struct Trained {
    std::vector<float> losses, energy, generator;
  };

  /// A few iterations of narrow networks of Table 8.
  static Trained train(Variant method, Precision precision) {
    const auto kernels = open_device(GetParam());
    EbmBbOptions options = ebm_bb_options(NetworkKind::dcgan, method, Preset::paper);
    options.training.batch = 6;
    options.training.precision = precision;
    NetworkOptions networks = dcgan_networks();
    networks.latent = 5;
    networks.width = 4;
    const auto data = make_up_data(*kernels, networks, options.training);
    EbmBb ebm_bb(*kernels, makers_of(networks), *data, options);
    ebm_bb.initialize();
    const int64_t allocations = kernels->allocations();
    const auto graph = kernels->capture([&] { ebm_bb.iterate(); });
    Trained trained;
    for (int i = 0; i < 3; ++i) {
      graph->launch();
      EXPECT_FALSE(ebm_bb.numbers().download().not_finite);
      for (const char* name : {"loss_energy", "loss_generator"})
        trained.losses.push_back(number(ebm_bb, name));
      if (ebm_bb.lower() != nullptr) trained.losses.push_back(number(ebm_bb, "entropy"));
    }
    EXPECT_EQ(kernels->allocations(), allocations);
    trained.energy = download(*kernels, ebm_bb.energy().parameters().values());
    trained.generator = download(*kernels, ebm_bb.generator().parameters().values());
    return trained;
  }
};

TEST_P(Bfloat16Test, IsNearFloat32) {
  for (const Variant method : {Variant::ebm_bb, Variant::ebm_0gp, Variant::wgan_0gp}) {
    SCOPED_TRACE(static_cast<int>(method));
    const Trained full = train(method, Precision::full), rounded = train(method, Precision::bfloat16);
    EXPECT_NE(rounded.losses, full.losses);
    const Tolerance tolerance{.factor = 1 << 14, .reason = "bfloat16 has 16 bits less than float32"};
    EXPECT_TRUE(
        close(rounded.losses, std::vector<double>(full.losses.begin(), full.losses.end()), tolerance));
    // Adam's steps have the size of the rate, whatever the gradient's.
    for (const auto& [actual, expected] :
         {std::pair{&rounded.energy, &full.energy}, std::pair{&rounded.generator, &full.generator}}) {
      double mean = 0;
      for (size_t i = 0; i < actual->size(); ++i) mean += std::abs(double{(*actual)[i]} - (*expected)[i]);
      mean /= static_cast<double>(actual->size());
      EXPECT_GT(mean, 0);
      EXPECT_LT(mean, 2e-4) << "three steps of 2e-4 each";
    }
  }
}

TEST_P(Bfloat16Test, TheSameBitsAgain) {
  const Trained first = train(Variant::ebm_bb, Precision::bfloat16),
                second = train(Variant::ebm_bb, Precision::bfloat16);
  EXPECT_EQ(first.losses, second.losses);
  EXPECT_EQ(first.energy, second.energy);
  EXPECT_EQ(first.generator, second.generator);
}

INSTANTIATE_TEST_SUITE_P(Devices, Bfloat16Test, testing::ValuesIn(devices_with_convolutions()));

}  // namespace
}  // namespace ebm::test
