// SPDX-License-Identifier: MIT
#include "metrics/toy_density.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace ebm {

namespace {

constexpr int64_t mode_count = 25;
constexpr double sigma = gaussians25_deviation / gaussians25_scale;

/// Squared distances of (x, y) from the 25 centres.
std::array<double, mode_count> squared_distances(double x, double y) {
  std::array<double, mode_count> squared;
  for (int64_t mode = 0; mode < mode_count; ++mode) {
    const double dx = x - gaussians25_centre(mode / 5), dy = y - gaussians25_centre(mode % 5);
    squared[static_cast<size_t>(mode)] = dx * dx + dy * dy;
  }
  return squared;
}

double count_of(std::span<const float> points) {
  const size_t count = points.size() / 2;
  return static_cast<double>(count);
}

/// log sum_i exp(x_i), x_i = f(i).
template <class F>
double log_sum_exp(size_t n, F f) {
  double top = f(size_t{0});
  for (size_t i = 1; i < n; ++i) top = std::max(top, f(i));
  double sum = 0;
  for (size_t i = 0; i < n; ++i) sum += std::exp(f(i) - top);
  return top + std::log(sum);
}

}  // namespace

std::vector<float> plane_grid(int64_t n) {
  const double h = (plane_hi - plane_lo) / static_cast<double>(n);
  const auto centre = [h](int64_t i) {
    return static_cast<float>(plane_lo + (static_cast<double>(i) + 0.5) * h);
  };
  std::vector<float> points;
  points.reserve(static_cast<size_t>(2 * n * n));
  for (int64_t row = 0; row < n; ++row) {
    for (int64_t column = 0; column < n; ++column) {
      points.push_back(centre(column));
      points.push_back(centre(row));
    }
  }
  return points;
}

double log_normaliser(std::span<const float> energies, int64_t n) {
  const double h = (plane_hi - plane_lo) / static_cast<double>(n);
  return log_sum_exp(energies.size(), [&](size_t i) { return -static_cast<double>(energies[i]); }) +
         2 * std::log(h);
}

double log_mean_exp(std::span<const float> energies) {
  return log_sum_exp(energies.size(), [&](size_t i) { return -static_cast<double>(energies[i]); }) -
         std::log(static_cast<double>(energies.size()));
}

double mean_log_likelihood(std::span<const float> energies, double log_z) {
  double sum = 0;
  for (const float energy : energies) sum -= static_cast<double>(energy);
  return sum / static_cast<double>(energies.size()) - log_z;
}

std::vector<float> cell_probabilities(std::span<const float> energies, double temperature) {
  const auto exponent = [&](size_t i) { return -temperature * static_cast<double>(energies[i]); };
  const double log_sum = log_sum_exp(energies.size(), exponent);
  std::vector<float> p(energies.size());
  for (size_t i = 0; i < p.size(); ++i) p[i] = static_cast<float>(std::exp(exponent(i) - log_sum));
  return p;
}

std::vector<float> cell_log_densities(std::span<const float> energies, double log_z) {
  std::vector<float> log_p(energies.size());
  for (size_t i = 0; i < log_p.size(); ++i) {
    log_p[i] = static_cast<float>(-static_cast<double>(energies[i]) - log_z);
  }
  return log_p;
}

namespace {

std::vector<double> log_densities(ToyDataset dataset, std::span<const float> points) {
  const ToyDensity density{dataset};
  std::vector<double> log_p;
  for (size_t i = 0; i + 1 < points.size(); i += 2) {
    double p = 0;
    for (int64_t node = 0; node < density.nodes(); ++node) p += density.part(node, points[i], points[i + 1]);
    log_p.push_back(std::log(std::max(p, std::numeric_limits<double>::min())));
  }
  return log_p;
}

}  // namespace

double mean_log_density(ToyDataset dataset, std::span<const float> points) {
  double sum = 0;
  for (const double log_p : log_densities(dataset, points)) sum += log_p;
  return sum / count_of(points);
}

std::vector<float> true_log_densities(ToyDataset dataset, int64_t n) {
  const std::vector<double> log_p = log_densities(dataset, plane_grid(n));
  return {log_p.begin(), log_p.end()};
}

ModeCoverage gaussians25_coverage(std::span<const float> points) {
  std::array<bool, mode_count> hit{};
  int64_t near = 0;
  for (size_t i = 0; i + 1 < points.size(); i += 2) {
    const auto squared = squared_distances(points[i], points[i + 1]);
    const auto nearest = std::min_element(squared.begin(), squared.end());
    if (*nearest <= 16 * sigma * sigma) {
      ++near;
      hit[static_cast<size_t>(nearest - squared.begin())] = true;
    }
  }
  return {std::count(hit.begin(), hit.end(), true), static_cast<double>(near) / count_of(points)};
}

}  // namespace ebm
