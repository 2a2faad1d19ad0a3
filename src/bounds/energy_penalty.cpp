// SPDX-License-Identifier: MIT
#include "bounds/energy_penalty.h"

#include <algorithm>

namespace ebm {

namespace {

Tensor constant_rows(Kernels& kernels, const std::vector<float>& values) {
  Tensor tensor(kernels, static_cast<int64_t>(values.size()), flat(1));
  tensor.upload(values);
  return tensor;
}

}  // namespace

EnergyPenalty::EnergyPenalty(Kernels& kernels, Network& energy, int64_t batch,
                             const EnergyPenaltyOptions& options, Precision precision, Rows rows)
    : kernels_(kernels),
      energy_(energy),
      batch_(batch),
      options_(options),
      whole_batch_(batch * count_of(options.ranks)) {
  const EnergyPenaltyKind kind = options.kind;
  values_ = kind == EnergyPenaltyKind::gp_interpolated ? 3 * batch : 2 * batch;
  const bool at_data = kind == EnergyPenaltyKind::gp_real || kind == EnergyPenaltyKind::none;
  real_row_ = at_data ? 0 : values_ - batch;
  fake_row_ = at_data || kind == EnergyPenaltyKind::gp_interpolated ? batch : 0;
  inputs_ = Tensor(kernels, values_ + batch, energy.input());
  outputs_ = Tensor(kernels, values_ + batch, flat(1));
  part_rows_ = rows == Rows::together ? values_ : batch;
  parts_.push_back(energy.make_trace({.batch = part_rows_,
                                      .tangents = has_tangents() ? 1 : 0,
                                      .tangent_samples = has_tangents() ? batch : 0,
                                      .precision = precision}));
  while (std::ssize(parts_) * part_rows_ < values_) {
    parts_.push_back(energy.make_trace({.batch = part_rows_, .precision = precision}));
  }

  std::vector<float> weights(static_cast<size_t>(values_), 0.0f);
  const float share = 1 / static_cast<float>(whole_batch_);
  std::fill_n(weights.begin() + real_row_, batch, share);
  std::fill_n(weights.begin() + fake_row_, batch, -share);
  value_weights_ = constant_rows(kernels, weights);
  tangent_weights_ = Tensor(kernels, batch, flat(1));
  const auto shared = [&](int64_t numbers) {
    return SharedRows<float>(kernels, options.ranks, batch * numbers);
  };
  for (SharedRows<float>* rows : {&shared_.real, &shared_.fake, &shared_.directional, &shared_.target,
                                  &shared_.norm_v0, &shared_.good, &shared_.c})
    *rows = shared(1);
  if (options.samples == SampleWeighting::importance) {
    log_density_ = Buffer<double>(kernels, whole_batch_);
    shared_.z = shared(energy.input().size());  // d = D
    shared_.log_det = shared(1);
    shared_.cotangent = shared(1);
  }
  ones_ = constant_rows(kernels, std::vector<float>(static_cast<size_t>(part_rows_), 1.0f));
}

void EnergyPenalty::forward_others() {
  // Data lie in the last rows, unless they are the points: running statistics see data before samples.
  for (size_t i = parts_.size() - 1; i > 0; --i) {
    energy_.forward(*parts_[i], part(inputs_, i), part(outputs_, i));
  }
}

/// `fake`: E(x~) of all ranks.
void EnergyPenalty::weigh_samples(const Draw& draw, const EnergyScalars& scalars, const float* fake) {
  float* const cotangent = value_weights_.row_range(fake_row_, batch_).data;
  kernels_.run(LogSampleDensity{.rows = whole_batch_,
                                .domain = draw.z.columns(),
                                .wide = options_.wide,
                                .z = shared_.z.gather(draw.z.data),
                                .log_det = shared_.log_det.gather(draw.log_det.data),
                                .log_q = log_density_.data()});
  kernels_.run(SampleWeights{.points = whole_batch_,
                             .energy = fake,
                             .log_q = log_density_.data(),
                             .good = shared_.good.gather(draw.good.data),
                             .cotangent = shared_.cotangent.all_or(cotangent),
                             .log_z = scalars.log_z,
                             .effective = scalars.effective_samples});
  shared_.cotangent.take(cotangent);
}

void EnergyPenalty::loss(const Draw& draw, const EnergyScalars& scalars) {
  const Range range(kernels_, "upper bound");
  const bool weighed = options_.samples == SampleWeighting::importance;
  const float* const fake = shared_.fake.gather(energy_fake().data);
  if (weighed) weigh_samples(draw, scalars, fake);
  EnergyObjective loss = objective(draw);
  loss.samples = whole_batch_;
  loss.weight = static_cast<float>(options_.weight);
  loss.hinge = static_cast<float>(options_.hinge);
  loss.real = shared_.real.gather(energy_real().data);
  loss.fake = fake;
  loss.directional = shared_.directional.gather(directional().data);
  loss.target = shared_.target.gather(loss.target);
  loss.norm_v0 = shared_.norm_v0.gather(loss.norm_v0);
  loss.good = shared_.good.gather(loss.good);
  loss.c = has_tangents() ? shared_.c.all_or(tangent_weights_.data()) : nullptr;
  loss.mean_real = scalars.energy_real;
  loss.mean_fake = scalars.energy_fake;
  loss.penalty = scalars.penalty;
  loss.loss = scalars.loss;
  loss.log_z = weighed ? scalars.log_z : nullptr;
  kernels_.run(loss);
  if (has_tangents()) shared_.c.take(tangent_weights_.data());
}

void EnergyPenalty::backward() {
  const Range range(kernels_, "upper bound");
  const bool shared =
      options_.backward == PairBackward::automatic && energy_.piecewise_linear(trace().options.statistics);
  const ConstView weights = part(value_weights_, 0);
  if (!has_tangents()) {
    energy_.vjp(trace(), weights, {}, Gradient::overwrite);
  } else if (shared) {
    energy_.vjp_shared(trace(), ones_, {weights.data, tangent_weights_.data()}, {}, Gradient::overwrite);
  } else {
    energy_.vjp_of_jvp(trace(), {weights, tangent_weights_}, {}, Gradient::overwrite);
  }
  for (size_t i = 1; i < parts_.size(); ++i) {
    energy_.vjp(*parts_[i], part(value_weights_, i), {}, Gradient::accumulate);
  }
}

// --- eq. 15, 18-20

class BidirectionalPenalty final : public EnergyPenalty {
 public:
  BidirectionalPenalty(Kernels& kernels, Network& energy, EntropyBound& lower, int64_t batch,
                       const EnergyPenaltyOptions& options, Precision precision)
      : EnergyPenalty(kernels, energy, batch, options, precision,
                      energy.couples_samples(Statistics::batch) ? Rows::apart : Rows::together),
        lower_(lower),
        score_(kernels, batch, flat(lower.jacobian().domain())),
        target_(kernels, batch, flat(1)),
        norm_v0_(kernels, batch, flat(1)) {}

  ConstView score() const override { return score_; }

  void prepare(const Draw&) override {}  // the directions are the caller's

  void forward() override {
    const Range range(kernels_, "upper bound");
    forward_others();
    energy_.forward_jvp(trace(), {inputs(), directions()}, {outputs(), directional_outputs()});
  }

 protected:
  /// Of this rank's samples: loss() gathers them.
  EnergyObjective objective(const Draw& draw) override {
    kernels_.run(GeneratorScore{.rows = batch_,
                                .domain = draw.z.columns(),
                                .z = draw.z.data,
                                .z_bar = draw.z_score.data,
                                .v0 = draw.v0.data,
                                .a = score_.data(),
                                .target = target_.data(),
                                .norm_v0 = norm_v0_.data()});
    EnergyObjective loss{};
    loss.domain = score_.columns();
    loss.kind = PenaltyKind::bidirectional;
    loss.normaliser = options_.normaliser;
    loss.target = target_.data();
    loss.norm_v0 = norm_v0_.data();
    loss.good = lower_.good().data;
    return loss;
  }

 private:
  EntropyBound& lower_;
  Tensor score_, target_, norm_v0_;
};

// --- the zero-centred gradient penalty, or none

class GradientPenalty final : public EnergyPenalty {
 public:
  GradientPenalty(Kernels& kernels, Network& energy, int64_t batch, const EnergyPenaltyOptions& options,
                  Precision precision)
      : EnergyPenalty(kernels, energy, batch, options, precision, Rows::apart) {}

  void prepare(const Draw& draw) override {
    if (options_.kind != EnergyPenaltyKind::gp_interpolated) return;
    const Range range(kernels_, "upper bound");
    kernels_.run(Interpolate{.rows = batch_,
                             .columns = points().columns(),
                             .alpha = draw.alpha.data,
                             .x = data().data,
                             .y = samples().data,
                             .out = points().data});
  }

  void forward() override {
    const Range range(kernels_, "upper bound");
    const bool data_first =
        options_.kind == EnergyPenaltyKind::gp_real || options_.kind == EnergyPenaltyKind::none;
    if (!data_first) forward_others();
    energy_.forward(trace(), points(), outputs());
    if (data_first) forward_others();
    if (!has_tangents()) return;
    energy_.vjp(trace(), unit_cotangents(), directions(), Gradient::ignore);
    energy_.jvp(trace(), directions(), directional_outputs());
  }

 protected:
  EnergyObjective objective(const Draw&) override {
    EnergyObjective loss{};
    loss.kind = PenaltyKind::gradient_norm;
    loss.normaliser = PenaltyNormaliser::none;
    return loss;
  }
};

std::unique_ptr<EnergyPenalty> make_energy_penalty(Kernels& kernels, Network& energy, EntropyBound* lower,
                                                   int64_t batch, const EnergyPenaltyOptions& options,
                                                   Precision precision) {
  if (options.kind != EnergyPenaltyKind::bidirectional) {
    return std::make_unique<GradientPenalty>(kernels, energy, batch, options, precision);
  }
  if (lower == nullptr)
    throw Error("the bidirectional upper bound needs a lower bound's Jacobian; choose a lower bound");
  return std::make_unique<BidirectionalPenalty>(kernels, energy, *lower, batch, options, precision);
}

}  // namespace ebm
