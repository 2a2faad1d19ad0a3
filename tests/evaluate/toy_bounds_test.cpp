// SPDX-License-Identifier: MIT
// The sandwich around the likelihood of small networks, against the oracle's networks, Jacobians and plain sums.
#include "evaluate/toy_bounds.h"

#include <gtest/gtest.h>

#include <cmath>

#include "../io/io_fixture.h"
#include "metrics/neighbour_entropy.h"
#include "metrics/toy_density.h"
#include "models/toy.h"
#include "reference/bounds.h"
#include "reference/derivatives.h"
#include "reference/linalg.h"
#include "reference/random.h"
#include "sampling/latent_points.h"
#include "support/devices.h"
#include "support/networks.h"

namespace ebm::test {
namespace {

using reference::LayerSpec;
using reference::Statistics;

class ToyBoundsTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int64_t points = 200, grid = 30;
  std::unique_ptr<Kernels> kernels_ = open_device(GetParam());
  reference::Network energy_ = reference::random_network(
      {LayerSpec::linear(2, 9), LayerSpec::prelu(), LayerSpec::linear(9, 1)}, Statistics::running, 5);
  reference::Network generator_ = reference::random_network(
      {LayerSpec::linear(2, 7), LayerSpec::batch_norm(7), LayerSpec::prelu(), LayerSpec::linear(7, 2)},
      Statistics::running, 6);
};

TEST_P(ToyBoundsTest, AreTheOracles) {
  Network energy(*kernels_, layers_of(energy_.layers, flat(2))),
      generator(*kernels_, layers_of(generator_.layers, flat(2)));
  load(*kernels_, energy, energy_);
  load(*kernels_, generator, generator_);
  reference::Random random{17};
  const std::vector<float> data = reference::to_float(random.normals(2 * 41));
  int64_t told = 0;
  const ToyBounds found = toy_bounds(*kernels_, energy, generator, data,
                                     {.grid = grid, .points = points - 3, .weight = 0.25, .seed = 9},
                                     [&](int64_t done) { told = done; });
  EXPECT_EQ(told, points);

  const auto mean_energy = [&](const std::vector<float>& at) {
    const std::vector<double> values(at.begin(), at.end());
    double sum = 0;
    for (const double e : energy_(reference::Matrix<double>(std::ssize(at) / 2, 2, values)).values) sum += e;
    return sum / (static_cast<double>(at.size()) / 2);
  };
  const std::vector<float> cells = plane_grid(grid);
  const std::vector<double> on_plane(cells.begin(), cells.end());
  double z_sum = 0;
  for (const double e : energy_(reference::Matrix<double>(grid * grid, 2, on_plane)).values)
    z_sum += std::exp(-e) * std::pow(8.0 / grid, 2);
  EXPECT_NEAR(found.log_z, std::log(z_sum), 1e-5);
  EXPECT_NEAR(found.nll, mean_energy(data) + std::log(z_sum), 1e-5);

  const std::vector<float> latents = latent_points(*kernels_, 9, 5, points, flat(2));
  std::vector<float> samples;
  double log_det = 0, log_s1 = 0, residual = 0;
  for (int64_t i = 0; i < points; ++i) {
    const std::vector<double> z(latents.begin() + 2 * i, latents.begin() + 2 * i + 2);
    const reference::Matrix<double> j = reference::jacobian(generator_, z, generator_.parameters);
    const std::vector<double> x = generator_(reference::Matrix<double>(1, 2, z)).values;
    const reference::Matrix<double> gradient = reference::jacobian(energy_, x, energy_.parameters);
    for (int64_t k = 0; k < 2; ++k) {
      samples.push_back(static_cast<float>(x[static_cast<size_t>(k)]));
      const double of_z = gradient(0, 0) * j(0, k) + gradient(0, 1) * j(1, k);
      residual += std::pow(of_z - z[static_cast<size_t>(k)], 2) / points;
    }
    log_det += std::log(std::abs(j(0, 0) * j(1, 1) - j(0, 1) * j(1, 0))) / points;
    log_s1 += std::log(reference::svd(j).values.front()) / points;
  }
  const double entropy_z = std::log(2 * 3.14159265358979 * std::exp(1.0));
  EXPECT_NEAR(found.entropy, entropy_z + log_det, 1e-4);
  const double without = mean_energy(data) - mean_energy(samples);
  EXPECT_NEAR(found.lower, without + entropy_z + log_det, 1e-4);
  EXPECT_NEAR(found.lower_s1, without + entropy_z + 2 * log_s1, 1e-4);
  EXPECT_NEAR(found.upper - found.lower, 0.25 * residual / 2, 1e-4 * (1 + residual));
  EXPECT_LT(found.lower_s1, found.lower);
  EXPECT_LT(found.importance, found.nll + 1);
  EXPECT_NEAR(found.entropy_neighbours, neighbour_entropy(samples), 1e-3);
}

/// A flow has a score of its own: a = z + grad_z log |det J|.
TEST_P(ToyBoundsTest, OfAFlow) {
  const auto coupling = [] {
    return LayerSpec::coupling(1, 2, {LayerSpec::linear(1, 5), LayerSpec::tanh(), LayerSpec::linear(5, 8)});
  };
  const reference::Network flow = reference::random_network({coupling(), coupling()}, Statistics::running, 8);
  Network energy(*kernels_, layers_of(energy_.layers, flat(2))), generator(*kernels_, toy_flow(5, 2, 2));
  load(*kernels_, energy, energy_);
  load(*kernels_, generator, flow);
  const ToyBounds found =
      toy_bounds(*kernels_, energy, generator, ToyNormaliser{.log_z = 0.5, .mean_energy = 0.25},
                 {.points = points, .weight = 0.25, .seed = 9}, [](int64_t) {});
  EXPECT_EQ(found.nll, 0.75);
  const std::vector<float> latents = latent_points(*kernels_, 9, 5, points, flat(2));
  double residual = 0, weights = 0;
  for (int64_t i = 0; i < points; ++i) {
    const std::vector<double> z(latents.begin() + 2 * i, latents.begin() + 2 * i + 2);
    const std::vector<double> x = flow(reference::Matrix<double>(1, 2, z)).values;
    const reference::Matrix<double> j = reference::jacobian(flow, z, flow.parameters),
                                    slope = reference::jacobian(energy_, x, energy_.parameters);
    for (size_t k = 0; k < 2; ++k) {
      constexpr double h = 1e-5;
      std::vector<double> up = z, down = z;
      up[k] += h;
      down[k] -= h;
      const double bend = (reference::half_log_det(flow, up, flow.parameters) -
                           reference::half_log_det(flow, down, flow.parameters)) /
                          (2 * h);
      const auto at = static_cast<int64_t>(k);
      residual += std::pow(slope(0, 0) * j(0, at) + slope(0, 1) * j(1, at) - z[k] - bend, 2) / points;
    }
    const double e = energy_(reference::Matrix<double>(1, 2, x)).values[0];
    weights +=
        std::exp(-e + (z[0] * z[0] + z[1] * z[1]) / 2 + reference::half_log_det(flow, z, flow.parameters)) *
        2 * 3.14159265358979 / points;
  }
  EXPECT_NEAR(found.upper - found.lower, 0.25 * residual / 2, 1e-3 * (1 + residual));
  EXPECT_NEAR(found.importance, 0.25 + std::log(weights), 1e-4);
}

TEST_P(ToyBoundsTest, OtherDimensionsAreRefused) {
  Network energy(*kernels_, layers_of(energy_.layers, flat(2)));
  Network wide(*kernels_, layers_of({LayerSpec::linear(3, 2)}, flat(3)));
  EXPECT_HAS(error_of([&] {
               (void)toy_bounds(*kernels_, energy, wide, std::vector<float>{0, 0}, {}, [](int64_t) {});
             }),
             "not of z of 1x1x3 and points of 1x1x2");
}

INSTANTIATE_TEST_SUITE_P(Devices, ToyBoundsTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
