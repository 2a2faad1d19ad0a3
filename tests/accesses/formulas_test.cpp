// SPDX-License-Identifier: MIT
// Every formula tells the truth about the arrays that it reads and writes (kernels/arrays.h): whole
// iterations on kernels that compare, with all bounds and layers, and by hand what no iteration has.
#include <gtest/gtest.h>

#include <numeric>

#include "checked_kernels.h"
#include "data/toy.h"
#include "layers/batch_norm.h"
#include "layers/joined_inputs.h"
#include "layers/linear.h"
#include "layers/noisy_output.h"
#include "layers/prelu.h"
#include "layers/tanh.h"
#include "methods/ebm_bb_options.h"
#include "models/toy.h"
#include "runs/sample_run.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 6, latent = 4;

std::string joined(const std::set<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

NetworkOptions narrow(NetworkOptions networks) {
  networks.width = networks.kind == NetworkKind::toy || networks.kind == NetworkKind::mlp ? 8 : 1;
  return networks;
}

/// What the formulas of all runs told and did.
class FormulasTest : public testing::Test {
 protected:
  void play(const SampleRunOptions& options) {
    const auto kernels = make_checked_kernels();
    SampleRun sample(*kernels, options);
    sample.method().initialize();
    for (int i = 0; i < 2; ++i) sample.method().iterate();
    note(*kernels);
  }

  /// A game of small layers, d = 4, in the plane.
  void play(const EntropyBoundOptions& lower, EnergyPenaltyKind upper) {
    const auto kernels = make_checked_kernels();
    EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::paper);
    options.training.batch = 3 * batch;  // the preconditioner wants 4 d samples
    options.lower = lower;
    options.upper.kind = upper;
    options.upper.normaliser = PenaltyNormaliser::v;
    const auto generator = [] {
      std::vector<std::unique_ptr<Layer>> layers;
      layers.push_back(std::make_unique<Linear>(latent, 5));
      layers.push_back(std::make_unique<PreluLayer>(flat(5)));
      layers.push_back(std::make_unique<BatchNorm>(flat(5)));
      layers.push_back(std::make_unique<Linear>(5, 6));
      layers.push_back(std::make_unique<TanhLayer>(flat(6)));
      layers.push_back(std::make_unique<Linear>(6, 2));
      return sequential(std::move(layers));
    };
    ToyData data(*kernels, ToyDataset::swiss_roll, options.training.batch, 1, 1);
    EbmBb game(*kernels,
               {.energy = [] { return toy_energy(5, OutputScale::learned); }, .generator = generator}, data,
               options);
    game.initialize();
    for (int i = 0; i < 2; ++i) game.iterate();
    note(*kernels);
  }

  static Buffer<float> rising_numbers(Kernels& kernels, int64_t count) {
    std::vector<float> values(static_cast<size_t>(count));
    std::iota(values.begin(), values.end(), 1.0f);
    return {kernels, std::span<const float>(values)};
  }

  /// What no iteration of these has.
  void run_the_others() {
    const auto kernels = make_checked_kernels();
    const auto numbers = [&](int64_t count) { return rising_numbers(*kernels, count); };
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
    run_layers(*kernels);
    note(*kernels);
  }

  void run_other_losses() {
    const auto kernels = make_checked_kernels();
    const auto numbers = [&](int64_t count) { return rising_numbers(*kernels, count); };
    const Buffer<float> e = numbers(2 * batch), e_bar = numbers(2 * batch), loss = numbers(3);
    for (const GanLoss kind : {GanLoss::softplus, GanLoss::hinge, GanLoss::linear}) {
      kernels->run(GanObjective{.samples = batch,
                                .kind = kind,
                                .real = e.data(),
                                .fake = e.data() + batch,
                                .real_bar = e_bar.data(),
                                .fake_bar = e_bar.data() + batch,
                                .mean_real = loss.data(),
                                .mean_fake = loss.data() + 1,
                                .loss = loss.data() + 2});
      kernels->run(GanGeneratorObjective{
          .samples = batch, .kind = kind, .fake = e.data(), .fake_bar = e_bar.data(), .loss = loss.data()});
    }
    kernels->run(InformationObjective{
        .samples = batch, .weight = 1, .logit = e.data(), .logit_bar = e_bar.data(), .loss = loss.data()});
    const Buffer<float> z = numbers(batch * latent), permuted = numbers(batch * latent);
    kernels->run(PermuteRows{
        .rows = batch, .columns = latent, .keys = e.data(), .z = z.data(), .out = permuted.data()});
    note(*kernels);
  }

  void run_importance_sampling() {
    constexpr int64_t points = 3, range = 5;
    const auto kernels = make_checked_kernels();
    const auto numbers = [&](int64_t count) { return rising_numbers(*kernels, count); };
    const Buffer<float> x = numbers(batch * range), g = numbers(points * batch * range),
                        h = numbers(batch * latent), eta = numbers(points * batch * latent),
                        h_k = numbers(points * batch * latent), log_s = numbers(latent),
                        logsigma = numbers(1), weight = numbers(batch * points), effective = numbers(batch),
                        c = numbers(batch * range), entropy = numbers(batch), energy = numbers(batch),
                        x_bar = numbers(batch * range), scalars = numbers(5);
    const Buffer<double> log_ratio(*kernels, points * batch);
    kernels->run(AddPosteriorNoise{.rows = points * batch,
                                   .columns = latent,
                                   .samples = batch,
                                   .h = h.data(),
                                   .eta = eta.data(),
                                   .post_logsigma = log_s.data(),
                                   .out = h_k.data()});
    kernels->run(ImportanceRatio{.rows = points * batch,
                                 .samples = batch,
                                 .domain = latent,
                                 .range = range,
                                 .x = x.data(),
                                 .g = g.data(),
                                 .h = h_k.data(),
                                 .eta = eta.data(),
                                 .logsigma = logsigma.data(),
                                 .log_ratio = log_ratio.data()});
    kernels->run(ImportanceWeights{.rows = batch,
                                   .points = points,
                                   .log_ratio = log_ratio.data(),
                                   .weight = weight.data(),
                                   .effective = effective.data()});
    kernels->run(ImportanceScore{.rows = batch,
                                 .range = range,
                                 .points = points,
                                 .x = x.data(),
                                 .g = g.data(),
                                 .weight = weight.data(),
                                 .logsigma = logsigma.data(),
                                 .c = c.data(),
                                 .entropy = entropy.data()});
    kernels->run(EntropyCotangent{
        .rows = batch, .columns = range, .entropy_weight = 1, .c = c.data(), .x_bar = x_bar.data()});
    kernels->run(VeraGeneratorObjective{.samples = batch,
                                        .entropy_weight = 1,
                                        .energy = energy.data(),
                                        .entropy = entropy.data(),
                                        .effective = effective.data(),
                                        .logsigma = logsigma.data(),
                                        .mean_energy = scalars.data(),
                                        .mean_entropy = scalars.data() + 1,
                                        .mean_effective = scalars.data() + 2,
                                        .loss = scalars.data() + 3,
                                        .sigma = scalars.data() + 4});
    note(*kernels);
  }

  void run_a_posterior() {
    constexpr int64_t range = 5;
    const auto kernels = make_checked_kernels();
    const auto numbers = [&](int64_t count) { return rising_numbers(*kernels, count); };
    const Buffer<float> x = numbers(batch * range), g = numbers(batch * range),
                        y_bar = numbers(batch * range), h = numbers(batch * latent),
                        eta = numbers(batch * latent), h_bar = numbers(batch * latent), logsigma = numbers(1),
                        log_s = numbers(latent), log_s_bar = numbers(latent), loss = numbers(1);
    const Buffer<double> value(*kernels, batch);
    kernels->run(PosteriorSurprise{.rows = batch,
                                   .domain = latent,
                                   .range = range,
                                   .x = x.data(),
                                   .g = g.data(),
                                   .h = h.data(),
                                   .logsigma = logsigma.data(),
                                   .y_bar = y_bar.data(),
                                   .value = value.data()});
    kernels->run(PosteriorGradient{.rows = batch,
                                   .columns = latent,
                                   .h_bar = h_bar.data(),
                                   .h = h.data(),
                                   .eta = eta.data(),
                                   .post_logsigma = log_s.data(),
                                   .post_logsigma_bar = log_s_bar.data()});
    kernels->run(PosteriorObjective{.samples = batch,
                                    .domain = latent,
                                    .value = value.data(),
                                    .post_logsigma = log_s.data(),
                                    .loss = loss.data()});
    note(*kernels);
  }

  void run_around_the_optimiser() {
    constexpr int64_t size = SquaredNorm::chunk + 5;
    const auto kernels = make_checked_kernels();
    const Buffer<float> x = rising_numbers(*kernels, size), average = rising_numbers(*kernels, size),
                        found = rising_numbers(*kernels, 2);
    const Buffer<double> partial(*kernels, SquaredNorm::chunks(size));
    kernels->run(SquaredNorm{.rows = partial.size(), .size = size, .x = x.data(), .partial = partial.data()});
    kernels->run(ClipFactor{.count = partial.size(),
                            .limit = 1,
                            .partial = partial.data(),
                            .factor = found.data(),
                            .norm = found.data() + 1});
    kernels->run(
        ExponentialAverage{.columns = size, .decay = 0.9, .value = x.data(), .average = average.data()});
    kernels->run(ClampParameter{.columns = size, .low = 2, .high = 3, .x = x.data()});
    note(*kernels);
  }

  /// All maps of layers that no iteration has.
  static void run_layers(Kernels& kernels) {
    std::vector<std::unique_ptr<Layer>> layers;
    auto g = std::make_unique<Linear>(flat(5), flat(7), Bias::yes, Activation{0.1f}, WeightNorm::spectral);
    layers.push_back(std::make_unique<NoisyOutput>(Sequential::Child{"g", std::move(g)}, -1.0f));
    layers.push_back(
        std::make_unique<JoinedInputs>(Sequential::Child{"trunk", std::make_unique<Linear>(4, 3)},
                                       Sequential::Child{"head", std::make_unique<Linear>(6, 2)}));
    Network network(kernels, sequential(std::move(layers)));
    network.initialize(1, 256);
    const Tensor x(kernels, batch, flat(12)), x_dot(kernels, batch, flat(12)), y(kernels, batch, flat(2)),
        y_dot(kernels, batch, flat(2));
    for (const Precision precision : {Precision::training, Precision::bfloat16}) {
      for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
        const auto trace = network.make_trace(
            {.batch = batch, .statistics = statistics, .tangents = 1, .precision = precision});
        network.round_parameters();
        network.forward_jvp(*trace, {x, x_dot}, {y, y_dot});
        network.vjp(*trace, y, x_dot, Gradient::overwrite);
        network.vjp_of_jvp(*trace, {y, y_dot}, {{}, x_dot}, Gradient::accumulate);
      }
    }
  }

  void note(const CheckedBase& kernels) {
    lies_.insert(kernels.lies().begin(), kernels.lies().end());
    for (const std::string& name : kernels.names()) missing_.erase(name);
  }

  std::set<std::string> lies_, missing_ = formula_names();
};

TEST_F(FormulasTest, TellTheTruth) {
  for (const Preset preset : {Preset::paper, Preset::code}) {
    for (const char* method : {"ebm_bb", "ebm_0gp", "wgan_0gp"})
      play({.networks = narrow(mlp_networks()), .method = method, .preset = preset, .batch = batch});
    play({.networks = narrow(dcgan_networks()), .preset = preset, .batch = 2});
  }
  play({.networks = narrow(dcgan_networks()), .method = "ebm_0gp", .batch = 2});
  play({.networks = narrow(toy_networks()), .batch = batch});
  play({.networks = narrow(dcgan_networks()), .batch = 2, .precision = Precision::bfloat16});
  for (const EnergyNorm norm : {EnergyNorm::none, EnergyNorm::batch}) {
    NetworkOptions networks = narrow(resnet_networks());
    networks.energy_norm = norm;
    play({.networks = networks, .batch = 2});
  }
  for (const EntropyBoundKind kind : {EntropyBoundKind::lobpcg, EntropyBoundKind::slq}) {
    play({.kind = kind, .preconditioning = Preconditioning::running_gram}, EnergyPenaltyKind::bidirectional);
  }
  play({.kind = EntropyBoundKind::logdet}, EnergyPenaltyKind::gp_fake);
  run_the_others();
  run_other_losses();
  run_importance_sampling();
  run_a_posterior();
  run_around_the_optimiser();

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
