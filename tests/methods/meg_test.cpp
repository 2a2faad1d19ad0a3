// SPDX-License-Identifier: MIT
// MEG: one iteration against its losses as they are written down, its options and presets.
#include <gtest/gtest.h>

#include "methods/meg_options.h"
#include "methods/small_method.h"
#include "reference/derivatives.h"
#include "reference/image_networks.h"
#include "reference/losses.h"
#include "reference/random.h"
#include "support/networks.h"
#include "train/seen.h"

namespace ebm::test {
namespace {

using reference::LayerSpec;
using reference::Matrix;

constexpr double float32(double x) {
  return static_cast<double>(static_cast<float>(x));
}

/// `numbers` as scalars of the kind of `like`.
template <class T>
std::vector<T> lift_of(const std::vector<T>& /*like*/, const std::vector<double>& numbers) {
  return reference::lift<T>(numbers);
}

/// [x | z], row by row.
template <class T>
Matrix<T> beside(const Matrix<T>& x, const Matrix<T>& z) {
  Matrix<T> rows(x.rows, x.cols + z.cols);
  for (int64_t b = 0; b < x.rows; ++b) {
    for (int64_t j = 0; j < rows.cols; ++j) rows(b, j) = j < x.cols ? x(b, j) : z(b, j - x.cols);
  }
  return rows;
}

/// The networks of an iteration and all that it draws; T's parameters and G's in losses are of any scalar.
struct Oracle {
  reference::Network energy, generator, statistics;
  Matrix<double> x, z, z_generator, pairing;
  double penalty_weight, information_weight;

  Matrix<double> shuffled() const {
    Matrix<double> rows = z_generator;
    const std::vector<size_t> order = reference::argsort(pairing.values);
    for (int64_t b = 0; b < rows.rows; ++b)
      rows.set_row(b, z_generator.row(static_cast<int64_t>(order[static_cast<size_t>(b)])));
    return rows;
  }

  template <class T>
  std::vector<T> squared_gradients(const std::vector<T>& w) const {
    std::vector<T> squared;
    for (int64_t b = 0; b < x.rows; ++b) {
      const auto of_point = [&](const auto& point) {
        using S = typename std::decay_t<decltype(point)>::value_type;
        return energy(reference::as_row(point), reference::lift<S>(w)).values[0];
      };
      const std::vector<T> slope = reference::gradient(of_point, reference::lift<T>(x.row(b)));
      squared.push_back(reference::dot(slope, slope));
    }
    return squared;
  }
  template <class T>
  T energy_loss(const std::vector<T>& w) const {
    const Matrix<T> samples = reference::lift<T>(generator(z));
    return reference::mean(energy(reference::lift<T>(x), w).values) -
           reference::mean(energy(samples, w).values) +
           T(penalty_weight) * reference::mean(squared_gradients(w));
  }
  template <class T>
  T information(const std::vector<T>& of_generator, const std::vector<T>& of_statistics) const {
    const Matrix<T> latent = reference::lift<T>(z_generator), samples = generator(latent, of_generator);
    std::vector<T> logits = statistics(beside(samples, latent), of_statistics).values;
    const Matrix<T> others = reference::lift<T>(shuffled());
    for (const T& logit : statistics(beside(samples, others), of_statistics).values) logits.push_back(logit);
    return reference::binary_cross_entropy(logits);
  }
  template <class T>
  T generator_loss(const std::vector<T>& of_generator, const std::vector<T>& of_statistics) const {
    const Matrix<T> samples = generator(reference::lift<T>(z_generator), of_generator);
    return reference::mean(energy(samples, reference::lift<T>(energy.parameters)).values) +
           T(information_weight) * information(of_generator, of_statistics);
  }
};

Oracle oracle_of(const reference::NetworkSpec& energy, const reference::NetworkSpec& generator,
                 const LayerSpec& statistics, int64_t batch, int64_t data, int64_t latent) {
  using reference::random_network;
  reference::Random random(3);
  Oracle oracle{.energy = random_network(energy, reference::Statistics::batch, 11),
                .generator = random_network(generator, reference::Statistics::batch, 12),
                .statistics = random_network({statistics}, reference::Statistics::batch, 13),
                .x = reference::rounded_to_float(random.matrix(batch, data)),
                .z = reference::rounded_to_float(random.matrix(batch, latent)),
                .z_generator = reference::rounded_to_float(random.matrix(batch, latent)),
                .pairing = {batch, 1, reference::rounded_to_float(random.uniforms(batch))},
                .penalty_weight = float32(0.3),
                .information_weight = float32(1.7)};
  EXPECT_NE(oracle.shuffled().values, oracle.z_generator.values);
  return oracle;
}

Oracle toy_oracle(const NetworkOptions& networks) {
  const int64_t d = networks.latent, h = networks.width;
  return oracle_of(
      reference::table6_energy(2, h), reference::table6_generator(d, h, 2),
      LayerSpec::joined_inputs(2, {LayerSpec::linear(2, h), LayerSpec::prelu(), LayerSpec::linear(h, d)},
                               {LayerSpec::linear(2 * d, h), LayerSpec::prelu(), LayerSpec::linear(h, 1)}),
      7, 2, d);
}

Oracle image_oracle(const NetworkOptions& networks) {
  const int64_t d = networks.latent, c = networks.width, features = 8 * c * 16;
  reference::NetworkSpec trunk = reference::table8_energy(c);
  trunk.back() = reference::linear_of_image(features, 16, d);
  return oracle_of(
      reference::table8_energy(c), reference::table8_generator(d, c),
      LayerSpec::joined_inputs(
          3072, trunk, {LayerSpec::linear(2 * d, 512), reference::leaky01(), LayerSpec::linear(512, 1)}),
      5, 3072, d);
}

/// One iteration of the oracle's networks on a device.
struct Played {
  Played(
      const std::string& device, const NetworkOptions& networks, const Oracle& oracle,
      const std::function<void(MegOptions&)>& change = [](MegOptions&) {})
      : kernels(open_device(device)),
        noise(*kernels),
        data(*kernels, oracle.x, data_shape(networks)),
        seen(*kernels) {
    noise.record("z", oracle.z);
    noise.record("z_generator", oracle.z_generator);
    noise.record("pairing", oracle.pairing);
    MegOptions options = meg_options(networks.kind, Preset::paper);
    options.training.batch = oracle.x.rows;
    options.training.energy_steps = 1;
    options.penalty_weight = oracle.penalty_weight;
    options.information_weight = oracle.information_weight;
    change(options);
    method = std::make_unique<Meg>(*kernels, makers_of(networks), data, options, &noise);
    load(*kernels, network("energy"), oracle.energy);
    load(*kernels, network("generator"), oracle.generator);
    load(*kernels, network("statistics"), oracle.statistics);
    method->iterate(seen);
  }

  Network& network(const std::string& name) { return method->learner(name).network(); }
  std::vector<float> values(const std::string& name) {
    return gather(*kernels, network(name).parameters().trainable(), network(name).parameters().values());
  }
  std::vector<float> gradient(const std::string& name) { return gradients(*kernels, network(name)); }
  void expect_gradient(const std::string& name, const std::vector<double>& expected,
                       const Tolerance& tolerance) {
    SCOPED_TRACE("gradient of " + name);
    expect_close(network(name).parameters().trainable(), gradient(name), expected, tolerance);
  }

  std::unique_ptr<Kernels> kernels;
  RecordedNoise noise;
  RecordedData data;
  Seen seen;
  std::unique_ptr<Meg> method;
};

NetworkOptions small_toy() {
  return {.kind = NetworkKind::toy, .channels = 2, .latent = 3, .width = 5};
}
NetworkOptions small_images() {
  return {.kind = NetworkKind::dcgan, .channels = 3, .latent = 2, .width = 1};
}
const Tolerance of_networks{.factor = 20,
                            .reason = "float32 roundings of several layers, forwards and backwards"};

class MegTest : public testing::TestWithParam<std::string> {};

TEST_P(MegTest, AnIterationIsItsLosses) {
  Oracle oracle = toy_oracle(small_toy());
  Played played(GetParam(), small_toy(), oracle);
  const std::vector<double>& w = oracle.energy.parameters;
  const auto number_is = [&](const char* name, double expected) {
    EXPECT_TRUE(close(number(*played.method, name), expected, of_networks)) << name;
  };
  auto& results = played.seen.results;
  EXPECT_TRUE(close(results.at("energy_real"), oracle.energy(oracle.x).values, of_networks));
  EXPECT_TRUE(
      close(results.at("energy_fake"), oracle.energy(oracle.generator(oracle.z)).values, of_networks));
  EXPECT_TRUE(close(results.at("directional"), oracle.squared_gradients(w), of_networks));
  number_is("penalty", reference::mean(oracle.squared_gradients(w)));
  number_is("loss_energy", oracle.energy_loss(w));
  played.expect_gradient(
      "energy", reference::gradient([&](const auto& v) { return oracle.energy_loss(v); }, w), of_networks);

  // The generator's step sees the energy that was just updated; it is not changed afterwards.
  const std::vector<float> updated = played.values("energy");
  EXPECT_NE(updated, reference::to_float(w));
  oracle.energy.parameters.assign(updated.begin(), updated.end());
  const std::vector<double>&g = oracle.generator.parameters, &t = oracle.statistics.parameters;
  EXPECT_TRUE(close(results.at("energy_generator"),
                    oracle.energy(oracle.generator(oracle.z_generator)).values, of_networks));
  number_is("loss_statistics", oracle.information(g, t));
  number_is("loss_generator", oracle.generator_loss(g, t));
  played.expect_gradient(
      "generator",
      reference::gradient([&](const auto& v) { return oracle.generator_loss(v, lift_of(v, t)); }, g),
      of_networks);
  played.expect_gradient(
      "statistics",
      reference::gradient([&](const auto& v) { return oracle.generator_loss(lift_of(v, g), v); }, t),
      of_networks);
  EXPECT_NE(played.values("generator"), reference::to_float(g));
  EXPECT_NE(played.values("statistics"), reference::to_float(t));

  reference::Network after = oracle.generator;
  for (const Matrix<double>& z : {oracle.z, oracle.z_generator}) after.running = after.running_after(z);
  EXPECT_TRUE(
      close(running_statistics(*played.kernels, played.network("generator")), after.running, of_networks));
}

TEST_P(MegTest, NoWeightLeavesTheEnergyAlone) {
  const Oracle oracle = toy_oracle(small_toy());
  Played with(GetParam(), small_toy(), oracle);
  Played without(GetParam(), small_toy(), oracle,
                 [](MegOptions& options) { options.information_weight = 0; });
  EXPECT_EQ(without.values("statistics"), reference::to_float(oracle.statistics.parameters));
  EXPECT_EQ(number(*without.method, "loss_statistics"), number(*with.method, "loss_statistics"));
  EXPECT_NE(without.gradient("generator"), with.gradient("generator"));
  Oracle alone = oracle;
  const std::vector<float> updated = without.values("energy");
  alone.energy.parameters.assign(updated.begin(), updated.end());
  alone.information_weight = 0;
  without.expect_gradient(
      "generator",
      reference::gradient(
          [&](const auto& v) { return alone.generator_loss(v, lift_of(v, alone.statistics.parameters)); },
          alone.generator.parameters),
      of_networks);
}

TEST_P(MegTest, EveryNetworkHasItsRate) {
  const Oracle oracle = toy_oracle(small_toy());
  struct Rate {
    const char* learner;
    std::function<void(MegOptions&)> stop;
  };
  const std::vector<Rate> rates{{"energy", [](MegOptions& options) { options.training.lr_energy = 0; }},
                                {"generator", [](MegOptions& options) { options.training.lr_generator = 0; }},
                                {"statistics", [](MegOptions& options) { options.lr_statistics = 0; }}};
  for (const Rate& rate : rates) {
    Played played(GetParam(), small_toy(), oracle, rate.stop);
    for (const auto& [name, before] :
         {std::pair("energy", &oracle.energy), std::pair("generator", &oracle.generator),
          std::pair("statistics", &oracle.statistics)}) {
      const bool still = played.values(name) == reference::to_float(before->parameters);
      EXPECT_EQ(still, std::string(name) == rate.learner) << name << " at no rate for " << rate.learner;
    }
  }
}

/// Each network's activations are of its parameters as they are, rounded: T's change much in the first step.
TEST_P(MegTest, InBfloat16TheNumbersAreNear) {
  const Oracle oracle = toy_oracle(small_toy());
  const auto change = [](Precision precision) {
    return [precision](MegOptions& options) {
      options.training.precision = precision;
      options.lr_statistics = 0.1;
    };
  };
  Played full(GetParam(), small_toy(), oracle, change(Precision::full));
  Played rounded(GetParam(), small_toy(), oracle, change(Precision::bfloat16));
  const float first = number(*full.method, "loss_statistics");
  for (int iteration = 0; iteration < 2; ++iteration) {
    for (const char* name : {"penalty", "loss_energy", "loss_statistics", "loss_generator"}) {
      const float expected = number(*full.method, name), actual = number(*rounded.method, name);
      EXPECT_NE(actual, expected) << name;
      EXPECT_NEAR(actual, expected, 0.03 * std::max(1.0f, std::abs(expected))) << name;
    }
    full.method->iterate();
    rounded.method->iterate();
  }
  EXPECT_GT(std::abs(number(*full.method, "loss_statistics") - first), 0.06);
}

INSTANTIATE_TEST_SUITE_P(Devices, MegTest, testing::ValuesIn(devices()));

class MegImagesTest : public testing::TestWithParam<std::string> {};

/// The generator's step, with gradients along one random direction each.
TEST_P(MegImagesTest, TheGeneratorsStepIsItsLoss) {
  Oracle oracle = image_oracle(small_images());
  Played played(GetParam(), small_images(), oracle);
  const std::vector<float> updated = played.values("energy");
  oracle.energy.parameters.assign(updated.begin(), updated.end());
  const std::vector<double>&g = oracle.generator.parameters, &t = oracle.statistics.parameters;
  EXPECT_TRUE(close(number(*played.method, "loss_statistics"), oracle.information(g, t), of_networks));
  EXPECT_TRUE(close(number(*played.method, "loss_generator"), oracle.generator_loss(g, t), of_networks));

  using Number = reference::Dual<double>;
  reference::Random random(5);
  const auto moved = [](const std::vector<double>& w, const std::vector<double>& direction) {
    std::vector<Number> result;
    for (size_t i = 0; i < w.size(); ++i) result.emplace_back(w[i], direction[i]);
    return result;
  };
  const auto along = [&](const std::string& name, const std::vector<double>& direction) {
    const std::vector<float> found = played.gradient(name);
    return reference::dot(std::vector<double>(found.begin(), found.end()), direction);
  };
  const auto length = [&](const std::string& name) {
    const std::vector<float> found = played.gradient(name);
    return reference::norm(std::vector<double>(found.begin(), found.end()));
  };
  const std::vector<double> g_dot = random.normals(std::ssize(g)), t_dot = random.normals(std::ssize(t));
  const double of_g = oracle.generator_loss(moved(g, g_dot), reference::lift<Number>(t)).derivative,
               of_t = oracle.generator_loss(reference::lift<Number>(g), moved(t, t_dot)).derivative;
  EXPECT_GT(std::abs(of_g), 0.01 * length("generator"));
  EXPECT_GT(std::abs(of_t), 0.01 * length("statistics"));
  EXPECT_NEAR(along("generator", g_dot), of_g, 1e-4 * length("generator"));
  EXPECT_NEAR(along("statistics", t_dot), of_t, 1e-4 * length("statistics"));
}

/// The mean over the pixels of the channels' squares is the whole over H W; 32 x 32 is a power of two.
TEST_P(MegImagesTest, ThePenaltyOfThePixelsIsThatOfTheWholeOverTheirNumber) {
  const Oracle oracle = image_oracle(small_images());
  Played flat(GetParam(), small_images(), oracle, [](MegOptions& options) { options.penalty_weight = 0.25; });
  Played channel(GetParam(), small_images(), oracle, [](MegOptions& options) {
    options.penalty_weight = 256;
    options.penalty_norm = PenaltyNorm::channel;
  });
  Played weaker(GetParam(), small_images(), oracle, [](MegOptions& options) {
    options.penalty_weight = 0.25;
    options.penalty_norm = PenaltyNorm::channel;
  });
  EXPECT_EQ(channel.gradient("energy"), flat.gradient("energy"));
  EXPECT_EQ(number(*channel.method, "loss_energy"), number(*flat.method, "loss_energy"));
  EXPECT_NE(weaker.gradient("energy"), flat.gradient("energy"));
}

INSTANTIATE_TEST_SUITE_P(Devices, MegImagesTest, testing::ValuesIn(devices_with_convolutions()));

TEST(MegNetworksTest, AStatisticsNetworkOfOtherShapesIsRefused) {
  const auto kernels = open_device("cpu");
  const NetworkOptions networks = small_toy();
  MegOptions options = meg_options(NetworkKind::toy, Preset::paper);
  options.training.batch = 7;
  const auto data = make_up_data(*kernels, networks, options.training);
  NetworkMakers makers = makers_of(networks);
  makers.statistics = makers.energy;
  EXPECT_HAS(error_of([&] { Meg(*kernels, makers, *data, options); }), "the statistics network takes 1x1x2");
}

TEST(MegPresetsTest, AreThoseOfThePublicCodes) {
  const auto paper = [](NetworkKind kind) { return meg_options(kind, Preset::paper); };
  const auto code = [](NetworkKind kind) { return meg_options(kind, Preset::code); };
  using enum NetworkKind;
  const auto fast = [](const MegOptions& options) {
    const TrainingOptions& training = options.training;
    const AdamOptions& adam = training.optimiser.adam;
    EXPECT_EQ(training.lr_energy, training.lr_generator);
    EXPECT_EQ(training.lr_energy, options.lr_statistics);
    EXPECT_EQ(training.generator_steps, 1);
    EXPECT_EQ(options.information_weight, 1);
    EXPECT_EQ(adam.beta2, 0.9);
    EXPECT_EQ(training.lr_energy, adam.beta1 == 0 ? 2e-4 : 1e-4);
    EXPECT_EQ(training.energy_steps, adam.beta1 == 0 ? 1 : 5);
    return adam.beta1 == 0;
  };
  for (const NetworkKind kind : {toy, mlp}) EXPECT_TRUE(fast(paper(kind)));
  for (const NetworkKind kind : {dcgan, resnet}) EXPECT_FALSE(fast(paper(kind)));
  for (const NetworkKind kind : {toy, mlp, dcgan, resnet}) EXPECT_FALSE(fast(code(kind)));
  EXPECT_EQ(paper(toy).penalty_weight, 0.01);
  EXPECT_EQ(paper(mlp).penalty_weight, 10);
  EXPECT_EQ(paper(dcgan).penalty_weight, 0.1);
  EXPECT_EQ(paper(resnet).penalty_weight, 0.1);
  EXPECT_EQ(paper(dcgan).penalty_norm, PenaltyNorm::flat);
  EXPECT_EQ(code(toy).penalty_weight, 0.1);
  EXPECT_EQ(code(dcgan).penalty_weight, 10);
  EXPECT_EQ(code(dcgan).penalty_norm, PenaltyNorm::channel);
  EXPECT_EQ(code(dcgan).training.initial, Initial::normal);
  EXPECT_EQ(code(toy).training.initial, Initial::pytorch);
  EXPECT_EQ(paper(dcgan).training.initial, Initial::pytorch);
  EXPECT_EQ(paper(toy).training.batch, 200);
  EXPECT_EQ(code(toy).training.batch, 256);
  EXPECT_EQ(code(dcgan).training.batch, 64);
}

}  // namespace
}  // namespace ebm::test
