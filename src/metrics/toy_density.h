// SPDX-License-Identifier: MIT
// Measures of densities and samples in the plane (section 5.2; docs/method.md, "Evaluation"), on the host in
// float64. Points are x0, y0, x1, y1, ...; p(x) = exp(-E(x)) / Z.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "kernels/formulas/toy_data.h"

namespace ebm {

/// The centres of n x n cells of [-4, 4]^2, rows of equal y from the lowest upwards, as HeatMap wants them.
std::vector<float> plane_grid(int64_t n);

/// log Z = log sum_i exp(-E_i) h^2 over the cells of plane_grid(n), h their side.
double log_normaliser(std::span<const float> energies, int64_t n);

/// log mean_i exp(-E_i).
double log_mean_exp(std::span<const float> energies);

/// mean_i log p(x_i) = -mean E - log Z.
double mean_log_likelihood(std::span<const float> energies, double log_z);

/// exp(-temperature E_i) over the cells, divided by their sum: the paper's picture of p has temperature 0.1.
std::vector<float> cell_probabilities(std::span<const float> energies, double temperature);

/// log p at each cell's centre.
std::vector<float> cell_log_densities(std::span<const float> energies, double log_z);

/// mean_i log p(x_i), p the density of the data set.
double mean_log_density(ToyDataset dataset, std::span<const float> points);

/// log p of the data set at the centres of n x n cells, as plane_grid has them; at least log of the smallest float64.
std::vector<float> true_log_densities(ToyDataset dataset, int64_t n);

/// How samples cover the 25 Gaussians: the modes with at least one sample within 4 standard deviations, and
/// the share of samples that lie so near to some mode.
struct ModeCoverage {
  int64_t modes;
  double high_quality;
};
ModeCoverage gaussians25_coverage(std::span<const float> points);

}  // namespace ebm
