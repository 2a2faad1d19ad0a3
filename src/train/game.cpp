// SPDX-License-Identifier: MIT
#include "train/game.h"

#include <vector>

namespace ebm {

Game::Game(Kernels& kernels, Network& energy, Network& generator, DataSource& data,
           const GameOptions& options, NoiseSource* noise)
    : kernels_(kernels),
      energy_(energy),
      generator_(generator),
      data_(data),
      noise_(noise),
      options_(options),
      samples_(kernels, options.batch, generator.output()),
      samples_bar_(kernels, options.batch, generator.output()),
      generator_energies_(kernels, options.batch, flat(1)),
      shares_(kernels, options.batch, flat(1)),
      iteration_(kernels, 1),
      steps_(kernels, 2),
      adam_schedule_(kernels, 2),
      scalars_(kernels, 1) {
  if (!(generator.output() == energy.input()) || !(data.features() == energy.input()) ||
      energy.output().size() != 1) {
    throw Error("the generator gives " + to_string(generator.output()) + ", the data " +
                to_string(data.features()) + ", the energy takes " + to_string(energy.input()) +
                " and gives " + to_string(energy.output()) +
                "; the first three must agree and the last be 1x1x1");
  }
  const int64_t batch = options.batch;
  if (options.lower) {
    LowerBoundOptions lower = *options.lower;
    lower.weight_gradients = options.precision == Precision::full ? Precision::full : Precision::training;
    lower_ = make_lower_bound(kernels, generator, batch, lower);
  }
  upper_ = make_upper_bound(kernels, energy, lower_.get(), batch, options.upper, options.precision);
  // The bounds' traces want more scratch memory than these, which share it.
  const TraceOptions training{
      .batch = batch, .statistics = Statistics::batch, .precision = options.precision};
  generator_trace_ = generator.make_trace(training);
  energy_trace_ = energy.make_trace(training);
  shares_.upload(std::vector<float>(static_cast<size_t>(batch), 1 / static_cast<float>(batch)));
  make_draws();
}

bool Game::needs_probe() const {
  return lower_ != nullptr && options_.upper.kind == UpperBoundKind::bidirectional;
}

// Not where J v0 is all that it would give: where the generator takes its entropy at other points, and a = z
// since h does not depend on z.
bool Game::evaluates_at_energy_step() const {
  if (lower_ == nullptr) return false;
  if (options_.entropy_points == EntropyPoints::energy) return true;
  const bool plain = !lower_->wants_p0() && !lower_->wants_e();
  return needs_probe() && (lower_->jacobian().z_depends() || !plain);
}

bool Game::evaluates_at_generator_step() const {
  return lower_ != nullptr && options_.entropy_points == EntropyPoints::generator;
}

void Game::make_draws() {
  const int64_t batch = options_.batch;
  const Features& latent = generator_.input();
  const auto tensor = [&](bool wanted, const Features& features) {
    return wanted ? Tensor(kernels_, batch, features) : Tensor();
  };
  const bool first = evaluates_at_energy_step(), second = evaluates_at_generator_step();
  const bool probed = first || needs_probe();
  const bool p0 = lower_ && lower_->wants_p0(), e = lower_ && lower_->wants_e();
  draws_ = {.z = tensor(true, latent),
            .v0 = tensor(probed, latent),
            .p0 = tensor(first && p0, latent),
            .alpha = tensor(options_.upper.kind == UpperBoundKind::gp_interpolated, flat(1)),
            .e = tensor(first && e, generator_.output()),
            .z_generator = tensor(true, latent),
            .v0_generator = tensor(second, latent),
            .p0_generator = tensor(second && p0, latent),
            .e_generator = tensor(second && e, generator_.output())};
  z_score_ = tensor(first && lower_->jacobian().z_depends(), latent);
}

void Game::initialize() {
  energy_.initialize(options_.seed, static_cast<uint32_t>(Stream::initial_energy));
  generator_.initialize(options_.seed, static_cast<uint32_t>(Stream::initial_generator));
}

void Game::draw(Stream stream, Distribution distribution, const Tensor& out) {
  if (out.empty()) return;
  if (noise_ != nullptr) return noise_->fill(stream, distribution, out);
  kernels_.noise({distribution, options_.seed, static_cast<uint32_t>(stream), iteration_.data()}, out);
}

void Game::draw_for_energy_step() {
  const Range range(kernels_, "draws");
  data_.draw(iteration_.data(), upper_->data());
  draw(Stream::z, Distribution::normal, draws_.z);
  draw(Stream::v0, Distribution::normal, draws_.v0);
  draw(Stream::p0, Distribution::normal, draws_.p0);
  draw(Stream::alpha, Distribution::uniform, draws_.alpha);
  draw(Stream::range_probe, Distribution::normal, draws_.e);
}

void Game::draw_for_generator_step() {
  const Range range(kernels_, "draws");
  draw(Stream::z_generator, Distribution::normal, draws_.z_generator);
  draw(Stream::v0_generator, Distribution::normal, draws_.v0_generator);
  draw(Stream::p0_generator, Distribution::normal, draws_.p0_generator);
  draw(Stream::range_probe_generator, Distribution::normal, draws_.e_generator);
}

/// G's gradient buffer = -entropy_weight d/d(parameters) mean of the entropy values; z_bar = grad_z of each
/// value.
void Game::entropy_gradient(View z_bar) {
  IterationScalars* scalars = scalars_.data();
  lower_->gradient(z_bar, Gradient::overwrite);
  kernels_.run(EntropyMean{.samples = options_.batch,
                           .entropy_weight = static_cast<float>(options_.entropy_weight),
                           .value = lower_->value().data,
                           .good = lower_->good().data,
                           .floored = lower_->floored().data,
                           .mean = &scalars->entropy,
                           .factor = &scalars->entropy_factor,
                           .share_good = &scalars->share_good,
                           .share_floored = &scalars->share_floored});
  const View gradients = generator_.parameters().gradients();
  kernels_.run(ScaleBy{.columns = gradients.size(), .factor = &scalars->entropy_factor, .x = gradients.data});
}

void Game::iterate() {
  energy_forward();
  kernels_.concurrently([this] { energy_backward(); }, [this] { generator_forward(); });
  generator_backward();
}

/// theta: minimise mean E(x) - mean E(x~) + [ penalty term ]_+
/// The draws, x~ = G(z), the lower bound at z, its gradient if the loss wants it, E(x), E(x~) and E along the
/// directions, L_E.
void Game::energy_forward() {
  const Range range(kernels_, "energy step");
  energy_.round_parameters();
  generator_.round_parameters();
  draw_for_energy_step();
  // x~ with batch statistics, which moves the running ones; then J with the running statistics
  generator_.forward(*generator_trace_, draws_.z, upper_->samples());
  const bool evaluates = evaluates_at_energy_step();
  if (evaluates) {
    const Range bound(kernels_, "lower bound");
    lower_->start(draws_.z, {.v0 = draws_.v0, .p0 = draws_.p0, .e = draws_.e});
    if (needs_probe()) lower_->probe_product(upper_->directions());
  } else if (needs_probe()) {
    const Range bound(kernels_, "lower bound");
    lower_->probe(draws_.z, draws_.v0, upper_->directions());
  }
  const UpperBound::Draw draw{.z = draws_.z, .v0 = draws_.v0, .z_score = z_score_, .alpha = draws_.alpha};
  upper_->prepare(draw);
  if (evaluates) {
    kernels_.concurrently([this] { finish_lower_bound(); }, [this] { upper_->forward(); });
  } else {
    upper_->forward();
  }
  IterationScalars* scalars = scalars_.data();
  upper_->loss(draw, {.energy_real = &scalars->energy_real,
                      .energy_fake = &scalars->energy_fake,
                      .penalty = &scalars->penalty,
                      .loss = &scalars->loss_energy});
}

void Game::finish_lower_bound() {
  const Range bound(kernels_, "lower bound");
  lower_->finish();
  if (z_score_.empty()) return;
  if (options_.entropy_points == EntropyPoints::energy) {
    entropy_gradient(z_score_);
  } else {
    lower_->gradient(z_score_, Gradient::ignore);
  }
}

void Game::energy_backward() {
  const Range range(kernels_, "energy step");
  upper_->backward();
  adam(energy_, options_.lr_energy, 0);
  energy_.round_parameters();  // for the generator's step
}

void Game::complete_energy_step() {
  if (!needs_probe() || evaluates_at_energy_step()) return;
  lower_->evaluate(draws_.z, {.v0 = draws_.v0, .p0 = {}, .e = {}});
}

/// The gradient of the entropy, and the generator step's draws, samples, and lower bound.
void Game::generator_forward() {
  const Range range(kernels_, "generator step");
  if (evaluates_at_energy_step() && !evaluates_at_generator_step() && z_score_.empty()) {
    const Range bound(kernels_, "lower bound");
    entropy_gradient({});  // where the energy step has evaluated it: G has not changed since
  }
  draw_for_generator_step();
  generator_.forward(*generator_trace_, draws_.z_generator, samples_);
  if (!evaluates_at_generator_step()) return;
  const Range bound(kernels_, "lower bound");
  lower_->evaluate(draws_.z_generator,
                   {.v0 = draws_.v0_generator, .p0 = draws_.p0_generator, .e = draws_.e_generator});
  entropy_gradient({});
}

/// G: minimise mean E(G(z)) - entropy_weight * mean entropy value
void Game::generator_backward() {
  const Range range(kernels_, "generator step");
  IterationScalars* scalars = scalars_.data();
  energy_.forward(*energy_trace_, samples_, generator_energies_);
  energy_.vjp(*energy_trace_, shares_, samples_bar_, Gradient::ignore);
  generator_.vjp(*generator_trace_, samples_bar_, {}, lower_ ? Gradient::accumulate : Gradient::overwrite);
  kernels_.run(GeneratorObjective{.samples = options_.batch,
                                  .entropy_weight = static_cast<float>(options_.entropy_weight),
                                  .energy = generator_energies_.data(),
                                  .entropy_mean = lower_ ? &scalars->entropy : nullptr,
                                  .loss = &scalars->loss_generator});
  adam(generator_, options_.lr_generator, 1);
  kernels_.run(Advance{.counter = iteration_.data()});
}

void Game::adam(Network& network, double lr, int64_t index) {
  const Range range(kernels_, "adam");
  const AdamOptions& options = options_.adam;
  Parameters& parameters = network.parameters();
  kernels_.run(AdamSchedule{.lr = lr,
                            .beta1 = options.beta1,
                            .beta2 = options.beta2,
                            .step = steps_.data() + index,
                            .schedule = adam_schedule_.data()});
  kernels_.run(AdamStep{.rows = AdamStep::chunks(parameters.values().size()),
                        .size = parameters.values().size(),
                        .beta1 = options.beta1,
                        .beta2 = options.beta2,
                        .eps = static_cast<float>(options.epsilon),
                        .schedule = adam_schedule_.data(),
                        .gradient = parameters.gradients().data,
                        .value = parameters.values().data,
                        .first = parameters.first_moments().data,
                        .second = parameters.second_moments().data,
                        .not_finite = &scalars_.data()->not_finite});
}

}  // namespace ebm
