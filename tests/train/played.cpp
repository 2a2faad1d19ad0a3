// SPDX-License-Identifier: MIT
#include "train/played.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "reference/linalg.h"
#include "support/tolerance.h"
#include "train/seen.h"

namespace ebm::test {

namespace {

std::vector<double> doubles(const std::vector<float>& x) {
  return {x.begin(), x.end()};
}

double largest(const std::vector<double>& x) {
  double most = 0;
  for (const double element : x) most = std::max(most, std::abs(element));
  return most;
}

PlayedNetwork read_before(Kernels& kernels, Learner& learner) {
  const Parameters& p = learner.network().parameters();
  const auto read = [&](View flat_buffer) { return doubles(gather(kernels, p.trainable(), flat_buffer)); };
  return {.before = read(p.values()),
          .moments_before = {.exp_avg = read(learner.first_moments()),
                             .exp_avg_sq = read(learner.second_moments()),
                             .step = learner.steps().download().at(0)},
          .gradient = {},
          .after = {},
          .exp_avg = {},
          .exp_avg_sq = {},
          .steps = 0};
}

void read_after(Kernels& kernels, Learner& learner, PlayedNetwork& played) {
  const Parameters& p = learner.network().parameters();
  played.gradient = gradients(kernels, learner.network());
  played.after = gather(kernels, p.trainable(), p.values());
  played.exp_avg = gather(kernels, p.trainable(), learner.first_moments());
  played.exp_avg_sq = gather(kernels, p.trainable(), learner.second_moments());
  played.steps = learner.steps().download().at(0);
}

/// Singular vectors have no sign of their own, and are defined as far as 1 - (s_1 / s_2)^2 is from 0.
void align(const std::vector<reference::Vector<double>>& spectra, std::vector<float>& v,
           std::vector<double>& expected) {
  const size_t d = expected.size() / spectra.size();
  for (size_t b = 0; b < spectra.size(); ++b) {
    double along = 0;
    for (size_t i = b * d; i < (b + 1) * d; ++i) along += v[i] * expected[i];
    const double ratio = d > 1 ? spectra[b][0] / spectra[b][1] : 0;
    const double weight = 1 - ratio * ratio;
    for (size_t i = b * d; i < (b + 1) * d; ++i) {
      v[i] = static_cast<float>(v[i] * weight);
      expected[i] *= along < 0 ? -weight : weight;
    }
  }
}

/// The step that PyTorch's Adam makes of the gradients that the network itself came to.
void expect_adam(const PlayedNetwork& played, double lr, const AdamOptions& adam) {
  reference::Vector<double> w = played.before;
  reference::Moments moments = played.moments_before;
  adam_step(w, doubles(played.gradient), moments, lr, adam.beta1, adam.beta2, adam.epsilon);
  EXPECT_TRUE(close(played.after, w, {.factor = 0.1, .reason = "one rounding of w, so that a step is seen"}));
  EXPECT_TRUE(close(played.exp_avg, moments.exp_avg));
  EXPECT_TRUE(close(played.exp_avg_sq, moments.exp_avg_sq));
  EXPECT_EQ(played.steps, moments.step);
}

/// What an oracle knows even where an iteration takes no more than J v0.
bool of_energy_steps_bound(const std::string& name) {
  return name == "v" || name == "log_s1" || name == "entropy";
}

}  // namespace

Played play(EbmBb& ebm_bb) {
  Kernels& kernels = ebm_bb.kernels();
  Learner &energy = ebm_bb.learner("energy"), &generator = ebm_bb.learner("generator");
  Played played{.results = {},
                .energy = read_before(kernels, energy),
                .generator = read_before(kernels, generator),
                .running = {}};
  Seen seen(kernels);
  ebm_bb.iterate(seen);
  played.results = std::move(seen.results);
  read_after(kernels, energy, played.energy);
  read_after(kernels, generator, played.generator);
  played.running = running_statistics(kernels, ebm_bb.generator());
  for (const char* name : {"penalty", "loss_energy", "loss_generator"})
    played.results[name] = {number(ebm_bb, name)};
  EXPECT_FALSE(ebm_bb.numbers().download().not_finite);
  if (ebm_bb.lower() != nullptr) {
    EXPECT_EQ(number(ebm_bb, "share_good"), 1);
    EXPECT_EQ(number(ebm_bb, "share_floored"), 0);
  }
  return played;
}

std::vector<reference::Vector<double>> spectra_of(const reference::Network& generator,
                                                  const reference::Matrix<double>& z) {
  std::vector<reference::Vector<double>> all;
  for (int64_t i = 0; i < z.rows; ++i) {
    all.push_back(reference::svd(jacobian(generator, z.row(i), generator.parameters)).values);
  }
  return all;
}

double ExpectedIteration::condition() const {
  double worst = 1;
  for (const auto& [name, samples] : spectra) {
    for (const auto& s : samples) worst = std::max(worst, s.back() / s.front());
  }
  return worst;
}

void expect_iteration(EbmBb& ebm_bb, const Played& played, const ExpectedIteration& expected) {
  Tolerance tolerance{.factor = std::max(8.0, 2 * expected.condition()),
                      .reason = "roundings of several layers, of J times s_d / s_1"};
  if (ebm_bb.lower() != nullptr && ebm_bb.options().lower->kind == EntropyBoundKind::slq) {
    tolerance.factor *= expected.condition();
    tolerance.reason = "Lanczos inverts T_n, whose condition is that of J^T J";
  }
  for (auto [name, values] : expected.results) {
    SCOPED_TRACE(name);
    const auto found = played.results.find(name);
    if (found == played.results.end() && of_energy_steps_bound(name)) continue;
    ASSERT_NE(found, played.results.end());
    std::vector<float> actual = found->second;
    ASSERT_EQ(actual.size(), values.size());
    if (expected.spectra.contains(name)) align(expected.spectra.at(name), actual, values);
    Tolerance with_terms = tolerance;  // losses are differences of energies
    if (name.starts_with("loss_")) with_terms.terms = largest(expected.results.at("energy_fake"));
    EXPECT_TRUE(close(actual, values, with_terms));
  }
  expect_close(ebm_bb.energy().parameters().trainable(), played.energy.gradient, expected.energy_gradient,
               tolerance);
  expect_close(ebm_bb.generator().parameters().trainable(), played.generator.gradient,
               expected.generator_gradient, tolerance);
  EXPECT_TRUE(close(played.running, expected.running, {.factor = 4, .reason = "several layers"}));
  expect_adam(played.energy, ebm_bb.options().training.lr_energy, ebm_bb.options().training.optimiser.adam);
  expect_adam(played.generator, ebm_bb.options().training.lr_generator,
              ebm_bb.options().training.optimiser.adam);
}

}  // namespace ebm::test
