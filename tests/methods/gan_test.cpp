// SPDX-License-Identifier: MIT
// Whole iterations of DCGAN and SNGAN against the oracle: losses, gradients, what moves and in which order; and
// what their users choose.
#include "methods/gan.h"

#include <gtest/gtest.h>

#include <map>

#include "kernels/recorder/recorder.h"
#include "methods/gan_options.h"
#include "reference/derivatives.h"
#include "reference/ebm_bb.h"
#include "reference/losses.h"
#include "reference/random.h"
#include "runs/sample_run.h"
#include "support/devices.h"
#include "support/launch_order.h"
#include "support/recorded.h"
#include "train/seen.h"

namespace ebm::test {
namespace {

using reference::Adversarial;
using reference::LayerSpec;
using reference::Matrix;

constexpr int64_t latent = 3, dimensions = 4, batch = 5;

/// An iteration in float64, step by step as docs/method.md has it.
struct OracleGan {
  GanOptions options;
  reference::Network energy, generator;
  reference::Moments energy_moments = {}, generator_moments = {};

  std::map<std::string, std::vector<double>> results = {};
  std::vector<double> energy_gradient = {}, generator_gradient = {};

  Adversarial kind() const {
    return options.loss == GanLoss::softplus ? Adversarial::softplus : Adversarial::hinge;
  }

  void adam(reference::Network& network, reference::Moments& moments, const std::vector<double>& gradient,
            double lr) const {
    const AdamOptions& adam = options.training.optimiser.adam;
    adam_step(network.parameters, gradient, moments, lr, adam.beta1, adam.beta2, adam.epsilon);
  }

  void energy_step(const Matrix<double>& x, const Matrix<double>& z) {
    const Matrix<double> fake = generator(z);
    generator.running = generator.running_after(z);
    const reference::Network at_data = energy;
    energy.running = energy.running_after(x);
    const reference::Network at_samples = energy;
    energy.running = energy.running_after(fake);
    const auto loss = [&](const auto& w) {
      using T = typename std::decay_t<decltype(w)>::value_type;
      return adversarial_loss(kind(), at_data(reference::lift<T>(x), w).values,
                              at_samples(reference::lift<T>(fake), w).values);
    };
    results["energy_real"] = at_data(x).values;
    results["energy_fake"] = at_samples(fake).values;
    results["loss_energy"] = {loss(energy.parameters)};
    energy_gradient = reference::gradient(loss, energy.parameters);
    adam(energy, energy_moments, energy_gradient, options.training.lr_energy);
  }

  void generator_step(const Matrix<double>& z) {
    const reference::Network g = generator, e = energy;
    const auto loss = [&](const auto& w) {
      using T = typename std::decay_t<decltype(w)>::value_type;
      const auto values = e(g(reference::lift<T>(z), w), reference::lift<T>(e.parameters)).values;
      return adversarial_generator_loss(kind(), values);
    };
    const Matrix<double> samples = g(z);
    generator.running = g.running_after(z);
    energy.running = e.running_after(samples);
    results["energy_generator"] = e(samples).values;
    results["loss_generator"] = {loss(generator.parameters)};
    generator_gradient = reference::gradient(loss, generator.parameters);
    adam(generator, generator_moments, generator_gradient, options.training.lr_generator);
  }
};

Matrix<double> rows_of(const Matrix<double>& all, int64_t step, int64_t rows) {
  Matrix<double> part(rows, all.cols);
  for (int64_t i = 0; i < rows; ++i) part.set_row(i, all.row(step * rows + i));
  return part;
}

struct GanCase {
  std::string name;
  GanLoss loss;
  reference::NetworkSpec energy;
  int64_t energy_steps = 1, generator_steps = 1, generator_batch = 0;
};
std::ostream& operator<<(std::ostream& out, const GanCase& gan) {
  return out << gan.name;
}

std::vector<GanCase> gan_cases() {
  const LayerSpec first = LayerSpec::linear(dimensions, 7), last = LayerSpec::linear(7, 1),
                  slope = LayerSpec::prelu();
  const reference::NetworkSpec plain{first, slope, last},
      normed{first, LayerSpec::batch_norm(7), slope, last},
      spectral{first.normalised(), slope, last.normalised()};
  return {{"Softplus", GanLoss::softplus, plain},
          {"SoftplusTwoSteps", GanLoss::softplus, plain, 2, 2},
          {"SoftplusBatchNorm", GanLoss::softplus, normed, 2},
          {"Hinge", GanLoss::hinge, plain, 1, 1, 7},
          {"HingeSpectral", GanLoss::hinge, spectral, 3, 2, 7},
          {"HingeSpectralOneStep", GanLoss::hinge, spectral}};
}

class GanTest : public testing::TestWithParam<std::tuple<GanCase, std::string>> {};

TEST_P(GanTest, AnIterationIsTheOracles) {
  const auto& [gan, device] = GetParam();
  const auto kernels = open_device(device);
  GanOptions options{.training = {}, .loss = gan.loss, .generator_batch = gan.generator_batch};
  options.training.batch = batch;
  options.training.energy_steps = gan.energy_steps;
  options.training.generator_steps = gan.generator_steps;
  options.training.lr_energy = 3e-3;
  options.training.lr_generator = 2e-3;
  // A large epsilon: a gradient that cancels makes a small step.
  options.training.optimiser.adam = {.beta1 = 0.5, .beta2 = 0.9, .epsilon = 1e-2};
  const reference::NetworkSpec generator_spec{LayerSpec::linear(latent, 6), LayerSpec::prelu(),
                                              LayerSpec::batch_norm(6), LayerSpec::linear(6, dimensions)};
  OracleGan oracle{.options = options,
                   .energy = random_network(gan.energy, reference::Statistics::batch, 3),
                   .generator = random_network(generator_spec, reference::Statistics::batch, 4)};

  const int64_t generator_batch = gan.generator_batch > 0 ? gan.generator_batch : batch;
  reference::Random random(7);
  const auto draw = [&](int64_t rows, int64_t columns) {
    return reference::rounded_to_float(random.matrix(rows, columns));
  };
  const Matrix<double> x = draw(batch * gan.energy_steps, dimensions), z = draw(x.rows, latent),
                       z_generator = draw(generator_batch * gan.generator_steps, latent);
  RecordedNoise noise(*kernels);
  noise.record("z", z);
  noise.record("z_generator", z_generator);
  RecordedData data(*kernels, x);
  Gan method(*kernels,
             {.energy = [&] { return layers_of(gan.energy, flat(dimensions)); },
              .generator = [&] { return layers_of(generator_spec, flat(latent)); }},
             data, options, &noise);
  method.initialize();
  load(*kernels, method.energy(), oracle.energy);
  load(*kernels, method.generator(), oracle.generator);

  Seen seen(*kernels);
  for (int iteration = 0; iteration < 2; ++iteration) {
    SCOPED_TRACE("iteration " + std::to_string(iteration));
    for (int64_t step = 0; step < gan.energy_steps; ++step)
      oracle.energy_step(rows_of(x, step, batch), rows_of(z, step, batch));
    for (int64_t step = 0; step < gan.generator_steps; ++step)
      oracle.generator_step(rows_of(z_generator, step, generator_batch));
    method.iterate(seen);

    const Tolerance tolerance{.factor = 50, .reason = "float32 roundings of several steps"};
    for (const char* name : {"loss_energy", "loss_generator"}) seen.results[name] = {number(method, name)};
    for (const auto& [name, expected] : oracle.results)
      EXPECT_TRUE(close(seen.results.at(name), expected, tolerance)) << name;
    for (const char* name : {"energy_real", "energy_fake"}) {
      const std::vector<double> mean{reference::mean(oracle.results.at(name))};
      EXPECT_TRUE(close(std::vector<float>{number(method, name)}, mean, tolerance)) << name;
    }
    const auto expect = [&](Network& network, const reference::Network& expected,
                            const std::vector<double>& gradient) {
      const Parameters& p = network.parameters();
      expect_close(p.trainable(), gradients(*kernels, network), gradient, tolerance);
      expect_close(p.trainable(), gather(*kernels, p.trainable(), p.values()), expected.parameters,
                   tolerance);
      if (!expected.running.empty())
        expect_close(p.statistics(), running_statistics(*kernels, network), expected.running, tolerance);
    };
    expect(method.energy(), oracle.energy, oracle.energy_gradient);
    expect(method.generator(), oracle.generator, oracle.generator_gradient);
    EXPECT_EQ(download(*kernels, method.data_points()), reference::to_float(x.values));
  }
}

INSTANTIATE_TEST_SUITE_P(All, GanTest,
                         testing::Combine(testing::ValuesIn(gan_cases()), testing::ValuesIn(devices())),
                         [](const auto& info) {
                           return std::get<0>(info.param).name + "_" + std::get<1>(info.param);
                         });

// --- what users choose

TEST(GanOptionsTest, PresetsAreThoseOfPublicCode) {
  const GanOptions dcgan = dcgan_options(NetworkKind::dcgan, Preset::code),
                   sngan = sngan_options(NetworkKind::dcgan, Preset::paper);
  EXPECT_EQ(dcgan.loss, GanLoss::softplus);
  EXPECT_EQ(dcgan.training.energy_steps, 2);
  EXPECT_EQ(dcgan.training.initial, Initial::orthogonal);
  EXPECT_EQ(dcgan.training.optimiser.adam.beta1, 0.5);
  EXPECT_EQ(dcgan.training.optimiser.adam.epsilon, 1e-6);
  EXPECT_EQ(sngan.loss, GanLoss::hinge);
  EXPECT_EQ(sngan.training.batch, 64);
  EXPECT_EQ(sngan.generator_batch, 128);
  EXPECT_EQ(sngan.training.energy_steps, 5);
  EXPECT_EQ(sngan.training.initial, Initial::glorot);
  EXPECT_EQ(sngan.training.optimiser.schedule.kind, RateSchedule::Kind::linear);
  EXPECT_EQ(dcgan_options(NetworkKind::mlp, Preset::paper).training.optimiser.adam.beta2, 0.9) << "Table 11";
}

NetworkOptions adapted(const char* method, NetworkOptions networks, Preset preset,
                       std::vector<const char*> words = {}) {
  const auto choice = method_row(method).choose(networks.kind, preset);
  Options options("test", "");
  choice->declare(options);
  words.insert(words.begin(), "test");
  EXPECT_TRUE(options.parse(static_cast<int>(words.size()), words.data()));
  choice->adapt(networks);
  return networks;
}

TEST(GanOptionsTest, OwnNetworksAreACodesAndAChoice) {
  const NetworkOptions images = dcgan_networks();
  EXPECT_EQ(adapted("dcgan", images, Preset::paper).family, NetworkFamily::shared);
  EXPECT_EQ(adapted("dcgan", images, Preset::code).family, NetworkFamily::dcgan);
  EXPECT_EQ(adapted("sngan", images, Preset::code).family, NetworkFamily::sngan);
  EXPECT_EQ(adapted("sngan", images, Preset::paper, {"--networks", "own"}).family, NetworkFamily::sngan);
  EXPECT_EQ(adapted("dcgan", images, Preset::code, {"--networks", "shared"}).family, NetworkFamily::shared);
  EXPECT_EQ(adapted("sngan", resnet_networks(), Preset::code).family, NetworkFamily::shared);
  EXPECT_THROW(adapted("sngan", resnet_networks(), Preset::code, {"--networks", "own"}), UsageError);
  EXPECT_EQ(adapted("dcgan", images, Preset::paper).weight_norm, WeightNorm::none);
  EXPECT_EQ(adapted("sngan", toy_networks(), Preset::paper).weight_norm, WeightNorm::spectral);
}

TEST(GanOptionsTest, ABoundOfTheEntropyIsRefused) {
  try {
    adapted("dcgan", toy_networks(), Preset::paper, {"--lower-bound", "slq"});
    FAIL() << "a GAN has no lower bound";
  } catch (const UsageError& error) {
    EXPECT_EQ(std::string(error.what()), "unknown option '--lower-bound' (--help lists all)");
  }
}

/// As their users get them with --preset code.
TEST(GanIterationTest, OfOwnNetworksStaysOnTheDevice) {
  for (const char* name : {"dcgan", "sngan"}) {
    SCOPED_TRACE(name);
    const auto recorder = make_recorder();
    SampleRun run(*recorder, {.networks = dcgan_networks(), .method = name, .preset = Preset::code});
    EXPECT_FALSE(run.method().learner("energy").network().parameters().statistics().empty());
    const std::vector<Launch> launches = recorder->record([&] { run.method().iterate(); });
    for (const Launch& launch : launches) EXPECT_LT(launch.kind, LaunchKind::wait) << launch.name;
    EXPECT_EQ(conflicts(launches), std::vector<std::string>{});
  }
}

/// Every layer of E with a weight has its spectral norm, on all networks.
TEST(GanOptionsTest, AllWeightsOfSngansEnergyHaveASpectralNorm) {
  for (const NetworkOptions& networks :
       {toy_networks(), mlp_networks(), dcgan_networks(), resnet_networks()}) {
    for (const Preset preset : {Preset::paper, Preset::code}) {
      const auto energy = energy_layers(adapted("sngan", networks, preset));
      Parameters parameters;
      energy->declare(parameters, "");
      size_t weights = 0;
      for (const Parameter& p : parameters.trainable()) weights += p.role == Role::weight ? 1 : 0;
      EXPECT_EQ(parameters.statistics().size(), weights);
      EXPECT_GT(weights, 2u);
    }
  }
}

}  // namespace
}  // namespace ebm::test
