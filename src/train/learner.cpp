// SPDX-License-Identifier: MIT
#include "train/learner.h"

#include <utility>

namespace ebm {

Learner::Learner(Kernels& kernels, std::string name, const LayerMaker& layers, double lr,
                 const OptimiserOptions& options)
    : kernels_(kernels),
      name_(std::move(name)),
      network_(kernels, layers()),
      average_(options.ema > 0 ? std::make_unique<Network>(kernels, layers()) : nullptr),
      lr_(lr),
      options_(options),
      first_moments_(kernels, network_.parameters().values().size()),
      second_moments_(kernels, network_.parameters().values().size()),
      steps_(kernels, 1),
      schedule_(kernels, 2) {
  if (shares_batches() && options.sync_batch_norm) network_.share_statistics(options.ranks);
  if (shares_batches() && !options.sync_batch_norm && network_.couples_samples(Statistics::batch))
    rank_share_ = Buffer<float>(kernels, std::vector<float>{1 / static_cast<float>(options.ranks->size())});
  if (options.clip_gradient_norm <= 0) return;
  partial_norms_ = Buffer<double>(kernels, SquaredNorm::chunks(network_.parameters().values().size()));
  clip_ = Buffer<float>(kernels, 1);
}

void Learner::initialize(uint64_t seed, uint32_t stream, Initial initial) {
  network_.initialize(seed, stream, initial);
  for (const View moments : {first_moments(), second_moments()})
    kernels_.zero(moments.data, moments.size() * static_cast<int64_t>(sizeof(float)));
  const int64_t none = 0;
  steps_.upload(std::span<const int64_t>(&none, 1));
  if (average_ == nullptr) return;
  copy(network_.parameters().values(), average_->parameters().values());
  copy_statistics();
}

void Learner::copy_statistics() {
  if (average_ == nullptr) return;
  copy(network_.parameters().statistics_values(), average_->parameters().statistics_values());
}

void Learner::copy(ConstView from, View to) {
  if (!from.empty()) kernels_.copy(to.data, from.data, from.bytes());
}

void Learner::share_statistics() {
  if (rank_share_.empty()) return;
  for (const Network* network : {static_cast<const Network*>(&network_), average()}) {
    if (network == nullptr) continue;
    const View statistics = network->parameters().statistics_values();
    if (statistics.empty()) continue;
    options_.ranks->all_reduce(statistics, Type::float32);
    kernels_.run(ScaleBy{.columns = statistics.size(), .factor = rank_share_.data(), .x = statistics.data});
  }
}

/// The factor that shortens the gradient, on the device; null: none.
const float* Learner::clip() {
  if (clip_.empty()) return nullptr;
  const View gradients = network_.parameters().gradients();
  kernels_.run(SquaredNorm{.rows = partial_norms_.size(),
                           .size = gradients.size(),
                           .x = gradients.data,
                           .partial = partial_norms_.data()});
  kernels_.run(ClipFactor{.count = partial_norms_.size(),
                          .limit = options_.clip_gradient_norm,
                          .partial = partial_norms_.data(),
                          .factor = clip_.data()});
  return clip_.data();
}

/// Moves the average after the parameters; running statistics are copied as they are at this step.
void Learner::follow() {
  if (average_ == nullptr) return;
  const View values = network_.parameters().values();
  kernels_.run(ExponentialAverage{.columns = values.size(),
                                  .decay = options_.ema,
                                  .value = values.data,
                                  .average = average_->parameters().values().data});
  copy_statistics();
}

void Learner::limit(const Parameter& parameter, float low, float high) {
  limits_.push_back({.columns = parameter.size, .low = low, .high = high, .x = parameter.value});
}

void Learner::step(const IterationClock& clock) {
  const Range range(kernels_, "adam");
  const AdamOptions& adam = options_.adam;
  const Parameters& parameters = network_.parameters();
  const int64_t size = parameters.values().size();
  if (shares_batches()) options_.ranks->all_reduce(parameters.gradients(), options_.gradient_travel);
  kernels_.run(AdamSchedule{.lr = lr_,
                            .beta1 = adam.beta1,
                            .beta2 = adam.beta2,
                            .rate = options_.schedule,
                            .iteration = options_.schedule.changes() ? clock.iteration : nullptr,
                            .step = steps_.data(),
                            .schedule = schedule_.data()});
  kernels_.run(AdamStep{.rows = AdamStep::chunks(size),
                        .size = size,
                        .beta1 = adam.beta1,
                        .beta2 = adam.beta2,
                        .eps = static_cast<float>(adam.epsilon),
                        .weight_decay = static_cast<float>(options_.weight_decay),
                        .schedule = schedule_.data(),
                        .gradient_factor = clip(),
                        .gradient = parameters.gradients().data,
                        .value = parameters.values().data,
                        .first = first_moments_.data(),
                        .second = second_moments_.data(),
                        .not_finite = clock.not_finite});
  for (const ClampParameter& clamp : limits_) kernels_.run(clamp);
  follow();
}

}  // namespace ebm
