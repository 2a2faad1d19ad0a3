// SPDX-License-Identifier: MIT
// Spectral normalisation over several forward passes: what power iterations approach, traces side by side,
// and what is launched.
#include "layers/spectral_norm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "kernels/recorder/recorder.h"
#include "layers/linear.h"
#include "layers/network.h"
#include "models/dcgan.h"
#include "models/mnist.h"
#include "models/resnet.h"
#include "models/toy.h"
#include "reference/derivatives.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/networks.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

constexpr int64_t batch = 5, in = 6, out = 4;
const reference::NetworkSpec spec{reference::LayerSpec::linear(in, out).normalised()};

class SpectralNormTest : public testing::TestWithParam<std::string> {
 protected:
  SpectralNormTest() { load(*kernels_, network_, oracle_); }

  Tensor rows(int64_t columns) { return on_device(*kernels_, random_.matrix(batch, columns)); }
  std::vector<float> u() const { return running_statistics(*kernels_, network_); }

  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  reference::Network oracle_ = reference::random_network(spec, reference::Statistics::batch, 5);
  Network network_{*kernels_, layers_of(spec, flat(in))};
  reference::Random random_{3};
};

TEST_P(SpectralNormTest, IterationsApproachTheLargestSingularValue) {
  const auto trace = network_.make_trace({.batch = batch, .statistics = Statistics::batch});
  const Tensor x = rows(in), y(*kernels_, batch, flat(out));
  for (int i = 0; i < 200; ++i) network_.forward(*trace, x, y);
  // At W's first singular pair u' of another iteration is u, and W^T u has the length of W's norm: so the
  // normalised weight has the norm 1, as its own power iteration finds.
  const std::vector<float> before = u();
  network_.forward(*trace, x, y);
  EXPECT_TRUE(close(u(), before));
  reference::Network at_end = oracle_;
  at_end.running.assign(before.begin(), before.end());
  const std::vector<double> w =
      reference::spectral_weight(out, in, at_end.parameters.data(), at_end.running.data(), false, nullptr);
  std::vector<double> v(in, 1);
  double norm = 0;
  for (int i = 0; i < 1000; ++i) {
    std::vector<double> image(out), back(in);
    for (size_t o = 0; o < image.size(); ++o)
      for (size_t k = 0; k < v.size(); ++k) image[o] += w[o * v.size() + k] * v[k];
    for (size_t o = 0; o < image.size(); ++o)
      for (size_t k = 0; k < v.size(); ++k) back[k] += w[o * v.size() + k] * image[o];
    norm = std::sqrt(reference::dot(image, image));
    v = reference::unit(back);
  }
  EXPECT_NEAR(norm, 1, 1e-6);
}

/// The data, the samples and the generator step's samples: all forward, then all backward.
TEST_P(SpectralNormTest, EachTraceGoesBackThroughItsOwnForwardPass) {
  reference::Network at = oracle_;
  std::vector<std::unique_ptr<Trace>> traces;
  std::vector<reference::Network> oracles;
  std::vector<reference::Matrix<double>> inputs;
  std::vector<Tensor> on_kernels;
  const Tensor y(*kernels_, batch, flat(out));
  for (const Statistics statistics : {Statistics::batch, Statistics::batch, Statistics::running}) {
    traces.push_back(network_.make_trace({.batch = batch, .statistics = statistics}));
    inputs.push_back(reference::rounded_to_float(random_.matrix(batch, in)));
    on_kernels.push_back(on_device(*kernels_, inputs.back()));
    oracles.push_back(at.with(oracle_statistics(statistics)));
    network_.forward(*traces.back(), on_kernels.back(), y);
    EXPECT_TRUE(close(y.download(), oracles.back()(inputs.back()).values));
    if (statistics == Statistics::batch) at.running = at.running_after(inputs.back());
  }
  EXPECT_TRUE(close(u(), at.running)) << "moved twice";
  const reference::Matrix<double> y_bar = reference::rounded_to_float(random_.matrix(batch, out));
  const Tensor y_bar_there = on_device(*kernels_, y_bar), x_bar(*kernels_, batch, flat(in));
  for (size_t i = 0; i < traces.size(); ++i) {
    network_.vjp(*traces[i], y_bar_there, x_bar, Gradient::overwrite);
    const reference::Vjp expected = reference::vjp(oracles[i], inputs[i], oracles[i].parameters, y_bar);
    EXPECT_TRUE(close(x_bar.download(), expected.x_bar.values)) << i;
    EXPECT_TRUE(close(gradients(*kernels_, network_), expected.w_bar,
                      {.factor = 4, .reason = "sums of terms that cancel", .terms = 1}))
        << i;
  }
}

TEST_P(SpectralNormTest, AZeroWeightGivesNumbersThatNobodyTakesForGood) {
  std::vector<double> zeros(oracle_.parameters.size());
  scatter(*kernels_, network_.parameters().trainable(), network_.parameters().values(), zeros);
  const auto trace = network_.make_trace({.batch = batch, .statistics = Statistics::batch});
  const Tensor x = rows(in), y(*kernels_, batch, flat(out));
  network_.forward(*trace, x, y);
  EXPECT_EQ(u(), std::vector<float>(out)) << "as PyTorch's, whose sigma is 0 then too";
  for (const float value : y.download()) EXPECT_TRUE(std::isnan(value)) << "0 / 0";
}

TEST_P(SpectralNormTest, UStartsAsARandomDirection) {
  Network plain(*kernels_, toy_energy(9, OutputScale::none)),
      spectral(*kernels_, toy_energy(9, OutputScale::none, WeightNorm::spectral));
  plain.initialize(7, 256);
  spectral.initialize(7, 256);
  EXPECT_EQ(download(*kernels_, spectral.parameters().values()),
            download(*kernels_, plain.parameters().values()))
      << "it takes no other parameter's noise";
  const auto statistic = [&](const std::string& name) {
    for (const Parameter& p : spectral.parameters().statistics())
      if (p.name == name) return download(*kernels_, View{p.value, 1, flat(p.size)});
    return std::vector<float>{};
  };
  const std::vector<float> first = statistic("main.0.weight_u"), second = statistic("main.2.weight_u"),
                           last = statistic("main.4.weight_u");
  EXPECT_EQ(first.size(), 9u);
  EXPECT_EQ(last.size(), 1u);
  EXPECT_NE(first, second);
  for (const std::vector<float>& u : {first, second, last})
    EXPECT_NEAR(std::inner_product(u.begin(), u.end(), u.begin(), 0.0), 1, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Devices, SpectralNormTest, testing::ValuesIn(devices()));

TEST(SpectralNormLaunchesTest, AreFewAndOnlyWhereThereIsOne) {
  const auto recorder = make_recorder();
  const auto of = [&](WeightNorm norm, Statistics statistics, auto&& work) {
    Network network(*recorder, std::make_unique<Linear>(flat(in), flat(out), Bias::yes, Activation{}, norm));
    const auto trace = network.make_trace({.batch = batch, .statistics = statistics, .tangents = 1});
    const Tensor x(*recorder, batch, flat(in)), y(*recorder, batch, flat(out));
    network.forward(*trace, x, y);
    std::vector<std::string> names;
    for (const Launch& launch : recorder->record([&] { work(network, *trace, x, y); }))
      names.push_back(launch.name);
    return names;
  };
  const auto forward = [](Network& network, Trace& trace, const Tensor& x, const Tensor& y) {
    network.forward(trace, x, y);
  };
  const auto backward = [](Network& network, Trace& trace, const Tensor& x, const Tensor& y) {
    network.vjp(trace, y, x, Gradient::overwrite);
  };
  const auto input_only = [](Network& network, Trace& trace, const Tensor& x, const Tensor& y) {
    network.vjp(trace, y, x, Gradient::ignore);
  };
  const auto tangent = [](Network& network, Trace& trace, const Tensor& x, const Tensor& y) {
    network.jvp(trace, x, y);
  };
  for (const Statistics statistics : {Statistics::batch, Statistics::running}) {
    const size_t more = statistics == Statistics::batch ? 4 : 3;
    EXPECT_EQ(of(WeightNorm::spectral, statistics, forward).size(),
              of(WeightNorm::none, statistics, forward).size() + more);
    EXPECT_EQ(of(WeightNorm::spectral, statistics, backward).size(),
              of(WeightNorm::none, statistics, backward).size() + 2);
    EXPECT_EQ(of(WeightNorm::spectral, statistics, input_only), of(WeightNorm::none, statistics, input_only));
    EXPECT_EQ(of(WeightNorm::spectral, statistics, tangent), of(WeightNorm::none, statistics, tangent));
  }
}

std::vector<std::string> names_of_u(const Parameters& parameters) {
  std::vector<std::string> names;
  for (const Parameter& p : parameters.statistics()) names.push_back(p.name);
  return names;
}

TEST(SpectralNormModelsTest, EveryWeightOfAnEnergyHasOne) {
  constexpr WeightNorm spectral = WeightNorm::spectral;
  std::vector<std::unique_ptr<Layer>> energies;
  energies.push_back(toy_energy(7, OutputScale::learned, spectral));
  energies.push_back(mnist_energy(stacked_mnist_image, 16, spectral));
  energies.push_back(dcgan_energy(1, spectral));
  energies.push_back(resnet_energy(EnergyNorm::none, 1, spectral));
  for (const auto& energy : energies) {
    Parameters parameters;
    energy->declare(parameters, "");
    std::vector<std::string> expected;
    for (const Parameter& p : parameters.trainable())
      if (p.role == Role::weight) expected.push_back(p.name + "_u");
    EXPECT_EQ(names_of_u(parameters), expected);
    EXPECT_GE(expected.size(), 4u);
    EXPECT_TRUE(energy->piecewise_linear(Statistics::batch));
    EXPECT_FALSE(energy->couples_samples(Statistics::batch));
  }
  EXPECT_THROW(Linear(flat(3), Features{2, 2, 1}, Bias::yes, Activation{}, WeightNorm::spectral), Error);
}

}  // namespace
}  // namespace ebm::test
