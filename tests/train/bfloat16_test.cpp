// SPDX-License-Identifier: MIT
// Training with activations of bfloat16: near what float32 gives, on masters of float32.
#include <gtest/gtest.h>

#include <cmath>

#include "data/image_data.h"
#include "models/dcgan.h"
#include "support/devices.h"
#include "support/tolerance.h"
#include "train/method.h"

namespace ebm::test {
namespace {

class Bfloat16Test : public testing::TestWithParam<std::string> {
 protected:
  struct Trained {
    std::vector<float> losses, energy, generator;
  };

  /// A few iterations of narrow networks of Table 8.
  static Trained train(Method method, Precision precision) {
    const auto kernels = open_device(GetParam());
    GameOptions options = image_options(ImageNetworks::dcgan, method, Preset::paper);
    options.batch = 6;
    options.precision = precision;
    Network energy(*kernels, dcgan_energy(4)), generator(*kernels, dcgan_generator(5, 4));
    const auto data = make_synthetic_images(*kernels, energy.input(), options.batch, options.seed,
                                            static_cast<uint32_t>(Stream::data));
    Game game(*kernels, energy, generator, *data, options);
    game.initialize();
    const int64_t allocations = kernels->allocations();
    const auto graph = kernels->capture([&] { game.iterate(); });
    Trained trained;
    for (int i = 0; i < 3; ++i) {
      graph->launch();
      IterationScalars scalars;
      kernels->download(&scalars, game.scalars(), sizeof scalars);
      EXPECT_EQ(scalars.not_finite, 0);
      for (const float value : {scalars.loss_energy, scalars.loss_generator, scalars.entropy})
        trained.losses.push_back(value);
    }
    EXPECT_EQ(kernels->allocations(), allocations);
    trained.energy = download(*kernels, energy.parameters().values());
    trained.generator = download(*kernels, generator.parameters().values());
    return trained;
  }
};

TEST_P(Bfloat16Test, IsNearFloat32) {
  for (const Method method : {Method::ebm_bb, Method::ebm_0gp, Method::wgan_0gp}) {
    SCOPED_TRACE(name_of(method, method_names));
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
  const Trained first = train(Method::ebm_bb, Precision::bfloat16),
                second = train(Method::ebm_bb, Precision::bfloat16);
  EXPECT_EQ(first.losses, second.losses);
  EXPECT_EQ(first.energy, second.energy);
  EXPECT_EQ(first.generator, second.generator);
}

INSTANTIATE_TEST_SUITE_P(Devices, Bfloat16Test, testing::ValuesIn(devices_with_convolutions()));

}  // namespace
}  // namespace ebm::test
