// SPDX-License-Identifier: MIT
#include "layers/batch_norm.h"

#include "parallel/communicator.h"

namespace ebm {

namespace {

struct BatchNormTrace : Trace {
  BatchNormTrace(Kernels& kernels, const TraceOptions& options, std::shared_ptr<Scratch> scratch,
                 int64_t channels)
      : Trace(kernels, options, std::move(scratch)),
        mean(kernels, channels),
        inv_std(kernels, channels),
        sum_bar(kernels, channels),
        sum_xh_bar(kernels, channels),
        sum_pairing(kernels, channels),
        sum_x_dot(kernels, channels * options.tangents),
        sum_xh_x_dot(kernels, channels * options.tangents) {
    if (!shared()) return;
    rank_sums = Buffer<double>(kernels, 2 * channels * options.ranks->size());
    rank_share = Buffer<float>(kernels, std::vector<float>{1 / static_cast<float>(options.ranks->size())});
  }
  bool shared() const { return options.statistics == Statistics::batch && count_of(options.ranks) > 1; }
  /// Each sum (of so many channels) = the mean over the ranks of theirs, where several share the batch.
  void share(std::initializer_list<float*> sums, int64_t channels) {
    if (!shared()) return;
    for (float* sum : sums) {
      options.ranks->all_reduce({sum, 1, flat(channels)}, Type::float32);
      kernels.run(ScaleBy{.columns = channels, .factor = rank_share.data(), .x = sum});
    }
  }
  Buffer<float> mean, inv_std;            // m, s
  Buffer<float> sum_bar, sum_xh_bar;      // of one cotangent block
  Buffer<float> sum_pairing;              // sum x_dot y_dot_bar of one tangent
  Buffer<float> sum_x_dot, sum_xh_x_dot;  // tangents x channels, from the jvp
  Buffer<double> rank_sums;               // ranks x 2 x channels, of BatchNormRankSums
  Buffer<float> rank_share;               // 1 / (number of ranks)
  ConstView y;                            // the output, which the activation's derivative is told from
};

BatchNormTrace& of(Trace& trace) {
  return static_cast<BatchNormTrace&>(trace);
}

int64_t channels(ConstView v) {
  return v.features.channels;
}
/// Rows in the sense of batch norm: every pixel of every sample.
int64_t pixels(ConstView v) {
  return v.size() / v.features.channels;
}

void sums_of(BatchNormTrace& trace, ConstView in, float* sum_u, float* sum_xhu, Mask mask = {}) {
  trace.kernels.run(BatchNormProjections{.rows = pixels(in),
                                         .columns = channels(in),
                                         .x = trace.x,
                                         .mean = trace.mean.data(),
                                         .inv_std = trace.inv_std.data(),
                                         .in = in,
                                         .sum_u = sum_u,
                                         .sum_xhu = sum_xhu,
                                         .mask = mask});
  trace.share({sum_u, sum_xhu}, channels(in));
}

int64_t bytes_of(const Parameter& parameter) {
  return parameter.size * static_cast<int64_t>(sizeof(float));
}

ConstView tangent_block(ConstView tangents, int64_t samples, int64_t t) {
  return tangents.row_range(t * samples, samples);
}

}  // namespace

void BatchNorm::take_bias_of(AffineLayer& before) {
  before.leave_bias();
  before_ = &before;
}

void BatchNorm::declare(Parameters& parameters, const std::string& prefix) {
  const int64_t c = input().channels;
  const auto constant = [](float value) { return Initialization{Initialization::Kind::constant, value}; };
  weight_ = parameters.add(prefix + "weight", {c}, Role::scale, constant(1));
  bias_ = parameters.add(prefix + "bias", {c}, Role::bias, constant(0));
  running_mean_ = parameters.add_statistic(prefix + "running_mean", {c}, constant(0));
  running_var_ = parameters.add_statistic(prefix + "running_var", {c}, constant(1));
}

std::unique_ptr<Trace> BatchNorm::make_trace(Kernels& kernels, const TraceOptions& options,
                                             std::shared_ptr<Scratch> scratch) const {
  if (options.statistics == Statistics::batch) {
    if (options.batch * input().height * input().width < 2) {
      throw Error(
          "batch norm needs more than one value in a channel for batch statistics; use a larger batch");
    }
    if (options.tangent_samples != 0 && options.tangent_samples != options.batch) {
      throw Error(
          "batch norm with batch statistics couples all samples: a part of them cannot have tangents; use a "
          "network without batch norm");
    }
  }
  auto trace = std::make_unique<BatchNormTrace>(kernels, options, std::move(scratch), input().channels);
  const int64_t tangent_rows = options.tangents * trace->tangent_samples();
  if (tangent_rows > 0)
    trace->scratch->reserve(floats_of(options.batch * input().size(), options.type()));  // mix_tangents
  if (activation_.present() && options.statistics == Statistics::batch) {
    trace->scratch->reserve(
        floats_of((options.batch + tangent_rows) * input().size(), options.type()));  // masked
  }
  return trace;
}

/// The activation's derivative for rows of `samples` samples.
Mask BatchNorm::mask(Trace& trace, int64_t samples) const {
  if (!activation_.present()) return {};
  return {.y = of(trace).y, .rows = samples * input().pixels(), .slope = activation_.slope};
}

/// The cotangents before the activation, where the formulas of batch statistics want them in memory: those of
/// tangents.
ConstPair BatchNorm::masked(Trace& trace, ConstPair y_bar) const {
  if (!activation_.present()) return y_bar;
  return masked_cotangents(trace, activation_, of(trace).y, y_bar, trace.scratch->data());
}

/// m and s of the rows of this batch, or of all ranks'.
void BatchNorm::batch_statistics(Trace& base, ConstView y) const {
  BatchNormTrace& trace = of(base);
  BatchNormStatistics of_batch{.rows = pixels(y),
                               .columns = channels(y),
                               .x = trace.x,
                               .eps = eps_,
                               .momentum = momentum_,
                               .mean = trace.mean.data(),
                               .inv_std = trace.inv_std.data(),
                               .running_mean = running_mean_->value,
                               .running_var = running_var_->value,
                               .bias_before = bias_before()};
  if (!trace.shared()) return trace.kernels.run(of_batch);
  Communicator& ranks = *trace.options.ranks;
  const int64_t count = 2 * channels(y);
  trace.kernels.run(BatchNormRankSums{.rows = pixels(y),
                                      .columns = channels(y),
                                      .x = trace.x,
                                      .sums = trace.rank_sums.data() + ranks.rank() * count});
  ranks.all_gather(trace.rank_sums.data(), count * static_cast<int64_t>(sizeof(double)));
  of_batch.rows *= ranks.size();
  of_batch.x = nullptr;
  trace.kernels.run(BatchNormOfRanks{
      .columns = channels(y), .ranks = ranks.size(), .sums = trace.rank_sums.data(), .of_all = of_batch});
}

void BatchNorm::do_forward(Trace& base, View y) const {
  BatchNormTrace& trace = of(base);
  trace.y = y;
  if (trace.options.statistics == Statistics::batch) {
    batch_statistics(trace, y);
  } else {
    trace.kernels.run(BatchNormRunning{.columns = channels(y),
                                       .running_mean = running_mean_->value,
                                       .running_var = running_var_->value,
                                       .eps = eps_,
                                       .mean = trace.mean.data(),
                                       .inv_std = trace.inv_std.data(),
                                       .bias_before = bias_before()});
  }
  trace.kernels.run(BatchNormApply{.rows = pixels(y),
                                   .columns = channels(y),
                                   .x = trace.x,
                                   .mean = trace.mean.data(),
                                   .inv_std = trace.inv_std.data(),
                                   .weight = weight_->value,
                                   .bias = bias_->value,
                                   .y = y,
                                   .slope = activation_.slope});
}

/// out = g s in, masked.
void BatchNorm::scale(Trace& base, int64_t samples, ConstView in, View out) const {
  base.kernels.run(BatchNormScale{.rows = pixels(in),
                                  .columns = channels(in),
                                  .in = in,
                                  .inv_std = of(base).inv_std.data(),
                                  .weight = weight_->value,
                                  .out = out,
                                  .mask = mask(base, samples)});
}

/// out (+)= g s P u with u = mask in, from the sums of u.
void BatchNorm::project(Trace& base, ConstView in, const float* sum_u, const float* sum_xhu, View out,
                        Mask mask) const {
  const BatchNormTrace& trace = of(base);
  trace.kernels.run(BatchNormProject{.rows = pixels(in),
                                     .columns = channels(in),
                                     .x = trace.x,
                                     .mean = trace.mean.data(),
                                     .inv_std = trace.inv_std.data(),
                                     .weight = weight_->value,
                                     .in = in,
                                     .sum_u = sum_u,
                                     .sum_xhu = sum_xhu,
                                     .out = out,
                                     .mode = Write::overwrite,
                                     .mask = mask});
}

void BatchNorm::do_jvp(Trace& base, View y_dot) const {
  BatchNormTrace& trace = of(base);
  const int64_t samples = trace.tangent_samples(), c = input().channels;
  if (trace.options.statistics == Statistics::running) {
    scale(trace, samples, trace.x_dot, y_dot);
    return;
  }
  for (int64_t t = 0; t < trace.x_dot.rows / samples; ++t) {
    const ConstView x_dot = tangent_block(trace.x_dot, samples, t);
    float *sum = trace.sum_x_dot.data() + t * c, *sum_xh = trace.sum_xh_x_dot.data() + t * c;
    sums_of(trace, x_dot, sum, sum_xh);
    project(trace, x_dot, sum, sum_xh, y_dot.row_range(t * samples, samples), {});
  }
  if (activation_.present()) mask_tangents(trace, activation_, trace.y, y_dot);
}

/// The values' chain from the cotangent mask y_bar: parameter gradients (weight_bar, bias_bar) and x_bar.
void BatchNorm::values_backward(Trace& base, ConstView y_bar, Mask mask, View x_bar, Gradient gradient,
                                Write mode) const {
  BatchNormTrace& trace = of(base);
  const bool running = trace.options.statistics == Statistics::running;
  if (gradient != Gradient::ignore) {
    trace.kernels.run(BatchNormBackward{.rows = pixels(y_bar),
                                        .columns = channels(y_bar),
                                        .x = trace.x,
                                        .mean = trace.mean.data(),
                                        .inv_std = trace.inv_std.data(),
                                        .weight = weight_->value,
                                        .y_bar = y_bar,
                                        .x_bar = running ? x_bar : View{},
                                        .weight_bar = weight_->gradient,
                                        .bias_bar = bias_->gradient,
                                        .mode = mode,
                                        .sum_bar = trace.sum_bar.data(),
                                        .sum_xh_bar = trace.sum_xh_bar.data(),
                                        .mask = mask});
    if (!x_bar.empty()) trace.share({trace.sum_bar.data(), trace.sum_xh_bar.data()}, channels(y_bar));
  } else if (running) {
    if (!x_bar.empty()) scale(trace, trace.options.batch, y_bar, x_bar);
  } else if (!x_bar.empty()) {
    sums_of(trace, y_bar, trace.sum_bar.data(), trace.sum_xh_bar.data(), mask);
  }
  if (!running && !x_bar.empty())
    project(trace, y_bar, trace.sum_bar.data(), trace.sum_xh_bar.data(), x_bar, mask);
}

void BatchNorm::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const {
  values_backward(trace, y_bar, mask(trace, trace.options.batch), x_bar, gradient, write_mode(gradient));
}

/// One tangent's chain with batch statistics: x_dot_bar, its share of x_bar and of weight_bar.
void BatchNorm::tangent_backward(Trace& base, int64_t t, ConstView y_dot_bar, Pair x_bar, Write x_bar_mode,
                                 Gradient gradient, Write mode) const {
  BatchNormTrace& trace = of(base);
  const int64_t samples = trace.tangent_samples(), c = input().channels;
  const ConstView x_dot = tangent_block(trace.x_dot, samples, t);
  const float *sum_x_dot = trace.sum_x_dot.data() + t * c, *sum_xh_x_dot = trace.sum_xh_x_dot.data() + t * c;
  float *sum_c = trace.sum_bar.data(), *sum_xh_c = trace.sum_xh_bar.data(),
        *pairing = trace.sum_pairing.data();
  sums_of(trace, y_dot_bar, sum_c, sum_xh_c);
  trace.kernels.run(
      BatchNormPairing{.rows = pixels(x_dot), .columns = c, .x_dot = x_dot, .c = y_dot_bar, .sum = pairing});
  trace.share({pairing}, c);
  if (!x_bar.tangent.empty()) project(trace, y_dot_bar, sum_c, sum_xh_c, x_bar.tangent, {});
  if (!x_bar.value.empty()) {
    trace.kernels.run(BatchNormCurvature{.rows = pixels(x_dot),
                                         .columns = c,
                                         .x = trace.x,
                                         .mean = trace.mean.data(),
                                         .inv_std = trace.inv_std.data(),
                                         .weight = weight_->value,
                                         .x_dot = x_dot,
                                         .sum_x_dot = sum_x_dot,
                                         .sum_xh_x_dot = sum_xh_x_dot,
                                         .c = y_dot_bar,
                                         .sum_c = sum_c,
                                         .sum_xh_c = sum_xh_c,
                                         .sum_c_x_dot = pairing,
                                         .x_bar = x_bar.value,
                                         .mode = x_bar_mode});
  }
  if (gradient != Gradient::ignore) {
    trace.kernels.run(BatchNormTangentWeight{.columns = c,
                                             .samples = pixels(x_dot),
                                             .inv_std = trace.inv_std.data(),
                                             .sum_x_dot = sum_x_dot,
                                             .sum_xh_x_dot = sum_xh_x_dot,
                                             .sum_c = sum_c,
                                             .sum_xh_c = sum_xh_c,
                                             .sum_c_x_dot = pairing,
                                             .weight_bar = weight_->gradient,
                                             .mode = mode});
  }
}

void BatchNorm::do_vjp_of_jvp(Trace& base, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  BatchNormTrace& trace = of(base);
  const bool running = trace.options.statistics == Statistics::running;
  if (!running) y_bar = masked(trace, y_bar);
  const bool has_value = !y_bar.value.empty();
  Write mode = write_mode(gradient);
  if (has_value) {
    const Mask left = running ? mask(trace, trace.options.batch) : Mask{};
    values_backward(trace, y_bar.value, left, x_bar.value, gradient, mode);
    mode = Write::accumulate;
  } else if (gradient == Gradient::overwrite) {  // a tangent does not see the bias
    trace.kernels.zero(bias_->gradient, bytes_of(*bias_));
  }
  if (!running) {
    const int64_t samples = trace.tangent_samples();
    for (int64_t t = 0; t < trace.x_dot.rows / samples; ++t) {
      const Pair parts{x_bar.value,
                       x_bar.tangent.empty() ? View{} : x_bar.tangent.row_range(t * samples, samples)};
      tangent_backward(trace, t, tangent_block(y_bar.tangent, samples, t), parts,
                       has_value || t > 0 ? Write::accumulate : Write::overwrite, gradient, mode);
      mode = Write::accumulate;
    }
  } else if (gradient != Gradient::ignore) {
    trace.kernels.run(BatchNormTangentBackward{.rows = pixels(y_bar.tangent),
                                               .columns = channels(y_bar.tangent),
                                               .inv_std = trace.inv_std.data(),
                                               .weight = weight_->value,
                                               .x_dot = trace.x_dot,
                                               .y_dot_bar = y_bar.tangent,
                                               .x_dot_bar = x_bar.tangent,
                                               .weight_bar = weight_->gradient,
                                               .mode = mode,
                                               .mask = mask(trace, trace.tangent_samples())});
  } else if (!x_bar.tangent.empty()) {
    scale(trace, trace.tangent_samples(), y_bar.tangent, x_bar.tangent);
  }
}

void BatchNorm::do_vjp_shared(Trace& base, ConstView y_bar, const SharedWeights& weights, View x_bar,
                              Gradient gradient) const {
  BatchNormTrace& trace = of(base);
  if (gradient == Gradient::ignore) {
    if (!x_bar.empty()) scale(trace, trace.options.batch, y_bar, x_bar);
    return;
  }
  if (weights.values == nullptr) {  // one tangent, as far as the parameters see
    if (gradient == Gradient::overwrite) trace.kernels.zero(bias_->gradient, bytes_of(*bias_));
    trace.kernels.run(BatchNormTangentBackward{.rows = pixels(y_bar),
                                               .columns = channels(y_bar),
                                               .inv_std = trace.inv_std.data(),
                                               .weight = weight_->value,
                                               .x_dot = mix_tangents(trace, weights),
                                               .y_dot_bar = y_bar,
                                               .x_dot_bar = x_bar,
                                               .weight_bar = weight_->gradient,
                                               .mode = write_mode(gradient),
                                               .mask = mask(trace, trace.options.batch)});
    return;
  }
  trace.kernels.run(BatchNormSharedBackward{.rows = pixels(y_bar),
                                            .columns = channels(y_bar),
                                            .pixels = input().height * input().width,
                                            .mixed = mix_tangents(trace, weights),
                                            .a = weights.values,
                                            .mean = trace.mean.data(),
                                            .inv_std = trace.inv_std.data(),
                                            .weight = weight_->value,
                                            .y_bar = y_bar,
                                            .x_bar = x_bar,
                                            .weight_bar = weight_->gradient,
                                            .bias_bar = bias_->gradient,
                                            .mode = write_mode(gradient),
                                            .mask = mask(trace, trace.options.batch)});
}

}  // namespace ebm
