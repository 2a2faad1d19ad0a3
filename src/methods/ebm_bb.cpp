// SPDX-License-Identifier: MIT
#include "methods/ebm_bb.h"

#include "methods/bound_check.h"

namespace ebm {

void check(const EbmBbOptions& options) {
  const bool exact = options.lower && options.lower->kind == EntropyBoundKind::logdet;
  if (options.upper.samples == SampleWeighting::importance && !exact)
    throw UsageError(
        "--sample-weights importance: the density of the samples wants the whole determinant; give "
        "--lower-bound "
        "logdet");
  const bool wide = options.upper.wide.share > 0;
  if (wide && options.upper.samples != SampleWeighting::importance)
    throw UsageError("--wide-share: samples of wider z want --sample-weights importance");
  if (wide && options.lower && options.entropy_points == EntropyPoints::energy)
    throw UsageError("--wide-share: the generator's entropy is of z as they are; give --entropy-z generator");
  const bool of_energy_step = options.lower && options.entropy_points == EntropyPoints::energy;
  if (!of_energy_step || options.training.generator_steps == 1) return;
  throw UsageError(
      "--entropy-z energy: the entropy of the energy step is that of the generator before its first step; "
      "give "
      "--generator-steps 1 or --entropy-z generator");
}

namespace {

/// Throws Error unless p_G(G(z)) = N(z; 0, I) / |det J(z)| can hold.
void require_density(const Network& generator) {
  if (generator.input().size() != generator.output().size())
    throw Error("importance weights want samples of as many dimensions as z has; the generator goes from " +
                to_string(generator.input()) + " to " + to_string(generator.output()));
  if (generator.couples_samples(Statistics::batch))
    throw Error(
        "importance weights want samples that do not hang on one another, but the generator has batch norm; "
        "give "
        "--generator flow");
}

}  // namespace

EbmBb::EbmBb(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const EbmBbOptions& options,
             NoiseSource* noise)
    : Method(kernels, data, options.training, noise),
      options_(options),
      energy_(kernels, "energy", networks.energy, training_.lr_energy, training_.optimiser),
      generator_(kernels, "generator", networks.generator, training_.lr_generator, training_.optimiser),
      samples_(kernels, training_.batch, generator().output()),
      samples_bar_(kernels, training_.batch, generator().output()),
      generator_energies_(kernels, training_.batch, flat(1)),
      shares_(mean_weights(kernels, training_.batch, whole_batch())),
      entropy_factor_(kernels, 1) {
  check(options);
  require_fitting(energy(), generator().output(), data.features());
  if (weighs_samples()) require_density(generator());
  learners_ = {&energy_, &generator_};
  const int64_t batch = training_.batch;
  const Precision precision = training_.precision;
  if (options.lower) {
    EntropyBoundOptions lower = *options.lower;
    lower.ranks = ranks();
    lower.jacobian = training_.jacobian;
    lower.weight_gradients = precision == Precision::full ? Precision::full : Precision::training;
    lower_ = make_entropy_bound(kernels, generator(), batch, lower);
  }
  EnergyPenaltyOptions upper = options.upper;
  upper.ranks = ranks();
  upper_ = make_energy_penalty(kernels, energy(), lower_.get(), batch, upper, precision);
  for (SharedRows<float>* rows : {&entropies_, &good_, &floored_, &all_generator_energies_})
    *rows = SharedRows<float>(kernels, ranks(), batch);
  // The bounds' traces want more scratch memory than these, which share it.
  const TraceOptions traced{.batch = batch, .statistics = Statistics::batch, .precision = precision};
  generator_trace_ = generator().make_trace(traced);
  energy_trace_ = energy().make_trace(traced);
  make_plan();
  make_draws();

  using enum NumberRole;
  n_.energy = add_energy_numbers(numbers_);
  if (weighs_samples()) {
    n_.energy.log_z = numbers_.add("log_z_estimate", shown);
    n_.energy.effective_samples = numbers_.add("effective_samples", shown);
  }
  if (lower_ != nullptr) {
    n_.entropy = numbers_.add("entropy", shown);
    n_.share_good = numbers_.add("share_good", shown);
    n_.share_floored = numbers_.add("share_floored", quiet);
  }
  n_.loss_generator = numbers_.add("loss_generator", loss);
}

/// The energy step evaluates the bound where the generator takes its entropy there, or where the penalty needs
/// its gradient in z or its probes are more than v0. Else a = z, and J v0 is all that the penalty needs.
void EbmBb::make_plan() {
  if (lower_ == nullptr) return;
  const bool scored =
      options_.upper.kind == EnergyPenaltyKind::bidirectional && lower_->jacobian().z_depends();
  if (options_.entropy_points == EntropyPoints::energy) {
    at_energy_step_ = AtEnergyStep::bound;
    gradient_ = scored ? EntropyGradient::with_score : EntropyGradient::of_energy_step;
    return;
  }
  gradient_ = EntropyGradient::of_own_points;
  if (options_.upper.kind != EnergyPenaltyKind::bidirectional && !weighs_samples()) return;
  const bool more = scored || weighs_samples() || lower_->wants_p0() || lower_->wants_e();
  at_energy_step_ = more ? AtEnergyStep::bound : AtEnergyStep::product;
}

void EbmBb::make_draws() {
  const Features &latent = generator().input(), &image = generator().output();
  const auto normal = [&](const char* name, Stream stream, const Features& features, int64_t steps) {
    return draws_.normal(name, stream, {training_.batch, features, steps});
  };
  const bool bound = at_energy_step_ == AtEnergyStep::bound,
             own = gradient_ == EntropyGradient::of_own_points;
  const bool p0 = lower_ != nullptr && lower_->wants_p0(), e = lower_ != nullptr && lower_->wants_e();
  const int64_t first = training_.energy_steps, second = training_.generator_steps;
  z_ = normal("z", Stream::z, latent, first);
  if (options_.upper.wide.share > 0) {
    z_widened_ = Tensor(kernels_, training_.batch, latent);
    wide_of_rank_ = options_.upper.wide.of_rank(rank_rows(ranks(), training_.batch));
  }
  if (at_energy_step_ != AtEnergyStep::nothing) v0_ = normal("v0", Stream::v0, latent, first);
  if (bound && p0) p0_ = normal("p0", Stream::p0, latent, first);
  if (options_.upper.kind == EnergyPenaltyKind::gp_interpolated)
    alpha_ = draws_.uniform("alpha", Stream::alpha, {training_.batch, flat(1), first});
  if (bound && e) e_ = normal("e", Stream::range_probe, image, first);
  z_generator_ = normal("z_generator", Stream::z_generator, latent, second);
  if (own) v0_generator_ = normal("v0_generator", Stream::v0_generator, latent, second);
  if (own && p0) p0_generator_ = normal("p0_generator", Stream::p0_generator, latent, second);
  if (own && e) e_generator_ = normal("e_generator", Stream::range_probe_generator, image, second);
  const bool scored = options_.upper.kind == EnergyPenaltyKind::bidirectional;
  if (bound && scored && lower_->jacobian().z_depends()) z_score_ = Tensor(kernels_, training_.batch, latent);
}

ConstView EbmBb::energy_latents(int64_t step) {
  const ConstView z = z_.of_step(step);
  if (z_widened_.empty()) return z;
  kernels_.run(WidenLatents{
      .rows = z.rows, .columns = z.columns(), .wide = wide_of_rank_, .z = z.data, .out = z_widened_.data()});
  return z_widened_;
}

void EbmBb::draw_for_energy_step() {
  const Range range(kernels_, "draws");
  draw_data(upper_->data());
  for (const Draw& draw : {z_, v0_, p0_, alpha_, e_}) draws_.fill(draw);
}

void EbmBb::draw_for_generator_step() {
  const Range range(kernels_, "draws");
  for (const Draw& draw : {z_generator_, v0_generator_, p0_generator_, e_generator_}) draws_.fill(draw);
}

void EbmBb::run(Watcher* watcher) {
  const int64_t last = training_.energy_steps - 1;
  for (int64_t step = 0; step < last; ++step) {
    energy_forward(step);
    energy_backward();
  }
  energy_forward(last);
  if (watcher != nullptr) tell_energy_step(*watcher);
  kernels_.concurrently([this] { energy_backward(); }, [this] { generator_forward(0); });
  generator_backward();
  for (int64_t step = 1; step < training_.generator_steps; ++step) {
    generator_forward(step);
    generator_backward();
  }
  const Range range(kernels_, "generator step");
  count_iteration();
  if (watcher != nullptr) tell_generator_step(*watcher);
}

/// theta: minimise mean E(x) - mean E(x~) + [ penalty term ]_+
/// The draws, x~ = G(z), the entropy bound at z, its gradient if the loss wants it, E(x), E(x~) and E along the
/// directions, L_E.
void EbmBb::energy_forward(int64_t step) {
  const Range range(kernels_, "energy step");
  energy().round_parameters();
  generator().round_parameters();
  if (step == 0) draw_for_energy_step();
  const ConstView z = energy_latents(step), v0 = v0_.of_step(step);
  take_data(step, upper_->data());
  // x~ with batch statistics, which moves the running ones; then J with the running statistics
  generator().forward(*generator_trace_, z, upper_->samples());
  if (at_energy_step_ != AtEnergyStep::nothing) {
    const Range bound(kernels_, "lower bound");
    if (at_energy_step_ == AtEnergyStep::product) {
      lower_->probe(z, v0, upper_->directions());
    } else {
      lower_->start(z, {.v0 = v0, .p0 = p0_.of_step(step), .e = e_.of_step(step)});
      if (options_.upper.kind == EnergyPenaltyKind::bidirectional)
        lower_->probe_product(upper_->directions());
    }
  }
  const EnergyPenalty::Draw draw{.z = z,
                                 .v0 = v0,
                                 .z_score = z_score_,
                                 .alpha = alpha_.of_step(step),
                                 .log_det = weighs_samples() ? lower_->value() : ConstView{},
                                 .good = weighs_samples() ? lower_->good() : ConstView{}};
  upper_->prepare(draw);
  if (at_energy_step_ == AtEnergyStep::bound) {
    kernels_.concurrently([this] { finish_bound(); }, [this] { upper_->forward(); });
  } else {
    upper_->forward();
  }
  upper_->loss(draw, n_.energy);
}

void EbmBb::finish_bound() {
  const Range bound(kernels_, "lower bound");
  lower_->finish();
  if (gradient_ == EntropyGradient::with_score) {
    entropy_gradient(z_score_);
  } else if (!z_score_.empty()) {
    lower_->gradient(z_score_, Gradient::ignore);
  }
}

void EbmBb::energy_backward() {
  const Range range(kernels_, "energy step");
  upper_->backward();
  energy_.step(clock());
  energy().round_parameters();  // for the generator's step
}

/// The gradient of the entropy, and the generator step's draws, samples, and entropy bound.
void EbmBb::generator_forward(int64_t step) {
  const Range range(kernels_, "generator step");
  if (gradient_ == EntropyGradient::of_energy_step) {
    const Range bound(kernels_, "lower bound");
    entropy_gradient({});  // G has not changed since the energy step
  }
  if (step == 0)
    draw_for_generator_step();
  else
    generator().round_parameters();
  const ConstView z = z_generator_.of_step(step);
  generator().forward(*generator_trace_, z, samples_);
  if (gradient_ != EntropyGradient::of_own_points) return;
  const Range bound(kernels_, "lower bound");
  lower_->evaluate(z, {.v0 = v0_generator_.of_step(step),
                       .p0 = p0_generator_.of_step(step),
                       .e = e_generator_.of_step(step)});
  entropy_gradient({});
}

/// G's gradient buffer = this rank's part of -entropy_weight d/d(parameters) mean of the entropy values; z_bar =
/// grad_z of each value.
void EbmBb::entropy_gradient(View z_bar) {
  lower_->gradient(z_bar, Gradient::overwrite);
  kernels_.run(EntropyMean{.samples = whole_batch(),
                           .entropy_weight = static_cast<float>(options_.entropy_weight),
                           .value = entropies_.gather(lower_->value().data),
                           .good = good_.gather(lower_->good().data),
                           .floored = floored_.gather(lower_->floored().data),
                           .mean = n_.entropy,
                           .factor = entropy_factor_.data(),
                           .share_good = n_.share_good,
                           .share_floored = n_.share_floored});
  const View gradients = generator().parameters().gradients();
  kernels_.run(ScaleBy{.columns = gradients.size(), .factor = entropy_factor_.data(), .x = gradients.data});
}

/// G: minimise mean E(G(z)) - entropy_weight * mean entropy value
void EbmBb::generator_backward() {
  const Range range(kernels_, "generator step");
  energy().forward(*energy_trace_, samples_, generator_energies_);
  energy().vjp(*energy_trace_, shares_, samples_bar_, Gradient::ignore);
  generator().vjp(*generator_trace_, samples_bar_, {}, lower_ ? Gradient::accumulate : Gradient::overwrite);
  kernels_.run(GeneratorObjective{.samples = whole_batch(),
                                  .entropy_weight = static_cast<float>(options_.entropy_weight),
                                  .energy = all_generator_energies_.gather(generator_energies_.data()),
                                  .entropy_mean = lower_ ? n_.entropy : nullptr,
                                  .loss = n_.loss_generator});
  generator_.step(clock());
}

void EbmBb::tell_energy_step(Watcher& watcher) {
  tell_energies(watcher, *upper_);
  watcher.see("a", upper_->score());
  if (options_.upper.kind == EnergyPenaltyKind::bidirectional) watcher.see("jv0", upper_->directions());
  if (at_energy_step_ != AtEnergyStep::bound) return;
  watcher.see("v", lower_->v());
  watcher.see("log_s1", lower_->log_s1());
  watcher.see("entropy", lower_->value());
}

void EbmBb::tell_generator_step(Watcher& watcher) {
  watcher.see("energy_generator", generator_energies_);
  if (gradient_ != EntropyGradient::of_own_points) return;
  watcher.see("v_generator", lower_->v());
  watcher.see("log_s1_generator", lower_->log_s1());
  watcher.see("entropy_generator", lower_->value());
}

std::vector<ExtraState> EbmBb::extra_state() {
  if (lower_ == nullptr || lower_->state() == nullptr) return {};
  return {{"bound/state", lower_->state(), [this] { lower_->state_restored(); }}};
}

std::vector<Measure> EbmBb::exact_measures(int64_t points) {
  // A flow's bound is its entropy: above it are roundings alone.
  if (lower_ == nullptr || (generator().has_log_det() && options_.lower->kind == EntropyBoundKind::logdet))
    return {};
  const auto check = std::make_shared<BoundCheck>(
      kernels_, generator_.evaluated(), static_cast<uint64_t>(training_.seed), points, *options_.lower);
  return {{"share_bound_above_entropy", [this, check] { return check->share_above(lower_->state()); }}};
}

}  // namespace ebm
