// SPDX-License-Identifier: MIT
// VERA's importance sampling, entropy and posterior: kernels/formulas/importance.h.
#include "kernels/kernels_fixture.h"
#include "reference/derivatives.h"
#include "reference/losses.h"

namespace ebm::test {
namespace {

using Rows = reference::Matrix<double>;

std::vector<float> floats(const Rows& x) {
  return reference::to_float(x.values);
}

/// B samples with K points each.
struct Points {
  Rows x, h;                  // B x D, B x d
  Rows eta, images;           // K B x d, K B x D
  std::vector<double> log_s;  // d
  double logsigma;

  int64_t samples() const { return x.rows; }
  int64_t count() const { return eta.rows / x.rows; }
  /// The rows of sample b among those of all points.
  Rows of_sample(const Rows& all, int64_t b) const {
    Rows own(count(), all.cols);
    for (int64_t k = 0; k < count(); ++k) own.set_row(k, all.row(k * samples() + b));
    return own;
  }
  Rows points() const {
    Rows all(eta.rows, eta.cols);
    for (int64_t r = 0; r < all.rows; ++r)
      for (int64_t j = 0; j < all.cols; ++j)
        all(r, j) = h(r % h.rows, j) + std::exp(log_s[static_cast<size_t>(j)]) * eta(r, j);
    return all;
  }
  reference::Importance expected(int64_t b) const {
    return reference::importance(x.row(b), logsigma, h.row(b), log_s, of_sample(points(), b),
                                 of_sample(images, b));
  }
};

struct Found {
  std::vector<float> h_k, weights, effective, c, entropy;
};

class ImportanceTest : public KernelsTest {
 protected:
  Rows rows(int64_t count, int64_t columns, double deviation = 1) {
    Rows all = random_.matrix(count, columns);
    for (double& element : all.values) element *= deviation;
    return reference::rounded_to_float(all);
  }
  std::vector<double> log_deviations(int64_t d) {
    std::vector<double> log_s = random_.normals(d);
    for (double& element : log_s) element = std::log(0.1) + 0.3 * element;
    return reference::rounded_to_float(log_s);
  }

  /// Images about as far from x as sigma eps: no weight is nearly 1.
  Points points(int64_t samples, int64_t count, int64_t d, int64_t range) {
    const double sigma = 0.05;
    Points p{.x = rows(samples, range),
             .h = rows(samples, d),
             .eta = rows(count * samples, d),
             .images = rows(count * samples, range, sigma / std::sqrt(static_cast<double>(range))),
             .log_s = log_deviations(d),
             .logsigma = static_cast<double>(static_cast<float>(std::log(sigma)))};
    const Rows away = rows(samples, range, sigma);
    for (int64_t r = 0; r < p.images.rows; ++r)
      for (int64_t i = 0; i < range; ++i) p.images(r, i) += p.x(r % samples, i) + away(r % samples, i);
    p.images = reference::rounded_to_float(p.images);
    return p;
  }

  Buffer<float> device(const Rows& x) { return {*kernels_, floats(x)}; }

  Found run(const Points& p) {
    const int64_t samples = p.samples(), count = p.count(), d = p.h.cols, range = p.x.cols;
    const Buffer<float> x = device(p.x), h = device(p.h), eta = device(p.eta), g = device(p.images),
                        log_s(*kernels_, reference::to_float(p.log_s)), h_k(*kernels_, eta.size()),
                        logsigma(*kernels_, std::vector<float>{static_cast<float>(p.logsigma)}),
                        weights(*kernels_, samples * count), effective(*kernels_, samples),
                        c(*kernels_, samples * range), entropy(*kernels_, samples);
    const Buffer<double> log_ratio(*kernels_, samples * count);
    kernels_->run(AddPosteriorNoise{.rows = count * samples,
                                    .columns = d,
                                    .samples = samples,
                                    .h = h.data(),
                                    .eta = eta.data(),
                                    .post_logsigma = log_s.data(),
                                    .out = h_k.data()});
    kernels_->run(ImportanceRatio{.rows = count * samples,
                                  .samples = samples,
                                  .domain = d,
                                  .range = range,
                                  .x = x.data(),
                                  .g = g.data(),
                                  .h = h_k.data(),
                                  .eta = eta.data(),
                                  .logsigma = logsigma.data(),
                                  .log_ratio = log_ratio.data()});
    kernels_->run(ImportanceWeights{.rows = samples,
                                    .points = count,
                                    .log_ratio = log_ratio.data(),
                                    .weight = weights.data(),
                                    .effective = effective.data()});
    kernels_->run(ImportanceScore{.rows = samples,
                                  .range = range,
                                  .points = count,
                                  .x = x.data(),
                                  .g = g.data(),
                                  .weight = weights.data(),
                                  .logsigma = logsigma.data(),
                                  .c = c.data(),
                                  .entropy = entropy.data()});
    return {h_k.download(), weights.download(), effective.download(), c.download(), entropy.download()};
  }
};

TEST_P(ImportanceTest, WeightsAndScoresAreTheFormulas) {
  const int64_t sizes[][4] = {
      {1, 1, 1, 1}, {3, 5, 2, 3}, {5, 33, 8, 12}, {17, 20, 7, 257}, {4, 20, 128, 1000}};
  for (const auto& [samples, count, d, range] : sizes) {
    const Points p = points(samples, count, d, range);
    const Found found = run(p);
    EXPECT_TRUE(close(found.h_k, p.points().values));
    std::vector<double> weights, effective, c, entropy;
    for (int64_t b = 0; b < samples; ++b) {
      const reference::Importance expected = p.expected(b);
      weights.insert(weights.end(), expected.weights.begin(), expected.weights.end());
      c.insert(c.end(), expected.score.begin(), expected.score.end());
      effective.push_back(expected.effective);
      entropy.push_back(expected.entropy);
    }
    const Tolerance rounded{.factor = 10, .reason = "h_k is rounded to float32, of d numbers"};
    EXPECT_TRUE(close(found.weights, weights, rounded)) << samples << " " << count << " " << d;
    EXPECT_TRUE(close(found.effective, effective, rounded));
    EXPECT_TRUE(close(found.c, c, rounded));
    EXPECT_TRUE(close(found.entropy, entropy, rounded));
  }
}

// With g(h) = w h, x has the density N(0, w w^T + sigma^2 I).
TEST_P(ImportanceTest, TheScoreIsThatOfTheDensity) {
  const int64_t samples = 3, count = 2000;
  const double w[] = {1, 0.5}, sigma = 0.5;
  Points p{.x = rows(samples, 2, sigma),
           .h = rows(samples, 1),
           .eta = rows(count * samples, 1),
           .images = Rows(count * samples, 2),
           .log_s = {std::log(0.6)},
           .logsigma = std::log(sigma)};
  const Rows points = p.points();
  for (int64_t i = 0; i < 2; ++i) {
    for (int64_t b = 0; b < samples; ++b) p.x(b, i) += w[i] * p.h(b, 0);
    for (int64_t r = 0; r < points.rows; ++r) p.images(r, i) = w[i] * points(r, 0);
  }
  const Found found = run(p);
  for (int64_t b = 0; b < samples; ++b) {
    const double along = (w[0] * p.x(b, 0) + w[1] * p.x(b, 1)) / (sigma * sigma + w[0] * w[0] + w[1] * w[1]);
    for (int64_t i = 0; i < 2; ++i) {
      const double score = (p.x(b, i) - along * w[i]) / (sigma * sigma);
      EXPECT_NEAR(found.c[static_cast<size_t>(2 * b + i)], score, 0.15);
    }
    EXPECT_GT(found.effective[static_cast<size_t>(b)], count / 10);
  }
}

TEST_P(ImportanceTest, FarPointsAndEqualOnes) {
  Points far = points(3, 5, 2, 17);
  for (double& element : far.images.values) element *= 1e15;  // log ratios of -1e33
  for (int64_t b = 0; b < 3; ++b) far.images.set_row(2 * 3 + b, far.x.row(b));
  const Found nearest = run(far);
  for (size_t i = 0; i < 15; ++i) EXPECT_EQ(nearest.weights[i], i % 5 == 2 ? 1.0f : 0.0f);
  EXPECT_EQ(nearest.effective, (std::vector<float>{1, 1, 1}));
  EXPECT_EQ(nearest.c, std::vector<float>(3 * 17, 0.0f));

  Points equal = points(3, 5, 2, 17);
  for (int64_t r = 3; r < 15; ++r) {
    equal.eta.set_row(r, equal.eta.row(r % 3));
    equal.images.set_row(r, equal.images.row(r % 3));
  }
  const Found same = run(equal);
  EXPECT_EQ(same.weights, std::vector<float>(15, 0.2f));
  EXPECT_TRUE(close(same.effective, std::vector<double>{5, 5, 5}));
}

TEST_P(ImportanceTest, NaNStaysInItsSampleAndIsNotHidden) {
  const Points good = points(3, 5, 2, 17);
  const Found before = run(good);
  for (const int64_t k : {0, 3}) {
    Points bad = good;
    bad.images(k * 3 + 1, 4) = std::nan("");
    const Found found = run(bad);
    for (size_t i = 0; i < 15; ++i) {
      if (i / 5 == 1) {
        EXPECT_TRUE(std::isnan(found.weights[i])) << i;
      } else {
        EXPECT_EQ(found.weights[i], before.weights[i]) << i;
      }
    }
    for (size_t i = 0; i < 3 * 17; ++i) EXPECT_EQ(std::isnan(found.c[i]), i / 17 == 1) << i;
    EXPECT_TRUE(std::isnan(found.effective[1]) && std::isnan(found.entropy[1]));
    EXPECT_EQ(found.entropy[2], before.entropy[2]);
  }
}

TEST_P(ImportanceTest, TheGeneratorsCotangent) {
  for (const int64_t samples : odd_sizes) {
    for (const int64_t range : {3, 8}) {
      const Rows c = rows(samples, range), x_bar = rows(samples, range);
      const Buffer<float> c_on_device = device(c), bar = device(x_bar);
      kernels_->run(EntropyCotangent{.rows = samples,
                                     .columns = range,
                                     .entropy_weight = 0.3f,
                                     .c = c_on_device.data(),
                                     .x_bar = bar.data()});
      std::vector<double> expected = x_bar.values;
      for (size_t i = 0; i < expected.size(); ++i)
        expected[i] -= 0.3 / static_cast<double>(samples) * c.values[i];
      EXPECT_TRUE(close(bar.download(), expected)) << samples << " x " << range;
    }
  }
}

TEST_P(ImportanceTest, TheGeneratorsNumbers) {
  for (const int64_t samples : odd_sizes) {
    Rows columns = rows(3, samples);  // energy, entropy, effective
    const auto objective = [&] {
      const Buffer<float> in = device(columns), numbers(*kernels_, 4);
      const Buffer<float> logsigma(*kernels_, std::vector<float>{-1.5f});
      kernels_->run(VeraGeneratorObjective{.samples = samples,
                                           .entropy_weight = 0.3f,
                                           .energy = in.data(),
                                           .entropy = in.data() + samples,
                                           .effective = in.data() + 2 * samples,
                                           .logsigma = logsigma.data(),
                                           .mean_entropy = numbers.data(),
                                           .mean_effective = numbers.data() + 1,
                                           .loss = numbers.data() + 2,
                                           .sigma = numbers.data() + 3});
      return numbers.download();
    };
    const std::vector<float> found = objective();
    std::vector<double> means;
    for (int64_t i = 0; i < 3; ++i) means.push_back(reference::mean(columns.row(i)));
    for (size_t i = 0; i < 2; ++i) EXPECT_TRUE(close(found[i], means[i + 1])) << samples;
    const Tolerance difference{.reason = "a difference", .terms = std::abs(means[0])};
    EXPECT_TRUE(close(found[2], means[0] - 0.3 * means[1], difference)) << samples;
    EXPECT_TRUE(close(found[3], std::exp(-1.5)));
    columns(1, samples / 2) = std::nan("");
    EXPECT_TRUE(std::isnan(objective()[2]));
  }
}

/// The posterior of B samples with g(h) = h w^T, whose part the test takes.
struct Posterior {
  Rows w, x, h, eta;          // D x d, B x D, B x d
  std::vector<double> log_s;  // d
  double logsigma;

  template <class T>
  reference::Matrix<T> g(const reference::Matrix<T>& points) const {
    return multiply(points, transpose(reference::lift<T>(w)));
  }
  template <class T>
  T loss(const std::vector<T>& at) const {
    const auto images = [&](const auto& points) { return g(points); };
    return reference::posterior_loss(images, x, logsigma, h, eta, at);
  }
};

class PosteriorTest : public ImportanceTest {
 protected:
  Posterior posterior(int64_t samples, int64_t d, int64_t range) {
    Posterior p{.w = random_.matrix(range, d),
                .x = rows(samples, range, 0.3),
                .h = rows(samples, d),
                .eta = rows(samples, d),
                .log_s = log_deviations(d),
                .logsigma = static_cast<double>(std::log(0.3f))};
    p.x.values = reference::combine(1.0, p.x.values, 1.0, p.g(p.h).values);
    p.x = reference::rounded_to_float(p.x);
    return p;
  }

  /// The gradient of post_logsigma and the loss.
  std::pair<std::vector<float>, float> run(const Posterior& p) {
    const int64_t samples = p.x.rows, range = p.x.cols, d = p.h.cols;
    const Buffer<float> log_s(*kernels_, reference::to_float(p.log_s)), log_s_bar(*kernels_, d);
    const Buffer<float> logsigma(*kernels_, std::vector<float>{static_cast<float>(p.logsigma)});
    const Buffer<float> x = device(p.x), h = device(p.h), eta = device(p.eta);
    const Buffer<float> point(*kernels_, samples * d), y_bar(*kernels_, samples * range), loss(*kernels_, 1);
    const Buffer<double> value(*kernels_, samples);
    kernels_->run(AddPosteriorNoise{.rows = samples,
                                    .columns = d,
                                    .samples = samples,
                                    .h = h.data(),
                                    .eta = eta.data(),
                                    .post_logsigma = log_s.data(),
                                    .out = point.data()});
    const Buffer<float> image = device(p.g(Rows(samples, d, point.download())));
    kernels_->run(PosteriorSurprise{.rows = samples,
                                    .domain = d,
                                    .range = range,
                                    .x = x.data(),
                                    .g = image.data(),
                                    .h = point.data(),
                                    .logsigma = logsigma.data(),
                                    .y_bar = y_bar.data(),
                                    .value = value.data()});
    const Buffer<float> h_bar = device(multiply(Rows(samples, range, y_bar.download()), p.w));
    kernels_->run(PosteriorGradient{.rows = samples,
                                    .columns = d,
                                    .h_bar = h_bar.data(),
                                    .h = point.data(),
                                    .eta = eta.data(),
                                    .post_logsigma = log_s.data(),
                                    .post_logsigma_bar = log_s_bar.data()});
    kernels_->run(PosteriorObjective{.samples = samples,
                                     .domain = d,
                                     .value = value.data(),
                                     .post_logsigma = log_s.data(),
                                     .loss = loss.data()});
    return {log_s_bar.download(), loss.download()[0]};
  }
};

TEST_P(PosteriorTest, LossAndGradientAreTheFormulas) {
  const int64_t sizes[][3] = {{1, 1, 1}, {3, 2, 5}, {17, 7, 9}, {16, 8, 12}, {257, 4, 8}, {5, 128, 300}};
  for (const auto& [samples, d, range] : sizes) {
    const Posterior p = posterior(samples, d, range);
    const auto [log_s_bar, loss] = run(p);
    const Tolerance rounded{.factor = 10, .reason = "x - g(h') of float32 numbers, sigma apart"};
    EXPECT_TRUE(close(loss, p.loss(p.log_s), rounded)) << samples << " " << d << " " << range;
    const auto of_log_s = [&](const auto& at) { return p.loss(at); };
    EXPECT_TRUE(close(log_s_bar, reference::gradient(of_log_s, p.log_s), rounded))
        << samples << " " << d << " " << range;
  }
}

TEST_P(PosteriorTest, NaNIsNotHidden) {
  Posterior p = posterior(5, 4, 3);
  p.x(4, 2) = std::nan("");
  const auto [log_s_bar, loss] = run(p);
  EXPECT_TRUE(std::isnan(loss));
  for (const float x : log_s_bar) EXPECT_TRUE(std::isnan(x));
}

INSTANTIATE_TEST_SUITE_P(Devices, ImportanceTest, testing::ValuesIn(devices()));
INSTANTIATE_TEST_SUITE_P(Devices, PosteriorTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
