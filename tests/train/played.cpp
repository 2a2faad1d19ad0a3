// SPDX-License-Identifier: MIT
#include "train/played.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "reference/linalg.h"
#include "support/tolerance.h"

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

PlayedNetwork read_before(Game& game, const Network& network, int64_t step) {
  const Parameters& p = network.parameters();
  const auto read = [&](View flat_buffer) {
    return doubles(gather(game.kernels(), p.trainable(), flat_buffer));
  };
  return {.before = read(p.values()),
          .moments_before = {.exp_avg = read(p.first_moments()),
                             .exp_avg_sq = read(p.second_moments()),
                             .step = step},
          .gradient = {},
          .after = {},
          .exp_avg = {},
          .exp_avg_sq = {},
          .steps = 0};
}

void read_after(Game& game, const Network& network, int64_t step, PlayedNetwork& played) {
  const Parameters& p = network.parameters();
  played.gradient = gradients(game.kernels(), network);
  played.after = gather(game.kernels(), p.trainable(), p.values());
  played.exp_avg = gather(game.kernels(), p.trainable(), p.first_moments());
  played.exp_avg_sq = gather(game.kernels(), p.trainable(), p.second_moments());
  played.steps = step;
}

void read_lower_bound(Game& game, const std::string& suffix, Played& played) {
  LowerBound& lower = *game.lower();
  Kernels& kernels = game.kernels();
  if (!lower.v().empty()) played.results["v" + suffix] = download(kernels, lower.v());
  played.results["log_s1" + suffix] = download(kernels, lower.log_s1());
  played.results["entropy" + suffix] = download(kernels, lower.value());
}

IterationScalars scalars(Game& game) {
  IterationScalars host;
  game.kernels().download(&host, game.scalars(), sizeof host);
  return host;
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

}  // namespace

Played play(Game& game) {
  Kernels& kernels = game.kernels();
  const auto steps = [&] { return game.steps().download(); };
  Played played{.results = {},
                .energy = read_before(game, game.energy(), steps().at(0)),
                .generator = read_before(game, game.generator(), steps().at(1)),
                .running = {}};
  game.energy_step();
  game.complete_energy_step();
  UpperBound& upper = game.upper();
  played.results["energy_real"] = download(kernels, upper.energy_real());
  played.results["energy_fake"] = download(kernels, upper.energy_fake());
  played.results["directional"] = download(kernels, upper.directional());
  if (!upper.score().empty()) played.results["a"] = download(kernels, upper.score());
  if (!game.draws().v0.empty()) read_lower_bound(game, "", played);
  read_after(game, game.energy(), steps().at(0), played.energy);

  game.generator_step();
  if (!game.draws().v0_generator.empty()) read_lower_bound(game, "_generator", played);
  read_after(game, game.generator(), steps().at(1), played.generator);
  played.running = running_statistics(kernels, game.generator());
  const IterationScalars s = scalars(game);
  played.results["penalty"] = {s.penalty};
  played.results["loss_energy"] = {s.loss_energy};
  played.results["loss_generator"] = {s.loss_generator};
  EXPECT_EQ(s.not_finite, 0);
  if (game.lower() != nullptr) {
    EXPECT_EQ(s.share_good, 1);
    EXPECT_EQ(s.share_floored, 0);
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

void expect_iteration(Game& game, const Played& played, const ExpectedIteration& expected) {
  Tolerance tolerance{.factor = std::max(8.0, 2 * expected.condition()),
                      .reason = "roundings of several layers, of J times s_d / s_1"};
  if (game.lower() != nullptr && game.options().lower->kind == LowerBoundKind::slq) {
    tolerance.factor *= expected.condition();
    tolerance.reason = "Lanczos inverts T_n, whose condition is that of J^T J";
  }
  for (auto [name, values] : expected.results) {
    SCOPED_TRACE(name);
    const auto found = played.results.find(name);
    ASSERT_NE(found, played.results.end());
    std::vector<float> actual = found->second;
    ASSERT_EQ(actual.size(), values.size());
    if (expected.spectra.contains(name)) align(expected.spectra.at(name), actual, values);
    Tolerance with_terms = tolerance;  // losses are differences of energies
    if (name.starts_with("loss_")) with_terms.terms = largest(expected.results.at("energy_fake"));
    EXPECT_TRUE(close(actual, values, with_terms));
  }
  expect_close(game.energy().parameters().trainable(), played.energy.gradient, expected.energy_gradient,
               tolerance);
  expect_close(game.generator().parameters().trainable(), played.generator.gradient,
               expected.generator_gradient, tolerance);
  EXPECT_TRUE(close(played.running, expected.running, {.factor = 4, .reason = "several layers"}));
  expect_adam(played.energy, game.options().lr_energy, game.options().adam);
  expect_adam(played.generator, game.options().lr_generator, game.options().adam);
}

}  // namespace ebm::test
