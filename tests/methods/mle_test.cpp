// SPDX-License-Identifier: MIT
// Maximum likelihood of points: one iteration against its loss as it is written down.
#include "methods/mle.h"

#include <gtest/gtest.h>

#include "data/toy.h"
#include "methods/small_method.h"
#include "models/toy.h"
#include "reference/derivatives.h"
#include "reference/random.h"
#include "support/recorded.h"

namespace ebm::test {
namespace {

class MleTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int64_t batch = 7;
  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
};

TEST_P(MleTest, AnIterationIsTheGradientOfTheLikelihood) {
  const reference::Network oracle =
      random_network(reference::table6_energy(2, 9), reference::Statistics::running, 4);
  for (const ToyDataset dataset : {ToyDataset::gaussians25, ToyDataset::swiss_roll}) {
    ToyData data(*kernels_, dataset, batch, 1, 1);
    RecordedNoise noise(*kernels_);
    reference::Random random{8};
    const auto near = reference::rounded_to_float(random.matrix(batch, 2));
    reference::Matrix<double> uniforms(batch, 2);
    uniforms.values = reference::rounded_to_float(random.uniforms(2 * batch));
    noise.record("near", near);
    noise.record("square", uniforms);
    TrainingOptions training;
    training.batch = batch;
    training.precision = Precision::full;
    training.optimiser.adam.beta1 = 0.5;
    Mle mle(*kernels_, {.energy = [] { return toy_energy(9, OutputScale::none); }, .generator = {}}, data,
            training, &noise);
    mle.initialize();
    load(*kernels_, mle.energy(), oracle);
    mle.iterate();

    const ToyDensity density{dataset}, widened{dataset, 4};
    const std::vector<float> drawn = download(*kernels_, mle.data_points());
    reference::Matrix<double> x(batch, 2), points(3 * batch, 2);
    x.values = {drawn.begin(), drawn.end()};
    std::vector<double> log_q;
    for (int64_t i = 0; i < points.rows; ++i) {
      const int64_t row = i % batch;
      for (int64_t c = 0; c < 2; ++c) {
        const double moved = x(row, c) + density.deviation() * std::sqrt(15.0) * near(row, c);
        points(i, c) = i < batch ? x(row, c) : i < 2 * batch ? moved : 8 * uniforms(row, c) - 4;
      }
      double q = 1.0 / 64;
      for (int64_t node = 0; node < density.nodes(); ++node)
        q += density.part(node, points(i, 0), points(i, 1)) + widened.part(node, points(i, 0), points(i, 1));
      log_q.push_back(std::log(q / 3));
    }
    const auto loss = [&](const auto& w) {
      using T = typename std::decay_t<decltype(w)>::value_type;
      using std::exp;
      using std::log;
      const std::vector<T> e = oracle(reference::lift<T>(points), w).values;
      T sum = T(0.0);
      for (size_t i = 0; i < e.size(); ++i) sum += exp(-e[i] - T(log_q[i]));
      return reference::mean(oracle(reference::lift<T>(x), w).values) + log(sum / T(3.0 * batch));
    };
    const Tolerance tolerance{.factor = 16, .reason = "energies of several layers in exponents"};
    std::vector<double> half = reference::gradient(loss, oracle.parameters);
    for (double& g : half) g *= 0.5;  // Adam's first moment of the first step
    const Learner& learner = mle.learner("energy");
    expect_close(learner.network().parameters().trainable(),
                 gather(*kernels_, learner.network().parameters().trainable(), learner.first_moments()), half,
                 tolerance);
    const auto& entries = mle.numbers().entries();
    const std::vector<float> numbers = mle.numbers().download().numbers;
    for (size_t i = 0; i < entries.size(); ++i) {
      if (entries[i].name != "loss_energy") continue;
      EXPECT_TRUE(close(numbers[i], loss(oracle.parameters), tolerance));
    }
  }
}

TEST_P(MleTest, WantsAKnownDensity) {
  TrainingOptions training;
  training.batch = batch;
  const auto images = make_up_data(*kernels_, dcgan_networks(), training);
  EXPECT_THROW(Mle(*kernels_, {.energy = [] { return toy_energy(9, OutputScale::none); }, .generator = {}},
                   *images, training),
               UsageError);
}

INSTANTIATE_TEST_SUITE_P(Devices, MleTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
