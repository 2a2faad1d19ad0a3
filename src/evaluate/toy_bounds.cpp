// SPDX-License-Identifier: MIT
#include "evaluate/toy_bounds.h"

#include <cmath>
#include <numbers>

#include "evaluate/jacobian_monitor.h"
#include "metrics/neighbour_entropy.h"
#include "metrics/toy_density.h"
#include "sampling/latent_points.h"
#include "sampling/sampler.h"
#include "train/evaluation.h"

namespace ebm {

namespace {

constexpr uint32_t latent_stream = 5;  // evaluate/model_measures.cpp and image_sets.cpp have the others
constexpr int64_t batch = 200, dim = 2;

double mean_of(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value);
  return sum / static_cast<double>(values.size());
}

/// grad_z of E(G(z)), which is J^T grad E.
class LatentGradient {
 public:
  LatentGradient(Kernels& kernels, Network& energy, Network& generator)
      : energy_(energy),
        generator_(generator),
        of_energy_(trace(energy)),
        of_generator_(trace(generator)),
        z_(kernels, batch, generator.input()),
        x_(kernels, batch, generator.output()),
        e_(kernels, batch, energy.output()),
        ones_(kernels, batch, energy.output()),
        x_bar_(kernels, batch, generator.output()),
        z_bar_(kernels, batch, generator.input()) {
    ones_.upload(std::vector<float>(static_cast<size_t>(ones_.size()), 1.0f));
  }
  std::vector<float> at(const std::vector<float>& z) {
    z_.upload(z);
    generator_.forward(*of_generator_, z_, x_);
    energy_.forward(*of_energy_, x_, e_);
    energy_.vjp(*of_energy_, ones_, x_bar_, Gradient::ignore);
    generator_.vjp(*of_generator_, x_bar_, z_bar_, Gradient::ignore);
    return z_bar_.download();
  }

 private:
  static std::unique_ptr<Trace> trace(Network& network) {
    return network.make_trace(
        {.batch = batch, .statistics = Statistics::running, .precision = Precision::full});
  }

  Network &energy_, &generator_;
  std::unique_ptr<Trace> of_energy_, of_generator_;
  Tensor z_, x_, e_, ones_, x_bar_, z_bar_;
};

/// Means over latent points.
struct LatentMeans {
  double log_det = 0, d_log_s1 = 0, squared_residual = 0;
};

LatentMeans latent_means(Kernels& kernels, Network& energy, Network& generator, const std::vector<float>& z,
                         const Told& told) {
  JacobianMonitor monitor(kernels, generator, batch);
  LatentGradient gradient(kernels, energy, generator);
  const int64_t count = std::ssize(z) / dim;
  LatentMeans mean;
  for (int64_t first = 0; first < count; first += batch) {
    const std::vector<float> part(z.begin() + first * dim, z.begin() + (first + batch) * dim);
    for (const JacobianNumbers& point : monitor.at(part)) {
      mean.log_det += point.log_det / static_cast<double>(count);
      mean.d_log_s1 += point.d_log_s1 / static_cast<double>(count);
    }
    const std::vector<float> found = gradient.at(part);
    for (size_t i = 0; i < found.size(); ++i)
      mean.squared_residual += std::pow(static_cast<double>(found[i]) - static_cast<double>(part[i]), 2) /
                               static_cast<double>(count);
    told(first + batch);
  }
  return mean;
}

}  // namespace

ToyBounds toy_bounds(Kernels& kernels, Network& energy, Network& generator, const std::vector<float>& data,
                     const ToyBoundOptions& options, const Told& told) {
  if (generator.input() != flat(dim) || generator.output() != flat(dim) || energy.input() != flat(dim))
    throw Error(
        "bounds of the likelihood are measured of points in the plane with z in the plane, not of z of " +
        to_string(generator.input()) + " and points of " + to_string(generator.output()));
  const int64_t points = (options.points + batch - 1) / batch * batch;
  const std::vector<float> z = latent_points(kernels, options.seed, latent_stream, points, generator.input());
  const LatentMeans means = latent_means(kernels, energy, generator, z, told);
  NetworkEnergy e(kernels, energy, options.grid);
  NetworkSampler sampler(kernels, generator, batch);
  const std::vector<float> samples = sampler.samples(z);
  const double of_data = mean_of(e.energies(data)), of_samples = mean_of(e.energies(samples));
  const double entropy_z = static_cast<double>(dim) / 2 * (1 + std::log(2 * std::numbers::pi));

  ToyBounds found{};
  found.log_z = log_normaliser(e.energies(plane_grid(options.grid)), options.grid);
  found.nll = of_data + found.log_z;
  found.entropy = entropy_z + means.log_det;
  found.lower = of_data - of_samples + found.entropy;
  found.lower_s1 = of_data - of_samples + entropy_z + means.d_log_s1;
  found.upper = generator.piecewise_linear(Statistics::running)
                    ? found.lower + options.weight * means.squared_residual / static_cast<double>(dim)
                    : not_there;
  found.entropy_neighbours = neighbour_entropy(samples);
  return found;
}

}  // namespace ebm
