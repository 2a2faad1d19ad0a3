// SPDX-License-Identifier: MIT
#include "train/oracle_iteration.h"

#include <gtest/gtest.h>

#include "reference/random.h"
#include "support/oracle_options.h"
#include "support/recorded.h"

namespace ebm::test {

namespace {

reference::Moments random_moments(reference::Random& random, size_t count, int64_t step) {
  reference::Moments moments{.exp_avg = random.normals(static_cast<int64_t>(count)),
                             .exp_avg_sq = random.uniforms(static_cast<int64_t>(count)),
                             .step = step};
  moments.exp_avg = reference::rounded_to_float(moments.exp_avg);
  moments.exp_avg_sq = reference::rounded_to_float(moments.exp_avg_sq);
  return moments;
}

void add_entropy(const std::vector<reference::EntropySample>& samples, const std::string& suffix,
                 bool has_log_s1, ExpectedIteration& expected) {
  for (const reference::EntropySample& sample : samples) {
    expected.results["entropy" + suffix].push_back(sample.value);
    if (has_log_s1) expected.results["log_s1" + suffix].push_back(sample.log_s1);
    if (sample.v.empty()) continue;
    std::vector<double>& v = expected.results["v" + suffix];
    v.insert(v.end(), sample.v.begin(), sample.v.end());
  }
}

ExpectedIteration oracles(const EbmBbOptions& options, const reference::EbmBbState& state,
                          const reference::EbmBbInputs& in) {
  const reference::EbmBbResult played = play(oracle_config(options), state, in);
  ExpectedIteration expected{.results = {{"energy_real", played.energy_real},
                                         {"energy_fake", played.energy_fake},
                                         {"penalty", {played.penalty}},
                                         {"loss_energy", {played.loss_energy}},
                                         {"loss_generator", {played.loss_generator}}},
                             .energy_gradient = played.gradient_energy,
                             .generator_gradient = played.gradient_generator,
                             .running = played.after.generator.running,
                             .spectra = {}};
  if (!played.directional.empty()) expected.results["directional"] = played.directional;
  if (!played.a.values.empty()) expected.results["a"] = played.a.values;
  const bool has_log_s1 = options.lower && options.lower->kind != EntropyBoundKind::logdet &&
                          options.lower->kind != EntropyBoundKind::slq;
  add_entropy(played.entropy, "", has_log_s1, expected);
  add_entropy(played.entropy_generator, "_generator", has_log_s1, expected);
  reference::Network g = state.generator.with(reference::Statistics::running);
  g.running = g.running_after(in.z);
  if (!played.entropy.empty()) expected.spectra["v"] = spectra_of(g, in.z);
  g.running = g.running_after(in.z_generator);
  if (!played.entropy_generator.empty()) expected.spectra["v_generator"] = spectra_of(g, in.z_generator);
  return expected;
}

void load_learner(Kernels& kernels, Learner& learner, const reference::Network& network,
                  const reference::Moments& moments) {
  load(kernels, learner.network(), network);
  const std::deque<Parameter>& parameters = learner.network().parameters().trainable();
  scatter(kernels, parameters, learner.first_moments(), moments.exp_avg);
  scatter(kernels, parameters, learner.second_moments(), moments.exp_avg_sq);
  learner.steps().upload(std::vector<int64_t>{moments.step});
}

}  // namespace

OracleIteration oracle_iteration(const EbmBbOptions& options, const OracleNetworks& networks) {
  reference::Random random(29);
  const auto rows = [&](int64_t columns) {
    return reference::rounded_to_float(random.matrix(options.training.batch, columns));
  };
  const int64_t d = networks.d, D = networks.data.size();
  OracleIteration start{.options = options, .data = networks.data, .state = {}, .in = {}, .expected = {}};
  start.state.energy = random_network(networks.energy, reference::Statistics::batch, 41);
  start.state.generator = random_network(networks.generator, reference::Statistics::batch, 42);
  start.state.energy_moments = random_moments(random, start.state.energy.parameters.size(), 3);
  start.state.generator_moments = random_moments(random, start.state.generator.parameters.size(), 6);
  start.in = {.x = rows(D),
              .z = rows(d),
              .v0 = rows(d),
              .p0 = rows(d),
              .z_generator = rows(d),
              .v0_generator = rows(d),
              .p0_generator = rows(d),
              .between = reference::rounded_to_float(random.uniforms(options.training.batch))};
  start.expected = oracles(options, start.state, start.in);
  return start;
}

void expect_oracles_iteration(Kernels& kernels, const NetworkMakers& networks, const OracleIteration& start) {
  const reference::EbmBbInputs& in = start.in;
  RecordedNoise noise(kernels);
  noise.record("z", in.z);
  noise.record("v0", in.v0);
  noise.record("p0", in.p0);
  noise.record("alpha", {in.x.rows, 1, in.between});
  noise.record("z_generator", in.z_generator);
  noise.record("v0_generator", in.v0_generator);
  noise.record("p0_generator", in.p0_generator);
  RecordedData data(kernels, in.x, start.data);
  EbmBb ebm_bb(kernels, networks, data, start.options, &noise);
  load_learner(kernels, ebm_bb.learner("energy"), start.state.energy, start.state.energy_moments);
  load_learner(kernels, ebm_bb.learner("generator"), start.state.generator, start.state.generator_moments);

  expect_iteration(ebm_bb, play(ebm_bb), start.expected);
  EXPECT_EQ(ebm_bb.iteration().download().at(0), 1u);
}

}  // namespace ebm::test
