// SPDX-License-Identifier: MIT
// Every formula tells the truth about the arrays that it reads and writes (kernels/arrays.h): whole
// iterations on kernels that compare, with all bounds and layers, and by hand what no iteration has.
#include <gtest/gtest.h>

#include <numeric>

#include "checked_kernels.h"
#include "data/toy.h"
#include "evaluate/image_resize.h"
#include "layers/batch_norm.h"
#include "layers/branches.h"
#include "layers/dropout.h"
#include "layers/joined_inputs.h"
#include "layers/linear.h"
#include "layers/max_pool.h"
#include "layers/noisy_output.h"
#include "layers/overlapping_average.h"
#include "layers/prelu.h"
#include "layers/smooth_activation.h"
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

  /// EBM-BB with small layers, d = 4, in the plane.
  void play(const EntropyBoundOptions& lower, EnergyPenaltyKind upper) {
    const auto kernels = make_checked_kernels();
    EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::paper);
    options.training.batch = 3 * batch;  // the preconditioner wants 4 d samples
    options.training.optimiser.clip_gradient_norm = 1;
    options.training.optimiser.ema = 0.9;
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
    EbmBb ebm_bb(*kernels,
                 {.energy = [] { return toy_energy(5, OutputScale::learned); }, .generator = generator}, data,
                 options);
    ebm_bb.initialize();
    for (int i = 0; i < 2; ++i) ebm_bb.iterate();
    note(*kernels);
  }

  /// EBM-BB with a flow and importance weights.
  void play_flow() {
    const auto kernels = make_checked_kernels();
    EbmBbOptions options = ebm_bb_options(NetworkKind::toy, Variant::ebm_bb, Preset::paper);
    options.training.batch = batch;
    options.lower = EntropyBoundOptions{.kind = EntropyBoundKind::logdet};
    options.upper.samples = SampleWeighting::importance;
    options.upper.wide = {.share = 0.5, .scale = 2};
    ToyData data(*kernels, ToyDataset::two_moons, batch, 1, 1);
    EbmBb ebm_bb(*kernels,
                 {.energy = [] { return toy_energy(5, OutputScale::none); },
                  .generator = [] { return toy_flow(5, 2, 3); }},
                 data, options);
    ebm_bb.initialize();
    for (int i = 0; i < 2; ++i) ebm_bb.iterate();
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

    const Buffer<double> rank_sums(*kernels, 2 * 2 * columns);
    kernels->run(BatchNormRankSums{
        .rows = rows, .columns = columns, .x = x.data(), .sums = rank_sums.data() + 2 * columns});
    kernels->run(BatchNormOfRanks{.columns = columns,
                                  .ranks = 2,
                                  .sums = rank_sums.data(),
                                  .of_all = {.rows = 2 * rows,
                                             .columns = columns,
                                             .x = nullptr,
                                             .eps = 1e-5f,
                                             .momentum = 0.1f,
                                             .mean = mean.data(),
                                             .inv_std = inv_std.data(),
                                             .running_mean = weight_bar.data(),
                                             .running_var = bias_bar.data(),
                                             .bias_before = weight.data()}});

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
                            .share = {.rows = rows / height},
                            .draws = rows / height,
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
    const Buffer<float> right(*kernels, rows), loss(*kernels, rows);
    kernels->run(CrossEntropy{.rows = rows,
                              .columns = columns,
                              .logits = x.data(),
                              .label = status.data(),
                              .logits_bar = x_bar.data(),
                              .loss = loss.data(),
                              .right = right.data()});
    run_layers(*kernels);
    run_image_layers(*kernels);
    run_evaluation_layers(*kernels);
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

  /// Those of classifiers, and smooth activations.
  static void run_image_layers(Kernels& kernels) {
    constexpr Features image{.height = 5, .width = 5, .channels = 3};
    std::vector<std::unique_ptr<Layer>> layers;
    layers.push_back(
        std::make_unique<MaxPool>(image, Window{.kernel = {3, 3}, .stride = {2, 2}, .padding = {1, 1}}));
    const Features pooled = layers.back()->output();
    layers.push_back(std::make_unique<DropoutLayer>(pooled, 0.5f, Dropped::channels, 1));
    for (const Curve curve : {Curve::silu, Curve::softplus})
      layers.push_back(std::make_unique<SmoothActivation>(pooled, curve));
    Network network(kernels, sequential(std::move(layers)));
    const Tensor x(kernels, batch, image), x_dot(kernels, batch, image), y(kernels, batch, pooled),
        y_dot(kernels, batch, pooled);
    const auto trace = network.make_trace({.batch = batch, .tangents = 1, .precision = Precision::full});
    network.forward_jvp(*trace, {x, x_dot}, {y, y_dot});
    const Tensor x_bar(kernels, batch, image), x_dot_bar(kernels, batch, image);
    network.vjp_of_jvp(*trace, {y, y_dot}, {x_bar, x_dot_bar}, Gradient::ignore);
  }

  /// Those of networks that are only evaluated, on images that are resized.
  static void run_evaluation_layers(Kernels& kernels) {
    constexpr Features image{.height = 5, .width = 6, .channels = 3};
    constexpr Window window{.kernel = {3, 3}, .padding = {1, 1}};
    auto convolution = std::make_unique<Convolution>(image, 4, window);
    AffineLayer* const last = convolution.get();
    std::vector<Branches::Branch> branches(2);
    branches[0] = {.layer = std::move(convolution), .last = last, .activation = {.slope = 0}};
    branches[1].layer = std::make_unique<OverlappingAverage>(image, window);
    Network network(kernels, std::make_unique<Branches>(std::move(branches)));
    network.initialize(1, 256);
    const Tensor x(kernels, batch, image), y(kernels, batch, network.output());
    const std::vector<uint8_t> pictures(static_cast<size_t>(batch * 7 * 4), 3);
    const ImageResize resize(kernels, Resize::clean, {.height = 7, .width = 4, .channels = 1}, 6, batch);
    const Tensor resized(kernels, batch, {.height = 6, .width = 6, .channels = 3});
    resize.run(pictures.data(), resized);
    const auto trace =
        network.make_trace({.batch = batch, .precision = Precision::full, .kept = Kept::nothing});
    network.forward(*trace, x, y);
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
  for (const MethodRow& row : methods())
    play({.networks = narrow(toy_networks()), .method = row.name, .batch = batch});
  play({.networks = narrow(toy_networks()), .method = "mle", .batch = batch});
  play_flow();
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
