// SPDX-License-Identifier: MIT
#include "methods/vera.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "layers/constant.h"
#include "layers/noisy_output.h"
#include "sampling/noisy_sampler.h"

namespace ebm {

namespace {

float log_of(double x) {
  return static_cast<float>(std::log(x));
}

/// g(h) + sigma e of rows [h | e]; g's parameters are called g.NAME.
LayerMaker noisy(const LayerMaker& g, const VeraOptions& options) {
  const float logsigma =
      log_of(std::min(std::max(options.first_sigma, options.sigma_min), options.sigma_max));
  return [g, logsigma] { return std::make_unique<NoisyOutput>(Sequential::Child{"g", g()}, logsigma); };
}

/// log s of the importance samples: one for each dimension of h, the same for every sample.
LayerMaker post_logsigma(const LayerMaker& g, const VeraOptions& options) {
  const float logsigma = log_of(options.first_post_sigma);
  return [g, logsigma] {
    const Features latent = g()->input();
    return std::make_unique<Constant>(latent, latent, "logsigma", logsigma);
  };
}

}  // namespace

void check(const VeraOptions& options) {
  if (options.sigma_min > options.sigma_max)
    throw UsageError("--sigma-min is above --sigma-max; give a larger --sigma-max");
  if (options.training.generator_steps > 1)
    throw UsageError(
        "VERA's generator takes its step on the energy step's samples; give --generator-steps 1");
}

Vera::Vera(Kernels& kernels, const NetworkMakers& networks, DataSource& data, const VeraOptions& options,
           NoiseSource* noise)
    : Method(kernels, data, options.training, noise),
      options_(options),
      make_mean_(networks.generator),
      energy_(kernels, "energy", networks.energy, training_.lr_energy, training_.optimiser),
      generator_(kernels, "generator", noisy(networks.generator, options), training_.lr_generator,
                 training_.optimiser),
      posterior_(kernels, "posterior", post_logsigma(networks.generator, options), options.lr_posterior,
                 training_.optimiser),
      logsigma_(generator().parameters().trainable().front()),
      post_logsigma_(posterior_.network().parameters().trainable().front()) {
  check(options);
  require_fitting(energy(), generator().output(), data.features());
  learners_ = {&energy_, &generator_, &posterior_};
  generator_.limit(logsigma_, log_of(options.sigma_min), log_of(options.sigma_max));
  const int64_t batch = training_.batch, points = batch * options.importance_samples;
  const Precision precision = training_.precision;
  // half of it: VERA's penalty is ||grad E||^2 / 2
  EnergyPenaltyOptions penalty = penalty_on_data(options.penalty_weight / 2);
  penalty.ranks = ranks();
  upper_ = make_energy_penalty(kernels, energy(), nullptr, batch, penalty, precision);
  // x~ - g(h') is divided by sigma^2: roundings of TF32 or bfloat16 would be all that is left of the weights.
  const TraceOptions of_generator{
      .batch = batch,
      .statistics = Statistics::batch,
      .precision = Precision::full,
      .weight_precision = precision == Precision::full ? Precision::full : Precision::training};
  samples_trace_ = generator().make_trace(of_generator);
  means_trace_ = generator().make_trace(of_generator);
  energy_trace_ =
      energy().make_trace({.batch = batch, .statistics = Statistics::batch, .precision = precision});

  const Features &latent = posterior_.network().output(), &image = generator().output();
  make_draws(latent, image);
  const auto rows = [&](int64_t count, const Features& features) { return Tensor(kernels, count, features); };
  for (Tensor* inputs : {&inputs_, &mean_inputs_, &inputs_bar_}) *inputs = rows(batch, generator().input());
  points_ = rows(points, latent);
  means_ = rows(points, image);
  log_ratios_ = Buffer<double>(kernels, points);
  weights_ = rows(batch, flat(options.importance_samples));
  for (Tensor* numbers : {&effective_, &entropies_, &energies_}) *numbers = rows(batch, flat(1));
  for (Tensor* images : {&score_, &samples_bar_}) *images = rows(batch, image);
  points_bar_ = rows(batch, latent);
  surprises_ = Buffer<double>(kernels, batch);
  shares_ = mean_weights(kernels, batch, whole_batch());
  for (SharedRows<float>* all : {&all_energies_, &all_entropies_, &all_effective_})
    *all = SharedRows<float>(kernels, ranks(), batch);
  all_surprises_ = SharedRows<double>(kernels, ranks(), batch);
  if (count_of(ranks()) > 1)
    rank_share_ = Buffer<float>(kernels, std::vector<float>{1 / static_cast<float>(count_of(ranks()))});

  using enum NumberRole;
  n_.energy = add_energy_numbers(numbers_);
  n_.entropy = numbers_.add("entropy", shown);
  n_.effective_samples = numbers_.add("effective_samples", shown);
  n_.sigma = numbers_.add("sigma", shown);
  n_.loss_posterior = numbers_.add("loss_posterior", loss);
  n_.loss_generator = numbers_.add("loss_generator", loss);
}

void Vera::make_draws(const Features& latent, const Features& image) {
  const int64_t batch = training_.batch, steps = training_.energy_steps;
  z_ = draws_.normal("z", Stream::z, {batch, latent, steps});
  noise_ = draws_.normal("noise", Stream::noise, {batch, image, steps});
  importance_ = draws_.normal("importance", Stream::importance, {batch, latent, options_.importance_samples});
  posterior_noise_ = draws_.normal("posterior", Stream::posterior, {batch, latent});
}

void Vera::draw_for_energy_step() {
  const Range range(kernels_, "draws");
  draw_data(upper_->data());
  for (const Draw& draw : {z_, noise_}) draws_.fill(draw);
}

void Vera::run(Watcher* watcher) {
  const int64_t last = training_.energy_steps - 1;
  for (int64_t step = 0; step < last; ++step) {
    energy_forward(step);
    energy_backward();
  }
  energy_forward(last);
  if (watcher != nullptr) tell_energies(*watcher, *upper_);
  kernels_.concurrently([this] { energy_backward(); }, [this] { estimate_score(); });
  generator_step();
  posterior_step();
  const Range range(kernels_, "generator step");
  count_iteration();
  if (watcher != nullptr) watcher->see("energy_generator", energies_);
}

/// theta: minimise mean E(x) - mean E(x~) + penalty_weight / 2 mean ||grad E(x)||^2
/// The draws, x~ = g(h) + sigma eps with batch statistics, which moves the running ones, and L_E.
void Vera::energy_forward(int64_t step) {
  const Range range(kernels_, "energy step");
  energy().round_parameters();
  generator().round_parameters();
  if (step == 0) draw_for_energy_step();
  take_data(step, upper_->data());
  const ConstView h = z_.of_step(step), eps = noise_.of_step(step);
  kernels_.run(JoinColumns{.rows = inputs_.rows(),
                           .columns = inputs_.columns(),
                           .left_columns = h.columns(),
                           .left = h,
                           .right = eps,
                           .right_step = eps.columns(),
                           .out = inputs_.view()});
  generator().forward(*samples_trace_, inputs_, upper_->samples());
  upper_->prepare({});
  upper_->forward();
  upper_->loss({}, n_.energy);
}

void Vera::energy_backward() {
  const Range range(kernels_, "energy step");
  upper_->backward();
  energy_.step(clock());
  energy().round_parameters();  // for the generator's step
}

/// y = g(h) for B rows h, a batch of its own.
void Vera::mean_of(ConstView h, View y) {
  kernels_.run(JoinColumns{.rows = h.rows,
                           .columns = mean_inputs_.columns(),
                           .left_columns = h.columns(),
                           .left = h,
                           .right = nullptr,
                           .right_step = y.columns(),
                           .out = mean_inputs_.view()});
  generator().forward(*means_trace_, mean_inputs_, y);
}

/// c = sum_k w_k (x~ - g(h_k)) / sigma^2, which estimates -grad log p(x~): concerns the generator alone.
void Vera::estimate_score() {
  const Range range(kernels_, "generator step");
  for (const Draw& draw : {importance_, posterior_noise_}) draws_.fill(draw);
  const int64_t batch = training_.batch, count = options_.importance_samples;
  const ConstView h = z_.of_step(training_.energy_steps - 1), eta = importance_.all(), x = samples();
  kernels_.run(AddPosteriorNoise{.rows = points_.rows(),
                                 .columns = h.columns(),
                                 .samples = batch,
                                 .h = h.data,
                                 .eta = eta.data,
                                 .post_logsigma = post_logsigma_.value,
                                 .out = points_.data()});
  for (int64_t k = 0; k < count; ++k)
    mean_of(points_.row_range(k * batch, batch), means_.row_range(k * batch, batch));
  kernels_.run(ImportanceRatio{.rows = points_.rows(),
                               .samples = batch,
                               .domain = h.columns(),
                               .range = x.columns(),
                               .x = x.data,
                               .g = means_.data(),
                               .h = points_.data(),
                               .eta = eta.data,
                               .logsigma = logsigma_.value,
                               .log_ratio = log_ratios_.data()});
  kernels_.run(ImportanceWeights{.rows = batch,
                                 .points = count,
                                 .log_ratio = log_ratios_.data(),
                                 .weight = weights_.data(),
                                 .effective = effective_.data()});
  kernels_.run(ImportanceScore{.rows = batch,
                               .range = x.columns(),
                               .points = count,
                               .x = x.data,
                               .g = means_.data(),
                               .weight = weights_.data(),
                               .logsigma = logsigma_.value,
                               .c = score_.data(),
                               .entropy = entropies_.data()});
}

/// g and sigma: minimise mean E(x~) - entropy_weight mean <c, x~> at constant c, on the energy step's x~.
void Vera::generator_step() {
  const Range range(kernels_, "generator step");
  const auto entropy_weight = static_cast<float>(options_.entropy_weight);
  energy().forward(*energy_trace_, samples(), energies_);
  energy().vjp(*energy_trace_, shares_, samples_bar_, Gradient::ignore);
  kernels_.run(EntropyCotangent{.rows = samples_bar_.rows(),
                                .columns = samples_bar_.columns(),
                                .entropy_weight = entropy_weight / static_cast<float>(count_of(ranks())),
                                .c = score_.data(),
                                .x_bar = samples_bar_.data()});
  generator().vjp(*samples_trace_, samples_bar_, {}, Gradient::overwrite);
  kernels_.run(VeraGeneratorObjective{.samples = whole_batch(),
                                      .entropy_weight = entropy_weight,
                                      .energy = all_energies_.gather(energies_.data()),
                                      .entropy = all_entropies_.gather(entropies_.data()),
                                      .effective = all_effective_.gather(effective_.data()),
                                      .logsigma = logsigma_.value,
                                      .mean_entropy = n_.entropy,
                                      .mean_effective = n_.effective_samples,
                                      .loss = n_.loss_generator,
                                      .sigma = n_.sigma});
  generator_.step(clock());
  generator().round_parameters();  // for the posterior's step
}

/// s: minimise -mean [ log N(x~; g(h'), sigma^2 I) + log N(h'; 0, I) ] - sum_j log s_j, h' = h + s eta', at
/// constant x~ and with the generator just updated.
void Vera::posterior_step() {
  const Range range(kernels_, "posterior step");
  const int64_t batch = training_.batch;
  const ConstView h = z_.of_step(training_.energy_steps - 1), eta = posterior_noise_.all(), x = samples();
  const View point = points_.row_range(0, batch), mean = means_.row_range(0, batch);
  kernels_.run(AddPosteriorNoise{.rows = batch,
                                 .columns = h.columns(),
                                 .samples = batch,
                                 .h = h.data,
                                 .eta = eta.data,
                                 .post_logsigma = post_logsigma_.value,
                                 .out = point.data});
  mean_of(point, mean);
  kernels_.run(PosteriorSurprise{.rows = batch,
                                 .domain = h.columns(),
                                 .range = x.columns(),
                                 .x = x.data,
                                 .g = mean.data,
                                 .h = point.data,
                                 .logsigma = logsigma_.value,
                                 .y_bar = samples_bar_.data(),
                                 .value = surprises_.data()});
  generator().vjp(*means_trace_, samples_bar_, inputs_bar_, Gradient::ignore);
  kernels_.run(JoinColumns{.rows = batch,
                           .columns = h.columns(),
                           .right = inputs_bar_.view(),
                           .right_step = inputs_bar_.columns(),
                           .out = points_bar_.view()});
  kernels_.run(PosteriorGradient{.rows = batch,
                                 .columns = h.columns(),
                                 .h_bar = points_bar_.data(),
                                 .h = point.data,
                                 .eta = eta.data,
                                 .post_logsigma = post_logsigma_.value,
                                 .post_logsigma_bar = post_logsigma_.gradient});
  if (!rank_share_.empty()) {  // L_P of these rows: the loss is the mean over all ranks
    const View gradients = posterior_.network().parameters().gradients();
    kernels_.run(ScaleBy{.columns = gradients.size(), .factor = rank_share_.data(), .x = gradients.data});
  }
  kernels_.run(PosteriorObjective{.samples = whole_batch(),
                                  .domain = h.columns(),
                                  .value = all_surprises_.gather(surprises_.data()),
                                  .post_logsigma = post_logsigma_.value,
                                  .loss = n_.loss_posterior});
  posterior_.step(clock());
}

std::unique_ptr<Sampler> Vera::sampler(int64_t chunk) {
  return std::make_unique<NoisySampler>(kernels_, generator_.evaluated(), chunk);
}

std::vector<NamedSampler> Vera::samplers(int64_t chunk) {
  constexpr uint32_t after_the_others = 8;  // from Stream::evaluation on; other purposes have those before
  const NoiseStream noise{static_cast<uint64_t>(training_.seed),
                          static_cast<uint32_t>(Stream::evaluation) + after_the_others};
  std::vector<NamedSampler> list = Method::samplers(chunk);
  list.push_back({"noisy", std::make_unique<NoisySampler>(kernels_, generator_.evaluated(), chunk, noise)});
  return list;
}

Network& Vera::measured_generator() {
  if (!mean_) mean_.emplace(kernels_, make_mean_());
  const auto copy = [&](const std::deque<Parameter>& to, const std::deque<Parameter>& from) {
    for (const Parameter& parameter : to) {
      const auto same = std::find_if(from.begin(), from.end(), [&](const Parameter& other) {
        return other.name == "g." + parameter.name;
      });
      kernels_.copy(parameter.value, same->value, parameter.size * static_cast<int64_t>(sizeof(float)));
    }
  };
  const Parameters &to = mean_->parameters(), &from = generator_.evaluated().parameters();
  copy(to.trainable(), from.trainable());
  copy(to.statistics(), from.statistics());
  return *mean_;
}

}  // namespace ebm
