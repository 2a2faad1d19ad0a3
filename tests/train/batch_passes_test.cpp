// SPDX-License-Identifier: MIT
// The table of docs/method.md, "Batch-passes": what one iteration costs. A change that moves a number here
// must say why.
#include <gtest/gtest.h>

#include "data/toy.h"
#include "layers/batch_norm.h"
#include "layers/linear.h"
#include "layers/prelu.h"
#include "layers/tanh.h"
#include "methods/ebm_bb_options.h"
#include "runs/data.h"
#include "support/devices.h"

namespace ebm {
namespace {

constexpr int64_t batch = 25, hidden = 5;

enum class Output { linear, tanh };

std::unique_ptr<Layer> small_generator(int64_t latent, Output output) {
  std::vector<std::unique_ptr<Layer>> layers;
  layers.push_back(std::make_unique<Linear>(latent, hidden));
  layers.push_back(std::make_unique<PreluLayer>(flat(hidden)));
  layers.push_back(std::make_unique<BatchNorm>(flat(hidden)));
  layers.push_back(std::make_unique<Linear>(hidden, 2));
  if (output == Output::tanh) layers.push_back(std::make_unique<TanhLayer>(flat(2)));
  return sequential(std::move(layers));
}

/// Batch-passes: forwards, backwards to the input, for the weights.
struct Passes {
  int64_t forward, input, weight;
  bool operator==(const Passes&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Passes& p) {
  return out << p.forward << " + " << p.input << " + " << p.weight;
}

struct Setting {
  Variant method = Variant::ebm_bb;
  int64_t latent = 8;
  Output output = Output::linear;
  EntropyPoints points = EntropyPoints::generator;
};

struct Counted {
  Passes generator, energy;
};

Counted count(Kernels& kernels, const NetworkMakers& networks, DataSource& data,
              const EbmBbOptions& options) {
  EbmBb ebm_bb(kernels, networks, data, options);
  ebm_bb.initialize();
  const int64_t allocations = kernels.allocations();
  ebm_bb.iterate();
  EXPECT_EQ(kernels.allocations(), allocations) << "an iteration allocates nothing";
  const auto passes = [&](const Network& network) {
    const PassCounts& rows = network.passes();
    EXPECT_EQ(rows.total() % options.training.batch, 0);
    return Passes{rows.forward / options.training.batch, rows.input_gradient / options.training.batch,
                  rows.weight_gradient / options.training.batch};
  };
  return {passes(ebm_bb.generator()), passes(ebm_bb.energy())};
}

Counted count(const Setting& setting) {
  const auto kernels = open_kernels("cpu");
  EbmBbOptions options = ebm_bb_options(NetworkKind::toy, setting.method, Preset::paper);
  options.training.batch = batch;
  options.entropy_points = setting.points;
  ToyData data(*kernels, ToyDataset::gaussians25, batch, 1, static_cast<uint32_t>(Stream::data));
  return count(*kernels,
               {.energy = [] { return toy_energy(hidden, OutputScale::none); },
                .generator = [&] { return small_generator(setting.latent, setting.output); }},
               data, options);
}

TEST(BatchPassesTest, BidirectionalBoundsWithLobpcg) {
  const Counted at_energy = count({.points = EntropyPoints::energy});
  EXPECT_EQ(at_energy.generator, (Passes{7, 4, 2}));
  EXPECT_EQ(at_energy.energy, (Passes{4, 3, 2}));
  EXPECT_EQ(count({.points = EntropyPoints::generator}).generator, (Passes{9, 4, 2}));
}

TEST(BatchPassesTest, BidirectionalBoundsWithACurvedGenerator) {
  EXPECT_EQ(count({.output = Output::tanh, .points = EntropyPoints::energy}).generator, (Passes{7, 5, 3}));
  EXPECT_EQ(count({.output = Output::tanh, .points = EntropyPoints::generator}).generator,
            (Passes{12, 9, 3}));
}

TEST(BatchPassesTest, BidirectionalBoundsInThePlane) {
  EXPECT_EQ(count({.latent = 2, .points = EntropyPoints::energy}).generator, (Passes{5, 2, 2}));
  EXPECT_EQ(count({.latent = 2, .points = EntropyPoints::generator}).generator, (Passes{7, 2, 2}));
}

TEST(BatchPassesTest, GradientPenalties) {
  EXPECT_EQ(count({.method = Variant::ebm_0gp}).energy, (Passes{4, 4, 2}));
  EXPECT_EQ(count({.method = Variant::wgan_0gp}).energy, (Passes{5, 5, 3}));
}

class ImageBatchPassesTest : public testing::TestWithParam<std::string> {
 protected:
  /// Narrow networks of Table 8.
  static Counted count_images(Variant method, Preset preset) {
    const auto kernels = test::open_device(GetParam());
    EbmBbOptions options = ebm_bb_options(NetworkKind::dcgan, method, preset);
    options.training.batch = 4;
    NetworkOptions networks = dcgan_networks();
    networks.latent = 5;
    networks.width = 2;
    const auto data = make_up_data(*kernels, networks, options.training);
    return count(*kernels, makers_of(networks), *data, options);
  }
};

TEST_P(ImageBatchPassesTest, Table8) {
  for (const Preset preset : {Preset::code, Preset::paper}) {
    const int64_t of_p0 = preset == Preset::code ? 1 : 0;  // J p0 of the authors' direction
    const Counted bb = count_images(Variant::ebm_bb, preset);
    EXPECT_EQ(bb.generator, (Passes{7 + of_p0, 5, 3}));
    EXPECT_EQ(bb.energy, (Passes{4, 3, 2}));
    const Counted ebm_0gp = count_images(Variant::ebm_0gp, preset);
    EXPECT_EQ(ebm_0gp.generator, (Passes{7 + of_p0, 5, 3}));
    EXPECT_EQ(ebm_0gp.energy, (Passes{4, 4, 2}));
    const Counted wgan_0gp = count_images(Variant::wgan_0gp, preset);
    EXPECT_EQ(wgan_0gp.generator, (Passes{2, 1, 1}));
    EXPECT_EQ(wgan_0gp.energy, (Passes{5, 5, 3}));
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, ImageBatchPassesTest, testing::ValuesIn(test::devices_with_convolutions()));

}  // namespace
}  // namespace ebm
