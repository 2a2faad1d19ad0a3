// SPDX-License-Identifier: MIT
#include "methods/meg.h"

namespace ebm {

namespace {

EnergyPenaltyOptions penalty_of(const MegOptions& options, const Features& image) {
  const bool by_channel = options.penalty_norm == PenaltyNorm::channel;
  const double numbers = by_channel ? static_cast<double>(image.pixels()) : 1;
  return penalty_on_data(options.penalty_weight / numbers);
}

Features pair_of(const Network& generator) {
  return flat(generator.output().size() + generator.input().size());
}

}  // namespace

Meg::Meg(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const MegOptions& options,
         NoiseSource* noise)
    : Method(kernels, data, options.training, noise),
      options_(options),
      energy_(kernels, "energy", networks.energy, training_.lr_energy, training_.optimiser),
      generator_(kernels, "generator", networks.generator, training_.lr_generator, training_.optimiser),
      statistics_(kernels, "statistics", networks.statistics, options.lr_statistics, training_.optimiser),
      samples_(kernels, training_.batch, generator().output()),
      samples_bar_(kernels, training_.batch, generator().output()),
      generator_energies_(kernels, training_.batch, flat(1)),
      shares_(mean_weights(kernels, training_.batch, whole_batch())),
      permuted_(kernels, training_.batch, generator().input()),
      pairs_(kernels, 2 * training_.batch, pair_of(generator())),
      pairs_bar_(kernels, 2 * training_.batch, pair_of(generator())),
      logits_(kernels, 2 * training_.batch, flat(1)),
      logits_bar_(kernels, 2 * training_.batch, flat(1)) {
  const Features &latent = generator().input(), &image = generator().output();
  require_fitting(energy(), image, data.features());
  if (statistics().input() != pairs_.features() || statistics().output() != flat(1)) {
    throw Error("the statistics network takes " + to_string(statistics().input()) + " and gives " +
                to_string(statistics().output()) + "; it must take a sample beside its latent point, " +
                to_string(pairs_.features()) + ", and give 1x1x1");
  }
  learners_ = {&energy_, &generator_, &statistics_};
  const int64_t batch = training_.batch, first = training_.energy_steps, second = training_.generator_steps;
  const Precision precision = training_.precision;
  EnergyPenaltyOptions penalty = penalty_of(options, image);
  penalty.ranks = ranks();
  energy_loss_ = make_energy_penalty(kernels, energy(), nullptr, batch, penalty, precision);
  for (SharedRows<float>* rows : {&all_energies_, &all_keys_})
    *rows = SharedRows<float>(kernels, ranks(), batch);
  for (SharedRows<float>* rows : {&all_z_, &all_permuted_})
    *rows = SharedRows<float>(kernels, ranks(), batch * latent.size());
  for (SharedRows<float>* rows : {&all_logits_, &all_logits_bar_})
    *rows = SharedRows<float>(kernels, ranks(), batch, 2);
  const TraceOptions traced{.batch = batch, .statistics = Statistics::batch, .precision = precision};
  generator_trace_ = generator().make_trace(traced);
  energy_trace_ = energy().make_trace(traced);
  statistics_trace_ = statistics().make_trace({.batch = 2 * batch, .precision = precision});

  z_ = draws_.normal("z", Stream::z, {batch, latent, first});
  z_generator_ = draws_.normal("z_generator", Stream::z_generator, {batch, latent, second});
  pairing_ = draws_.uniform("pairing", Stream::pairing, {batch, flat(1), second});

  using enum NumberRole;
  n_.energy = add_energy_numbers(numbers_);
  n_.loss_statistics = numbers_.add("loss_statistics", loss);
  n_.loss_generator = numbers_.add("loss_generator", loss);
}

void Meg::run(Watcher* watcher) {
  for (int64_t step = 0; step < training_.energy_steps; ++step) {
    if (step > 0) energy_backward();
    energy_forward(step);
  }
  if (watcher != nullptr) tell_energies(*watcher, *energy_loss_);
  kernels_.concurrently([this] { energy_backward(); }, [this] { generator_forward(0); });
  generator_backward();
  for (int64_t step = 1; step < training_.generator_steps; ++step) {
    generator_forward(step);
    generator_backward();
  }
  const Range range(kernels_, "generator step");
  count_iteration();
  if (watcher != nullptr) watcher->see("energy_generator", generator_energies_);
}

/// E: minimise mean E(x) - mean E(G(z)) + penalty_weight mean ||grad_x E(x)||^2
void Meg::energy_forward(int64_t step) {
  const Range range(kernels_, "energy step");
  energy().round_parameters();
  generator().round_parameters();
  if (step == 0) {
    const Range draws(kernels_, "draws");
    draw_data(energy_loss_->data());
    draws_.fill(z_);
  }
  take_data(step, energy_loss_->data());
  generator().forward(*generator_trace_, z_.of_step(step), energy_loss_->samples());
  energy_loss_->prepare({});
  energy_loss_->forward();
  energy_loss_->loss({}, n_.energy);
}

void Meg::energy_backward() {
  const Range range(kernels_, "energy step");
  energy_loss_->backward();
  energy_.step(clock());
  energy().round_parameters();  // for the generator's step
}

/// x~ = G(z), and the pairs: each x~ beside its own z, then beside that of another.
void Meg::generator_forward(int64_t step) {
  const Range range(kernels_, "generator step");
  if (step == 0) {
    const Range draws(kernels_, "draws");
    draws_.fill(z_generator_);
    draws_.fill(pairing_);
  } else {
    generator().round_parameters();
  }
  const ConstView z = z_generator_.of_step(step);
  generator().forward(*generator_trace_, z, samples_);
  kernels_.run(PermuteRows{.rows = whole_batch(),
                           .columns = z.columns(),
                           .keys = all_keys_.gather(pairing_.of_step(step).data),
                           .z = all_z_.gather(z.data),
                           .out = all_permuted_.all_or(permuted_.data())});
  all_permuted_.take(permuted_.data());
  int64_t row = 0;
  for (const ConstView latent : {z, ConstView(permuted_)}) {
    kernels_.run(JoinColumns{.rows = z.rows,
                             .columns = pairs_.columns(),
                             .left_columns = samples_.columns(),
                             .left = samples_.view(),
                             .right = latent,
                             .right_step = latent.columns(),
                             .out = pairs_.row_range(row, z.rows)});
    row += z.rows;
  }
}

/// G and T: minimise mean E(x~) + information_weight BCE(T), through x~ too
void Meg::generator_backward() {
  kernels_.concurrently([this] { energy_of_samples(); }, [this] { information(); });
  const Range range(kernels_, "generator step");
  const int64_t batch = samples_.rows();
  for (const int64_t first : {int64_t{0}, batch}) {  // each x~ stands in two pairs
    kernels_.run(AddColumns{.rows = batch,
                            .columns = samples_.columns(),
                            .x = samples_bar_.view(),
                            .part = pairs_bar_.row_range(first, batch),
                            .part_step = pairs_.columns(),
                            .scale = nullptr,
                            .out = samples_bar_.view()});
  }
  generator().vjp(*generator_trace_, samples_bar_, {}, Gradient::overwrite);
  kernels_.run(GeneratorObjective{.samples = whole_batch(),
                                  .entropy_weight = -static_cast<float>(options_.information_weight),
                                  .energy = all_energies_.gather(generator_energies_.data()),
                                  .entropy_mean = n_.loss_statistics,
                                  .loss = n_.loss_generator});
  generator_.step(clock());
}

/// E(x~) and the gradient of its mean in x~.
void Meg::energy_of_samples() {
  const Range range(kernels_, "generator step");
  energy().forward(*energy_trace_, samples_, generator_energies_);
  energy().vjp(*energy_trace_, shares_, samples_bar_, Gradient::ignore);
}

/// The cross entropy of T on the pairs, its gradient in them, and T's step.
void Meg::information() {
  const Range range(kernels_, "generator step");
  const Range part(kernels_, "information");
  statistics().round_parameters();
  statistics().forward(*statistics_trace_, pairs_, logits_);
  kernels_.run(InformationObjective{.samples = whole_batch(),
                                    .weight = static_cast<float>(options_.information_weight),
                                    .logit = all_logits_.gather(logits_.data()),
                                    .logit_bar = all_logits_bar_.all_or(logits_bar_.data()),
                                    .loss = n_.loss_statistics});
  all_logits_bar_.take(logits_bar_.data());
  statistics().vjp(*statistics_trace_, logits_bar_, pairs_bar_, Gradient::overwrite);
  statistics_.step(clock());
}

}  // namespace ebm
