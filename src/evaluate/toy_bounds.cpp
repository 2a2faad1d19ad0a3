// SPDX-License-Identifier: MIT
#include "evaluate/toy_bounds.h"

#include <cmath>
#include <numbers>

#include "bounds/entropy_bound.h"
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

/// J^T grad E - a at latent points, a = -grad_z log p_g(G(z)) = z + grad_z 1/2 log det J^T J.
class LatentResidual {
 public:
  LatentResidual(Kernels& kernels, Network& energy, Network& generator)
      : log_det_(make_entropy_bound(kernels, generator, batch, {.kind = EntropyBoundKind::logdet})),
        energy_(energy),
        generator_(generator),
        of_energy_(trace(energy)),
        of_generator_(trace(generator)),
        z_(kernels, batch, generator.input()),
        x_(kernels, batch, generator.output()),
        e_(kernels, batch, energy.output()),
        ones_(kernels, batch, energy.output()),
        x_bar_(kernels, batch, generator.output()),
        z_bar_(kernels, batch, generator.input()),
        score_(kernels, batch, generator.input()) {
    ones_.upload(std::vector<float>(static_cast<size_t>(ones_.size()), 1.0f));
  }
  std::vector<float> at(const std::vector<float>& z) {
    z_.upload(z);
    generator_.forward(*of_generator_, z_, x_);
    energy_.forward(*of_energy_, x_, e_);
    energy_.vjp(*of_energy_, ones_, x_bar_, Gradient::ignore);
    generator_.vjp(*of_generator_, x_bar_, z_bar_, Gradient::ignore);
    std::vector<float> residual = z_bar_.download();
    for (size_t i = 0; i < residual.size(); ++i) residual[i] -= z[i];
    if (!log_det_->jacobian().z_depends()) return residual;
    log_det_->evaluate(z_, {.v0 = z_, .p0 = {}, .e = {}});
    log_det_->gradient(score_, Gradient::ignore);
    const std::vector<float> score = score_.download();
    for (size_t i = 0; i < residual.size(); ++i) residual[i] -= score[i];
    return residual;
  }

 private:
  static std::unique_ptr<Trace> trace(Network& network) {
    return network.make_trace(
        {.batch = batch, .statistics = Statistics::running, .precision = Precision::full});
  }

  std::unique_ptr<EntropyBound> log_det_;
  Network &energy_, &generator_;
  std::unique_ptr<Trace> of_energy_, of_generator_;
  Tensor z_, x_, e_, ones_, x_bar_, z_bar_, score_;
};

/// Means over latent points, and log |det J| of each.
struct LatentMeans {
  double log_det = 0, d_log_s1 = 0, squared_residual = 0;
  std::vector<double> log_dets = {};
};

LatentMeans latent_means(Kernels& kernels, Network& energy, Network& generator, const std::vector<float>& z,
                         const Told& told) {
  JacobianMonitor monitor(kernels, generator, batch);
  LatentResidual residual(kernels, energy, generator);
  const int64_t count = std::ssize(z) / dim;
  LatentMeans mean;
  for (int64_t first = 0; first < count; first += batch) {
    const std::vector<float> part(z.begin() + first * dim, z.begin() + (first + batch) * dim);
    for (const JacobianNumbers& point : monitor.at(part)) {
      mean.log_det += point.log_det / static_cast<double>(count);
      mean.d_log_s1 += point.d_log_s1 / static_cast<double>(count);
      mean.log_dets.push_back(point.log_det);
    }
    for (const float r : residual.at(part))
      mean.squared_residual += static_cast<double>(r) * static_cast<double>(r) / static_cast<double>(count);
    told(first + batch);
  }
  return mean;
}

/// log mean_i exp(-E(x_i)) / p_g(x_i), log p_g(x_i) = log N(z_i; 0, I) - log |det J_i|.
double importance_log_z(const std::vector<float>& energies, const std::vector<float>& z,
                        const std::vector<double>& log_dets) {
  std::vector<float> surprise;  // E + log p_g
  for (size_t i = 0; i < energies.size(); ++i) {
    const double squared =
        std::pow(static_cast<double>(z[2 * i]), 2) + std::pow(static_cast<double>(z[2 * i + 1]), 2);
    surprise.push_back(static_cast<float>(static_cast<double>(energies[i]) - squared / 2 -
                                          std::log(2 * std::numbers::pi) - log_dets[i]));
  }
  return log_mean_exp(surprise);
}

/// Of the samples' third nearest neighbours; NaN where they have no density.
double entropy_of_samples(const std::vector<float>& samples) {
  try {
    return neighbour_entropy(samples);
  } catch (const Error&) {
    return not_there;
  }
}

}  // namespace

ToyBounds toy_bounds(Kernels& kernels, Network& energy, Network& generator, const ToyNormaliser& known,
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
  const std::vector<float> energies = e.energies(samples);
  const double of_data = known.mean_energy, of_samples = mean_of(energies);
  const double entropy_z = static_cast<double>(dim) / 2 * (1 + std::log(2 * std::numbers::pi));

  ToyBounds found{};
  found.log_z = known.log_z;
  found.nll = of_data + found.log_z;
  found.entropy = entropy_z + means.log_det;
  found.lower = of_data - of_samples + found.entropy;
  found.lower_s1 = of_data - of_samples + entropy_z + means.d_log_s1;
  found.importance = of_data + importance_log_z(energies, z, means.log_dets);
  found.upper = found.lower + options.weight * means.squared_residual / static_cast<double>(dim);
  found.entropy_neighbours = entropy_of_samples(samples);
  return found;
}

ToyBounds toy_bounds(Kernels& kernels, Network& energy, Network& generator, const std::vector<float>& data,
                     const ToyBoundOptions& options, const Told& told) {
  NetworkEnergy e(kernels, energy, options.grid);
  const double log_z = log_normaliser(e.energies(plane_grid(options.grid)), options.grid);
  return toy_bounds(kernels, energy, generator, ToyNormaliser{log_z, mean_of(e.energies(data))}, options,
                    told);
}

}  // namespace ebm
