// SPDX-License-Identifier: MIT
// VERA: its score against a density that is known, an iteration against naive code, the limits of sigma, the
// samples that it is measured by.
#include "methods/vera.h"

#include <cmath>
#include <map>
#include <numbers>

#include "../io/io_fixture.h"
#include "layers/linear.h"
#include "methods/vera_options.h"
#include "reference/derivatives.h"
#include "reference/losses.h"
#include "reference/random.h"
#include "support/devices.h"
#include "support/recorded.h"
#include "support/tolerance.h"
#include "train/run_folder.h"
#include "train/state.h"

namespace ebm::test {
namespace {

using Rows = reference::Matrix<double>;
using reference::NetworkSpec;

Rows part(const Rows& all, int64_t step, int64_t steps) {
  const int64_t count = all.rows / steps;
  Rows rows(count, all.cols);
  for (int64_t i = 0; i < count; ++i) rows.set_row(i, all.row(step * count + i));
  return rows;
}

Rows side_by_side(const Rows& a, const Rows& b) {
  Rows both(a.rows, a.cols + b.cols);
  for (int64_t i = 0; i < a.rows; ++i) {
    std::vector<double> row = a.row(i);
    const std::vector<double> second = b.row(i);
    row.insert(row.end(), second.begin(), second.end());
    both.set_row(i, row);
  }
  return both;
}

/// Batches as they are recorded, one after the other in one draw.
class VeraTest : public IoTest, public testing::WithParamInterface<std::string> {
 protected:
  VeraTest() : kernels_(open_device(GetParam())), noise_(*kernels_) {}

  void draw(const VeraOptions& options, int64_t d, int64_t range) {
    const int64_t batch = options.training.batch, rows = batch * options.training.energy_steps;
    const auto add = [&](const char* name, int64_t count, int64_t columns) {
      draws_[name] = reference::rounded_to_float(random_.matrix(count, columns));
      noise_.record(name, draws_[name]);
    };
    add("x", rows, range);
    add("z", rows, d);
    add("noise", rows, range);
    add("importance", options.importance_samples * batch, d);
    add("posterior", batch, d);
  }
  void make(const VeraOptions& options, const NetworkSpec& energy, const NetworkSpec& g, int64_t d,
            int64_t range) {
    data_ = std::make_unique<RecordedData>(*kernels_, draws_["x"]);
    vera_ = std::make_unique<Vera>(*kernels_,
                                   NetworkMakers{.energy = [=] { return layers_of(energy, flat(range)); },
                                                 .generator = [=] { return layers_of(g, flat(d)); }},
                                   *data_, options, &noise_);
    vera_->initialize();
  }
  std::vector<double> parameters(const std::string& learner) {
    const Parameters& p = vera_->learner(learner).network().parameters();
    const std::vector<float> values = gather(*kernels_, p.trainable(), p.values());
    return {values.begin(), values.end()};
  }
  void set_parameters(const std::string& learner, const std::vector<double>& values) {
    const Parameters& p = vera_->learner(learner).network().parameters();
    scatter(*kernels_, p.trainable(), p.values(), values);
  }
  std::vector<float> gradient(const std::string& learner) {
    return gradients(*kernels_, vera_->learner(learner).network());
  }
  double number(const std::string& name) {
    const std::vector<Numbers::Entry>& entries = vera_->numbers().entries();
    const std::vector<float> numbers = vera_->numbers().download().numbers;
    for (size_t i = 0; i < entries.size(); ++i)
      if (entries[i].name == name) return numbers[i];
    ADD_FAILURE() << "no number " << name;
    return 0;
  }

  std::unique_ptr<Kernels> kernels_;
  reference::Random random_{11};
  std::map<std::string, Rows> draws_;
  RecordedNoise noise_;
  std::unique_ptr<RecordedData> data_;
  std::unique_ptr<Vera> vera_;
};

/// The x of which the share p of N(0, 1) is below.
double quantile(double p) {
  double low = -10, high = 10;
  for (int i = 0; i < 80; ++i) {
    const double middle = (low + high) / 2;
    (std::erfc(-middle / std::numbers::sqrt2) / 2 < p ? low : high) = middle;
  }
  return low;
}

/// x~ = w h + b + sigma eps is distributed as N(b, S), S = w w^T + sigma^2 I, whose -grad log density is
/// S^-1 (x - b). Importance samples that stand at N(0, 1)'s quantiles make the mean over them an integral.
TEST_P(VeraTest, TheScoreOfAGaussianModelIsThatOfItsDensity) {
  constexpr int64_t batch = 5, range = 3, points = 1000;
  VeraOptions options;
  options.training.batch = batch;
  options.training.lr_generator = 0;
  options.importance_samples = points;
  options.sigma_min = options.sigma_max = 0.25;
  draw(options, 1, range);
  Rows eta(points * batch, 1);
  for (int64_t k = 0; k < points; ++k)
    for (int64_t b = 0; b < batch; ++b)
      eta(k * batch + b, 0) = quantile((static_cast<double>(k) + 0.5) / static_cast<double>(points));
  noise_.record("importance", eta);
  const NetworkSpec linear{reference::LayerSpec::linear(1, range)};
  make(options, {reference::LayerSpec::linear(range, 1)}, linear, 1, range);
  const std::vector<double> w{0.5, -0.25, 0.75}, b{0.125, 1, -0.5};
  const double logsigma = static_cast<float>(std::log(0.25));
  set_parameters("generator", {logsigma, w[0], w[1], w[2], b[0], b[1], b[2]});
  set_parameters("posterior", {0});
  vera_->iterate();

  // S^-1 r = (r - w <w, r> / (sigma^2 + <w, w>)) / sigma^2
  const double variance = std::exp(2 * logsigma), ww = reference::dot(w, w);
  const std::vector<float> samples = download(*kernels_, vera_->samples());
  std::vector<double> score;
  for (int64_t i = 0; i < batch; ++i) {
    std::vector<double> r;
    for (int64_t j = 0; j < range; ++j)
      r.push_back(double{samples[static_cast<size_t>(i * range + j)]} - b[static_cast<size_t>(j)]);
    const double along = reference::dot(w, r) / (variance + ww);
    for (int64_t j = 0; j < range; ++j)
      score.push_back((r[static_cast<size_t>(j)] - w[static_cast<size_t>(j)] * along) / variance);
  }
  const Tolerance tolerance{.factor = 1 << 9, .reason = "an integral of 1000 points"};
  EXPECT_TRUE(close(download(*kernels_, vera_->score()), score, tolerance));
  EXPECT_GT(number("effective_samples"), 50);
}

/// Energy steps have draws of their own; the other two steps take those of the last, and the networks as the
/// step before left them.
TEST_P(VeraTest, AnIterationIsThatOfNaiveCode) {
  for (const int64_t steps : {1, 2}) {
    SCOPED_TRACE(std::to_string(steps) + " energy steps");
    constexpr int64_t batch = 6, d = 2, range = 3, points = 3;
    VeraOptions options;
    options.training.batch = batch;
    options.training.energy_steps = steps;
    options.training.lr_energy = options.training.lr_generator = options.lr_posterior = 0.01;
    options.importance_samples = points;
    options.penalty_weight = 0.6;
    options.entropy_weight = 0.7;
    options.sigma_max = 2;
    draw(options, d, range);
    const NetworkSpec g_spec = reference::table6_generator(d, 5, range);
    const NetworkSpec noisy_spec{reference::LayerSpec::noisy_output(d, g_spec)};
    reference::Network energy = reference::random_network(reference::table6_energy(range, 4), {}, 21),
                       noisy = reference::random_network(noisy_spec, reference::Statistics::batch, 22);
    noisy.parameters[0] = -1;
    make(options, energy.layers, g_spec, d, range);
    load(*kernels_, vera_->energy(), energy);
    load(*kernels_, vera_->generator(), noisy);
    const std::vector<double> log_s = reference::rounded_to_float(std::vector<double>{-1.5, -0.75});
    set_parameters("posterior", log_s);
    vera_->iterate();

    const auto g_of = [&](const std::vector<double>& all) {
      return reference::Network{.layers = g_spec,
                                .parameters = {all.begin() + 1, all.end()},
                                .running = noisy.running,
                                .statistics = reference::Statistics::batch};
    };
    const Rows x = part(draws_["x"], 0, steps), h = part(draws_["z"], steps - 1, steps),
               eps = part(draws_["noise"], steps - 1, steps);
    const Rows inputs = side_by_side(h, eps), samples = noisy(inputs);
    const Tolerance tolerance{.factor = 1 << 6, .reason = "x~ - g(h_k) is of size sigma", .terms = 1};
    EXPECT_TRUE(close(download(*kernels_, vera_->samples()), samples.values, tolerance));
    if (steps == 1) {
      const double real = reference::mean(energy(x).values), fake = reference::mean(energy(samples).values);
      const Rows ones(batch, 1, std::vector<double>(batch, 1.0));
      const Rows slope = reference::vjp(energy, x, energy.parameters, ones).x_bar;
      const double penalty = reference::inner(slope, slope) / batch;
      EXPECT_TRUE(close(static_cast<float>(number("energy_real")), real, tolerance));
      EXPECT_TRUE(close(static_cast<float>(number("energy_fake")), fake, tolerance));
      EXPECT_TRUE(close(static_cast<float>(number("penalty")), penalty, tolerance));
      EXPECT_TRUE(close(static_cast<float>(number("loss_energy")), real - fake + 0.3 * penalty, tolerance));
    }

    energy.parameters = parameters("energy");
    std::vector<double> score, entropies, effective;
    Rows h_k(points * batch, d), means(points * batch, range);
    for (int64_t k = 0; k < points; ++k) {
      Rows own(batch, d);
      for (int64_t b = 0; b < batch; ++b)
        for (int64_t j = 0; j < d; ++j)
          own(b, j) =
              h(b, j) + std::exp(log_s[static_cast<size_t>(j)]) * draws_["importance"](k * batch + b, j);
      const Rows mean = g_of(noisy.parameters)(own);
      for (int64_t b = 0; b < batch; ++b) {
        h_k.set_row(k * batch + b, own.row(b));
        means.set_row(k * batch + b, mean.row(b));
      }
    }
    for (int64_t b = 0; b < batch; ++b) {
      Rows own_h(points, d), own_means(points, range);
      for (int64_t k = 0; k < points; ++k) {
        own_h.set_row(k, h_k.row(k * batch + b));
        own_means.set_row(k, means.row(k * batch + b));
      }
      const reference::Importance found =
          reference::importance(samples.row(b), noisy.parameters[0], h.row(b), log_s, own_h, own_means);
      score.insert(score.end(), found.score.begin(), found.score.end());
      entropies.push_back(found.entropy);
      effective.push_back(found.effective);
    }
    EXPECT_TRUE(close(download(*kernels_, vera_->score()), score, tolerance));
    EXPECT_TRUE(close(static_cast<float>(number("entropy")), reference::mean(entropies), tolerance));
    EXPECT_TRUE(
        close(static_cast<float>(number("effective_samples")), reference::mean(effective), tolerance));
    EXPECT_TRUE(close(static_cast<float>(number("sigma")), std::exp(-1.0), tolerance));
    EXPECT_TRUE(close(static_cast<float>(number("loss_generator")),
                      reference::mean(energy(samples).values) - 0.7 * reference::mean(entropies), tolerance));

    const Rows shares(batch, 1, std::vector<double>(batch, 1.0 / batch));
    Rows cotangents = reference::vjp(energy, samples, energy.parameters, shares).x_bar;
    for (size_t i = 0; i < score.size(); ++i) cotangents.values[i] -= 0.7 / batch * score[i];
    expect_close(vera_->generator().parameters().trainable(), gradient("generator"),
                 reference::vjp(noisy, inputs, noisy.parameters, cotangents).w_bar, tolerance);

    const std::vector<double> updated = parameters("generator");
    EXPECT_NE(updated, noisy.parameters);
    const auto loss = [&](const auto& values) {
      using T = typename std::decay_t<decltype(values)>::value_type;
      const auto g = [&](const auto& rows) {
        const reference::Network network = g_of(updated);
        return network(rows, reference::lift<T>(network.parameters));
      };
      return reference::posterior_loss(g, samples, updated[0], h, draws_["posterior"], values);
    };
    EXPECT_TRUE(close(static_cast<float>(number("loss_posterior")), loss(log_s), tolerance));
    EXPECT_TRUE(close(gradient("posterior"), reference::gradient(loss, log_s), tolerance));
    EXPECT_NE(parameters("posterior"), log_s);
  }
}

/// Steps of 0.5 in log sigma; the average is of the numbers that were kept.
TEST_P(VeraTest, SigmaStaysWithinItsLimits) {
  VeraOptions options;
  options.training.batch = 4;
  options.training.lr_generator = 0.5;
  options.training.optimiser.ema = 0.5;
  options.entropy_weight = 1;
  options.sigma_min = 0.2;
  options.sigma_max = 0.21;
  draw(options, 2, 2);
  make(options, reference::table6_energy(2, 4), reference::table6_generator(2, 5, 2), 2, 2);
  EXPECT_EQ(parameters("generator")[0], static_cast<float>(std::log(0.2))) << "the start";
  for (int iteration = 0; iteration < 4; ++iteration) {
    vera_->iterate();
    const double logsigma = parameters("generator")[0];
    EXPECT_TRUE(logsigma == static_cast<float>(std::log(0.2)) ||
                logsigma == static_cast<float>(std::log(0.21)))
        << logsigma;
    const Learner& generator = vera_->learner("generator");
    const float average = download(*kernels_, generator.average()->parameters().values()).at(0);
    EXPECT_GE(average, static_cast<float>(std::log(0.2)));
    EXPECT_LE(average, static_cast<float>(std::log(0.21)));
  }
}

/// Its samples are g's means, which a plain generator makes of a checkpoint's arrays.
TEST_P(VeraTest, SamplesAreMeansOfTheCheckpointsGenerator) {
  constexpr int64_t d = 2, range = 3, count = 7;
  VeraOptions options;
  options.training.batch = 4;
  options.sigma_min = options.sigma_max = 0.3;
  draw(options, d, range);
  const NetworkSpec g = reference::table6_generator(d, 5, range);
  make(options, reference::table6_energy(range, 4), g, d, range);
  for (int iteration = 0; iteration < 2; ++iteration) vera_->iterate();

  const RunFolder folder(*this / "run");
  folder.save(*vera_, {.iteration = 2}, 1);
  Network plain(*kernels_, layers_of(g, flat(d)));
  read_network(open_checkpoint(folder.checkpoint(2)), *kernels_, plain,
               choose_vera(NetworkKind::toy, Preset::paper)->generator_arrays());
  const std::vector<float> latents = reference::to_float(random_.normals(count * d));
  const auto sampler = vera_->sampler(4);
  EXPECT_EQ(sampler->latent(), flat(d));
  EXPECT_EQ(sampler->output(), flat(range));
  EXPECT_EQ(sampler->samples(latents), NetworkSampler(*kernels_, plain, 4).samples(latents));

  const std::vector<NamedSampler> samplers = vera_->samplers(4);
  ASSERT_EQ(samplers.size(), 2u);
  EXPECT_EQ(samplers[0].named("modes"), "modes");
  EXPECT_EQ(samplers[1].named("modes"), "modes_noisy");
  const std::vector<float> means = samplers[0].sampler->samples(latents),
                           noisy = samplers[1].sampler->samples(latents);
  EXPECT_EQ(means, sampler->samples(latents));
  EXPECT_EQ(noisy, samplers[1].sampler->samples(latents));
  const double sigma = 0.3;
  double squares = 0;
  for (size_t i = 0; i < means.size(); ++i) squares += std::pow((noisy[i] - means[i]) / sigma, 2);
  EXPECT_GT(squares, 7) << "chi^2 with 21 degrees of freedom";
  EXPECT_LT(squares, 45);
  std::vector<double> generator = parameters("generator");
  generator[0] = -60;  // no noise
  set_parameters("generator", generator);
  EXPECT_EQ(samplers[1].sampler->samples(latents), samplers[0].sampler->samples(latents));
}

TEST_P(VeraTest, RefusesWhatMakesNoSense) {
  const auto refused = [&](const VeraOptions& options) {
    draw(options, 2, 2);
    return error_of(
        [&] { make(options, reference::table6_energy(2, 4), reference::table6_generator(2, 5, 2), 2, 2); });
  };
  VeraOptions options;
  options.training.batch = 4;
  EXPECT_EQ(refused(options), "(no Error)");
  options.training.generator_steps = 2;
  EXPECT_HAS(refused(options), "--generator-steps 1");
  options.training.generator_steps = 1;
  options.sigma_min = 0.4;
  EXPECT_HAS(refused(options), "--sigma-min is above --sigma-max");
}

TEST_P(VeraTest, BFloat16RunsAndLearns) {
  VeraOptions options;
  options.training.batch = 4;
  options.training.energy_steps = 2;
  options.training.precision = Precision::bfloat16;
  draw(options, 2, 2);
  make(options, reference::table6_energy(2, 4), reference::table6_generator(2, 5, 2), 2, 2);
  const auto before = parameters("posterior");
  for (int iteration = 0; iteration < 2; ++iteration) vera_->iterate();
  EXPECT_FALSE(vera_->numbers().download().not_finite);
  EXPECT_NE(parameters("posterior"), before);
  for (const char* name : {"loss_energy", "loss_generator", "loss_posterior"})
    EXPECT_TRUE(std::isfinite(number(name))) << name;
}

INSTANTIATE_TEST_SUITE_P(Devices, VeraTest, testing::ValuesIn(devices()));

TEST(VeraOptionsTest, Presets) {
  const VeraOptions toy = vera_options(NetworkKind::toy, Preset::paper),
                    images = vera_options(NetworkKind::dcgan, Preset::paper);
  EXPECT_EQ(toy.training.lr_energy, 2e-4);
  EXPECT_EQ(images.training.lr_generator, 5e-5);
  EXPECT_EQ(toy.entropy_weight, 1e-4);
  EXPECT_EQ(toy.importance_samples, 20);
  const VeraOptions upstream_toy = vera_options(NetworkKind::toy, Preset::code),
                    upstream_images = vera_options(NetworkKind::dcgan, Preset::code);
  EXPECT_EQ(upstream_toy.entropy_weight, 1);
  EXPECT_EQ(upstream_toy.penalty_weight, 0);
  EXPECT_EQ(upstream_toy.lr_posterior, 0.02);
  EXPECT_EQ(upstream_images.training.batch, 40);
  EXPECT_EQ(upstream_images.training.lr_generator, 6e-5);
  EXPECT_FALSE(choose_vera(NetworkKind::toy, Preset::paper)->bounds_entropy());
}

}  // namespace
}  // namespace ebm::test
