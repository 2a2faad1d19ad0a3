// SPDX-License-Identifier: MIT
#include "methods/mle.h"

namespace ebm {

namespace {

constexpr double uniform_share = 0.5;

ToyDensity known_density(const DataSource& data) {
  const std::optional<ToyDensity> density = data.density();
  if (!density) throw UsageError("--method mle wants data whose density is known: the points of the plane");
  return *density;
}

}  // namespace

Mle::Mle(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const TrainingOptions& training,
         NoiseSource* noise)
    : Method(kernels, data, training, noise),
      density_(known_density(data)),
      energy_(kernels, "energy", networks.energy, training_.lr_energy, training_.optimiser),
      points_(kernels, 2 * training_.batch, data.features()),
      energies_(kernels, 2 * training_.batch, flat(1)),
      energies_bar_(kernels, 2 * training_.batch, flat(1)),
      log_density_(kernels, 2 * training_.batch),
      n_(add_energy_numbers(numbers_)) {
  require_fitting(energy(), data.features(), data.features());
  if (training_.energy_steps != 1 || training_.generator_steps != 1)
    throw UsageError("--method mle has one step an iteration; give --energy-steps 1 and --generator-steps 1");
  learners_ = {&energy_};
  trace_ = energy().make_trace(
      {.batch = 2 * training_.batch, .statistics = Statistics::batch, .precision = training_.precision});
  square_ = draws_.uniform("square", Stream::importance, {training_.batch, data.features(), 1});
  n_.log_z = numbers_.add("log_z_estimate", NumberRole::shown);
  n_.effective_samples = numbers_.add("effective_samples", NumberRole::shown);
}

std::unique_ptr<Sampler> Mle::sampler(int64_t) {
  throw Error("--method mle trains no generator; there are no samples");
}

void Mle::run(Watcher* watcher) {
  const Range range(kernels_, "energy step");
  energy().round_parameters();
  draw_data(data_rows());
  draws_.fill(square_);
  kernels_.run(
      SquarePoints{.rows = training_.batch, .uniforms = square_.of_step(0).data, .x = square_rows().data});
  kernels_.run(ToyLogDensity{.rows = points_.rows(),
                             .density = density_,
                             .uniform = uniform_share,
                             .x = points_.data(),
                             .log_q = log_density_.data()});
  energy().forward(*trace_, points_, energies_);
  kernels_.run(SampleWeights{.points = energies_.rows(),
                             .data_rows = training_.batch,
                             .energy = energies_.data(),
                             .log_q = log_density_.data(),
                             .good = nullptr,
                             .cotangent = energies_bar_.data(),
                             .log_z = n_.log_z,
                             .effective = n_.effective_samples});
  EnergyObjective loss{};
  loss.samples = training_.batch;
  loss.kind = PenaltyKind::gradient_norm;
  loss.real = energies_.data();
  loss.fake = energies_.row_range(training_.batch, training_.batch).data;
  loss.mean_real = n_.energy_real;
  loss.mean_fake = n_.energy_fake;
  loss.penalty = n_.penalty;
  loss.loss = n_.loss;
  loss.log_z = n_.log_z;
  kernels_.run(loss);
  energy().vjp(*trace_, energies_bar_, {}, Gradient::overwrite);
  energy_.step(clock());
  count_iteration();
  if (watcher != nullptr) watcher->see("energy", energies_);
}

}  // namespace ebm
