// SPDX-License-Identifier: MIT
#include "metrics/toy_density.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

constexpr double spacing = 2 / 2.828, sigma = 0.05 / 2.828;

/// The energy of a Gaussian of the given deviation around (0.5, -1), shifted by `offset`.
std::vector<float> gaussian_energies(const std::vector<float>& points, double deviation, double offset) {
  std::vector<float> energies;
  for (size_t i = 0; i < points.size(); i += 2) {
    const double dx = points[i] - 0.5, dy = points[i + 1] + 1;
    energies.push_back(static_cast<float>((dx * dx + dy * dy) / (2 * deviation * deviation) + offset));
  }
  return energies;
}

/// 25 modes, `each` points a mode at distance `distance` sigma.
std::vector<float> around_modes(int64_t each, double distance) {
  std::vector<float> points;
  for (int64_t mode = 0; mode < 25; ++mode) {
    for (int64_t k = 0; k < each; ++k) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(each);
      points.push_back(static_cast<float>(spacing * static_cast<double>(mode / 5 - 2) +
                                          distance * sigma * std::cos(angle)));
      points.push_back(static_cast<float>(spacing * static_cast<double>(mode % 5 - 2) +
                                          distance * sigma * std::sin(angle)));
    }
  }
  return points;
}

TEST(ToyDensityTest, TheGridIsTheCellsCentres) {
  EXPECT_EQ(plane_grid(2), (std::vector<float>{-2, -2, 2, -2, -2, 2, 2, 2}));
  const std::vector<float> grid = plane_grid(3);
  EXPECT_TRUE(close(std::span<const float>(grid).subspan(0, 4),
                    std::vector<double>{-8.0 / 3, -8.0 / 3, 0, -8.0 / 3}));
}

TEST(ToyDensityTest, TheNormaliserOfAGaussianAndItsLikelihood) {
  const double deviation = 0.3, offset = 200;  // exp(-200) alone would vanish
  const std::vector<float> energies = gaussian_energies(plane_grid(201), deviation, offset);
  const double log_z = log_normaliser(energies, 201);
  const double expected = std::log(2 * std::numbers::pi * deviation * deviation) - offset;
  EXPECT_TRUE(close(log_z, expected, {1e7, "energies are float32, near 200: 1e-8 each"}));

  reference::Random random{3};
  std::vector<float> points;
  for (int i = 0; i < 500; ++i) {
    points.push_back(static_cast<float>(0.5 + deviation * random.normals(1)[0]));
    points.push_back(static_cast<float>(-1 + deviation * random.normals(1)[0]));
  }
  const std::vector<float> on_points = gaussian_energies(points, deviation, offset);
  double mean = 0;
  for (size_t i = 0; i < points.size(); i += 2) {
    mean += (std::pow(points[i] - 0.5, 2) + std::pow(points[i + 1] + 1.0, 2)) / 500;
  }
  EXPECT_NEAR(mean_log_likelihood(on_points, log_z),
              -mean / (2 * deviation * deviation) - std::log(2 * std::numbers::pi * deviation * deviation),
              1e-4);

  double mass = 0;
  const double area = std::pow(8.0 / 201, 2);
  for (const float log_p : cell_log_densities(energies, log_z)) mass += std::exp(log_p) * area;
  EXPECT_NEAR(mass, 1, 1e-5);
}

/// By a rule of its own: Simpson's along the curve, or the sum over the modes.
double density_at(ToyDataset dataset, double a, double b) {
  const auto gauss = [&](double x, double y, double s) {
    return std::exp(-((a - x) * (a - x) + (b - y) * (b - y)) / (2 * s * s)) / (2 * std::numbers::pi * s * s);
  };
  if (dataset == ToyDataset::gaussians25) {
    double sum = 0;
    for (int i = -2; i <= 2; ++i)
      for (int j = -2; j <= 2; ++j) sum += gauss(spacing * i, spacing * j, sigma) / 25;
    return sum;
  }
  const auto on_curve = [&](double u) {
    const double t = 1.5 * std::numbers::pi * (1 + 2 * u), angle = std::numbers::pi * u;
    if (dataset == ToyDataset::swiss_roll) return gauss(t * std::cos(t) / 5, t * std::sin(t) / 5, 0.2);
    return (gauss(std::cos(angle), std::sin(angle), 0.1) +
            gauss(1 - std::cos(angle), 0.5 - std::sin(angle), 0.1)) /
           2;
  };
  constexpr int n = 2000;
  double sum = on_curve(0) + on_curve(1);
  for (int i = 1; i < n; ++i) sum += (i % 2 == 1 ? 4 : 2) * on_curve(static_cast<double>(i) / n);
  return sum / (3 * n);
}

TEST(ToyDensityTest, TheDensitiesOfTheDataSets) {
  reference::Random random{5};
  for (const ToyDataset dataset : {ToyDataset::gaussians25, ToyDataset::swiss_roll, ToyDataset::two_moons}) {
    // points that lie where there are data, among others
    std::vector<float> points{0.02f, -0.01f, 0.7f, 0.72f, -1.0f, 0.3f, 1.1f, 0.4f, 2.2f, 0.1f};
    double sum = 0;
    for (size_t i = 0; i < points.size(); i += 2) {
      const double p = density_at(dataset, points[i], points[i + 1]);
      if (p < 1e-200) {
        points.erase(points.begin() + static_cast<std::ptrdiff_t>(i),
                     points.begin() + static_cast<std::ptrdiff_t>(i) + 2);
        i -= 2;
        continue;
      }
      sum += std::log(p);
    }
    ASSERT_GE(points.size(), 4u);
    EXPECT_NEAR(mean_log_density(dataset, points), sum / (static_cast<double>(points.size()) / 2), 2e-3);
  }
}

TEST(ToyDensityTest, LogMeanExpOfLargeEnergies) {
  EXPECT_NEAR(log_mean_exp(std::vector<float>{-1000, -1001}), 1001 + std::log((1 + std::exp(-1.0)) / 2),
              1e-9);
}

TEST(ToyDensityTest, TemperatureFlattensTheCells) {
  const std::vector<float> energies{0, 1, 3, 300};
  for (const double temperature : {1.0, 0.1}) {
    const std::vector<float> p = cell_probabilities(energies, temperature);
    double sum = 0;
    for (const float x : p) sum += x;
    EXPECT_NEAR(sum, 1, 1e-6);
    EXPECT_TRUE(close(p[0] / p[2], std::exp(3 * temperature)));
  }
}

TEST(ToyDensityTest, TheGaussiansOwnDensity) {
  // On the centres one mode alone counts: 1 / (25 2 pi sigma^2), times exp(-k^2 / 2) at k sigma.
  const double top = -std::log(25 * 2 * std::numbers::pi * sigma * sigma);
  EXPECT_NEAR(mean_log_density(ToyDataset::gaussians25, around_modes(1, 0)), top, 1e-4);
  EXPECT_NEAR(mean_log_density(ToyDataset::gaussians25, around_modes(4, 3)), top - 4.5, 1e-3);
}

TEST(ToyDensityTest, CoverageCountsModesAndNearPoints) {
  ModeCoverage all = gaussians25_coverage(around_modes(3, 3.9));
  EXPECT_EQ(all.modes, 25);
  EXPECT_EQ(all.high_quality, 1);
  EXPECT_EQ(gaussians25_coverage(around_modes(3, 4.1)).modes, 0);

  std::vector<float> some = around_modes(1, 1);
  some.resize(2 * 7);                       // seven modes
  some.insert(some.end(), {0.35f, 0.35f});  // between modes
  const ModeCoverage few = gaussians25_coverage(some);
  EXPECT_EQ(few.modes, 7);
  EXPECT_EQ(few.high_quality, 7.0 / 8);
}

}  // namespace
}  // namespace ebm::test
