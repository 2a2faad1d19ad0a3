// SPDX-License-Identifier: MIT
#include "methods/mle.h"

namespace ebm {

namespace {

constexpr int64_t parts = 3;
constexpr double spread = 4;  // of the wider noise

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
      widened_{density_.dataset, spread},
      energy_(kernels, "energy", networks.energy, training_.lr_energy, training_.optimiser),
      points_(kernels, parts * training_.batch, data.features()),
      energies_(kernels, parts * training_.batch, flat(1)),
      energies_bar_(kernels, parts * training_.batch, flat(1)),
      log_density_(kernels, parts * training_.batch),
      all_energies_(kernels, ranks(), training_.batch, parts),
      all_energies_bar_(kernels, ranks(), training_.batch, parts),
      all_log_density_(kernels, ranks(), training_.batch, parts),
      n_(add_energy_numbers(numbers_)) {
  require_fitting(energy(), data.features(), data.features());
  if (training_.energy_steps != 1 || training_.generator_steps != 1)
    throw UsageError("--method mle has one step an iteration; give --energy-steps 1 and --generator-steps 1");
  learners_ = {&energy_};
  trace_ = energy().make_trace(
      {.batch = parts * training_.batch, .statistics = Statistics::batch, .precision = training_.precision});
  near_ = draws_.normal("near", Stream::noise, {training_.batch, data.features(), 1});
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
  draw_data(part(0));
  draws_.fill(near_);
  draws_.fill(square_);
  kernels_.run(ToyProposal{.rows = training_.batch,
                           .widened = widened_,
                           .data = part(0).data,
                           .normals = near_.of_step(0).data,
                           .uniforms = square_.of_step(0).data,
                           .near_data = part(1).data,
                           .in_square = part(2).data});
  kernels_.run(ToyProposalDensity{.rows = points_.rows(),
                                  .density = density_,
                                  .widened = widened_,
                                  .x = points_.data(),
                                  .log_q = log_density_.data()});
  energy().forward(*trace_, points_, energies_);
  const float* const all = all_energies_.gather(energies_.data());
  kernels_.run(SampleWeights{.points = parts * whole_batch(),
                             .data_rows = whole_batch(),
                             .energy = all,
                             .log_q = all_log_density_.gather(log_density_.data()),
                             .good = nullptr,
                             .cotangent = all_energies_bar_.all_or(energies_bar_.data()),
                             .log_z = n_.log_z,
                             .effective = n_.effective_samples});
  all_energies_bar_.take(energies_bar_.data());
  EnergyObjective loss{};
  loss.samples = whole_batch();
  loss.kind = PenaltyKind::gradient_norm;
  loss.real = all;
  loss.fake = all + whole_batch();
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
