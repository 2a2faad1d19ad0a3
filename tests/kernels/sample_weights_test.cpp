// SPDX-License-Identifier: MIT
// log Z by importance sampling, and the density of samples: kernels/formulas/sample_weights.h.
#include <numbers>

#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

struct Weighed {
  std::vector<float> cotangent;
  float log_z, effective;
};

class SampleWeightsTest : public KernelsTest {
 protected:
  static constexpr int64_t points = 37;

  Weighed run(const std::vector<float>& energy, const std::vector<double>& log_q, int64_t data_rows,
              const std::vector<float>& good = {}) {
    const Buffer<float> e(*kernels_, energy), usable(*kernels_, good), cotangent(*kernels_, points),
        numbers(*kernels_, 2);
    const Buffer<double> q(*kernels_, log_q);
    kernels_->run(SampleWeights{.points = points,
                                .data_rows = data_rows,
                                .energy = e.data(),
                                .log_q = q.data(),
                                .good = good.empty() ? nullptr : usable.data(),
                                .cotangent = cotangent.data(),
                                .log_z = numbers.data(),
                                .effective = numbers.data() + 1});
    const std::vector<float> found = numbers.download();
    return {cotangent.download(), found[0], found[1]};
  }

  /// Energies about `level`, and log densities.
  std::vector<float> energies(double level) {
    std::vector<float> all = normals(points);
    for (float& e : all) e = static_cast<float>(level + 2 * static_cast<double>(e));
    return all;
  }
};

TEST_P(SampleWeightsTest, AreTheLogMeanAndItsGradient) {
  const std::vector<double> log_q = random_.normals(points);
  for (const double level : {0.0, -5000.0, 5000.0}) {
    const std::vector<float> energy = energies(level);
    for (const int64_t data_rows : {int64_t{0}, int64_t{11}}) {
      std::vector<double> w;
      for (size_t i = 0; i < log_q.size(); ++i)
        w.push_back(std::exp(level - static_cast<double>(energy[i]) - log_q[i]));
      double sum = 0, squares = 0;
      for (const double x : w) {
        sum += x;
        squares += x * x;
      }
      std::vector<double> expected;
      for (size_t i = 0; i < w.size(); ++i)
        expected.push_back((static_cast<int64_t>(i) < data_rows ? 1.0 / static_cast<double>(data_rows) : 0) -
                           w[i] / sum);
      const Weighed found = run(energy, log_q, data_rows);
      EXPECT_TRUE(close(found.cotangent, expected));
      EXPECT_TRUE(close(found.log_z, std::log(sum / points) - level));
      EXPECT_TRUE(close(found.effective, sum * sum / squares));
    }
  }
}

TEST_P(SampleWeightsTest, LeaveOutBadPointsAndTellNaN) {
  std::vector<double> log_q = random_.normals(points);
  std::vector<float> energy = energies(1), good(points, 1.0f);
  good[4] = 0;
  energy[4] = std::numeric_limits<float>::quiet_NaN();
  const Weighed found = run(energy, log_q, 0, good);
  EXPECT_EQ(found.cotangent[4], 0);
  double sum = 0;
  for (size_t i = 0; i < log_q.size(); ++i)
    if (i != 4) sum += std::exp(-static_cast<double>(energy[i]) - log_q[i]);
  EXPECT_TRUE(close(found.log_z, std::log(sum / (points - 1))));
  good[4] = 1;
  const Weighed spoiled = run(energy, log_q, 0, good);
  EXPECT_TRUE(std::isnan(spoiled.log_z));
  EXPECT_TRUE(std::isnan(spoiled.cotangent[0]));
}

TEST_P(SampleWeightsTest, TheDensityOfSamplesIsThatOfZByTheDeterminant) {
  for (const int64_t d : {1, 2, 5}) {
    const std::vector<float> z = normals(points * d), log_det = normals(points);
    const Buffer<float> at(*kernels_, z), dets(*kernels_, log_det);
    const Buffer<double> log_q(*kernels_, points);
    kernels_->run(LogSampleDensity{
        .rows = points, .domain = d, .z = at.data(), .log_det = dets.data(), .log_q = log_q.data()});
    const std::vector<double> found = log_q.download();
    for (size_t i = 0; i < found.size(); ++i) {
      double density = std::exp(-static_cast<double>(log_det[i]));
      for (size_t k = 0; k < static_cast<size_t>(d); ++k)
        density *= std::exp(-std::pow(static_cast<double>(z[i * static_cast<size_t>(d) + k]), 2) / 2) /
                   std::sqrt(2 * std::numbers::pi);
      EXPECT_NEAR(found[i], std::log(density), 1e-12);
    }
  }
}

TEST_P(SampleWeightsTest, WiderLatentsAndTheirMixture) {
  constexpr int64_t d = 2;
  const WideLatents wide{.share = 0.25, .scale = 3};  // 9 of 37 rows
  const std::vector<float> z = normals(points * d);
  const Buffer<float> from(*kernels_, z), widened(*kernels_, points * d),
      dets(*kernels_, std::vector<float>(points));
  kernels_->run(
      WidenLatents{.rows = points, .columns = d, .wide = wide, .z = from.data(), .out = widened.data()});
  const std::vector<float> at = widened.download();
  for (size_t i = 0; i < at.size(); ++i) EXPECT_EQ(at[i], i < 18 ? 3 * z[i] : z[i]);
  const Buffer<double> log_q(*kernels_, points);
  kernels_->run(LogSampleDensity{.rows = points,
                                 .domain = d,
                                 .wide = wide,
                                 .z = widened.data(),
                                 .log_det = dets.data(),
                                 .log_q = log_q.data()});
  const std::vector<double> found = log_q.download();
  for (size_t i = 0; i < found.size(); ++i) {
    const double a = at[2 * i], b = at[2 * i + 1], squared = a * a + b * b;
    const double density = 28.0 / 37 * std::exp(-squared / 2) / (2 * std::numbers::pi) +
                           9.0 / 37 * std::exp(-squared / 18) / (2 * std::numbers::pi * 9);
    EXPECT_NEAR(found[i], std::log(density), 1e-12);
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, SampleWeightsTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
