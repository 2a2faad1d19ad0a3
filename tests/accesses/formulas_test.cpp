// SPDX-License-Identifier: MIT
// Every formula tells the truth about the arrays that it reads and writes (kernels/arrays.h): whole
// iterations on kernels that compare, with all bounds and layers, and by hand what no iteration has.
#include <gtest/gtest.h>

#include <numeric>

#include "checked_kernels.h"
#include "data/toy.h"
#include "layers/batch_norm.h"
#include "layers/linear.h"
#include "layers/prelu.h"
#include "layers/tanh.h"
#include "models/toy.h"
#include "runs/sample_game.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 6, latent = 4;

std::string joined(const std::set<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

/// What the formulas of all runs told and did.
class FormulasTest : public testing::Test {
 protected:
  void play(const SampleGameOptions& options) {
    const auto kernels = make_checked_kernels();
    SampleGame sample(*kernels, options);
    sample.game().initialize();
    for (int i = 0; i < 2; ++i) sample.game().iterate();
    note(*kernels);
  }

  /// A game of small layers, d = 4, in the plane.
  void play(const LowerBoundOptions& lower, UpperBoundKind upper) {
    const auto kernels = make_checked_kernels();
    GameOptions options = toy_options(Method::ebm_bb, Preset::paper);
    options.batch = 3 * batch;  // the preconditioner wants 4 d samples
    options.lower = lower;
    options.upper.kind = upper;
    options.upper.normaliser = PenaltyNormaliser::v;
    std::vector<std::unique_ptr<Layer>> layers;
    layers.push_back(std::make_unique<Linear>(latent, 5));
    layers.push_back(std::make_unique<PreluLayer>(flat(5)));
    layers.push_back(std::make_unique<BatchNorm>(flat(5)));
    layers.push_back(std::make_unique<Linear>(5, 6));
    layers.push_back(std::make_unique<TanhLayer>(flat(6)));
    layers.push_back(std::make_unique<Linear>(6, 2));
    Network energy(*kernels, toy_energy(5, OutputScale::learned)),
        generator(*kernels, sequential(std::move(layers)));
    ToyData data(*kernels, ToyDataset::swiss_roll, options.batch, 1, 1);
    Game game(*kernels, energy, generator, data, options);
    game.initialize();
    for (int i = 0; i < 2; ++i) game.iterate();
    note(*kernels);
  }

  /// What no iteration of these has.
  void run_the_others() {
    const auto kernels = make_checked_kernels();
    const auto numbers = [&](int64_t count) {
      std::vector<float> values(static_cast<size_t>(count));
      std::iota(values.begin(), values.end(), 1.0f);
      return Buffer<float>(*kernels, std::span<const float>(values));
    };
    constexpr int64_t rows = 6, columns = 5, pixels = 3, height = 2;
    const Buffer<float> x = numbers(rows * columns), y_bar = numbers(rows * columns),
                        y = numbers(rows * columns);
    const Buffer<float> a = numbers(rows / pixels), mean = numbers(columns), inv_std = numbers(columns);
    const Buffer<float> weight = numbers(columns), x_bar = numbers(rows * columns);
    const Buffer<float> weight_bar = numbers(columns), bias_bar = numbers(columns);
    kernels->run(BatchNormSharedBackward{.rows = rows,
                                         .columns = columns,
                                         .pixels = pixels,
                                         .mixed = x.data(),
                                         .a = a.data(),
                                         .mean = mean.data(),
                                         .inv_std = inv_std.data(),
                                         .weight = weight.data(),
                                         .y_bar = y_bar.data(),
                                         .x_bar = x_bar.data(),
                                         .weight_bar = weight_bar.data(),
                                         .bias_bar = bias_bar.data(),
                                         .mode = Write::accumulate,
                                         .mask = {.y = y.data(), .rows = rows, .slope = 0.1f}});

    const Buffer<double> theta(*kernels, rows), value(*kernels, rows);
    const Buffer<int32_t> status(*kernels, rows);
    kernels->run(HutchinsonEstimate{.rows = rows,
                                    .d = 2,
                                    .range = columns,
                                    .jv = x.data(),
                                    .theta = theta.data(),
                                    .value = value.data(),
                                    .status = status.data()});

    const Buffer<uint64_t> iteration(*kernels, 1);
    const Buffer<int64_t> picks(*kernels, rows / height * 2);
    const Buffer<uint8_t> images(*kernels, rows * columns);
    kernels->run(PickImages{.rows = rows / height,
                            .order = {.seed = 1, .count = rows / height},
                            .flips = Flips::horizontal,
                            .draws = rows / height,
                            .first = 0,
                            .iteration = iteration.data(),
                            .staged = nullptr,
                            .picks = picks.data()});
    kernels->run(ImageBatch{.rows = rows,
                            .columns = columns,
                            .height = height,
                            .width = columns,
                            .channels = 1,
                            .images = images.data(),
                            .picks = picks.data(),
                            .x = x.data()});
    note(*kernels);
  }

  void note(const CheckedBase& kernels) {
    lies_.insert(kernels.lies().begin(), kernels.lies().end());
    for (const std::string& name : kernels.names()) missing_.erase(name);
  }

  std::set<std::string> lies_, missing_ = formula_names();
};

TEST_F(FormulasTest, TellTheTruth) {
  for (const Preset preset : {Preset::paper, Preset::code}) {
    for (const Method method : {Method::ebm_bb, Method::ebm_0gp, Method::wgan_0gp}) {
      play({.program = "mnist_bb", .method = method, .preset = preset, .batch = batch, .width = 8});
    }
    play({.program = "cifar10_bb", .preset = preset, .batch = 2, .width = 1});
  }
  play({.program = "cifar10_bb", .method = Method::ebm_0gp, .batch = 2, .width = 1});
  play({.program = "toy_bb", .batch = batch, .width = 8});
  play({.program = "cifar10_bb", .batch = 2, .width = 1, .precision = Precision::bfloat16});
  play({.program = "animeface_bb", .batch = 2, .width = 1});
  play({.program = "animeface_bb", .batch = 2, .width = 1, .energy_norm = EnergyNorm::batch});
  for (const LowerBoundKind kind : {LowerBoundKind::lobpcg, LowerBoundKind::slq}) {
    play({.kind = kind, .preconditioning = Preconditioning::running_gram}, UpperBoundKind::bidirectional);
  }
  play({.kind = LowerBoundKind::logdet}, UpperBoundKind::gp_fake);
  run_the_others();

  EXPECT_EQ(joined(lies_), "");
  EXPECT_EQ(joined(missing_), "") << "formulas that did not run";
}

TEST(LyingFormulasTest, AreFound) {
  for (const Pattern pattern : {Pattern::map, Pattern::columns, Pattern::teams}) {
    EXPECT_EQ(joined(run_liar(Lie::none, pattern)), "");
    const auto lie = [&](Lie which) {
      const std::set<std::string> lies = run_liar(which, pattern);
      EXPECT_EQ(lies.size(), 1u) << joined(lies);
      return joined(lies);
    };
    EXPECT_NE(lie(Lie::undeclared_read).find("reads what it does not tell"), std::string::npos);
    EXPECT_NE(lie(Lie::write_that_reads).find("reads what it does not tell"), std::string::npos);
    EXPECT_NE(lie(Lie::undeclared_write).find("writes what it does not tell"), std::string::npos);
    EXPECT_NE(lie(Lie::unmade_read).find("none of it is read"), std::string::npos);
    EXPECT_NE(lie(Lie::unmade_write).find("not all of it is written"), std::string::npos);
  }
}

}  // namespace
}  // namespace ebm::test
