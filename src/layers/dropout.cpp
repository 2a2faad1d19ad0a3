// SPDX-License-Identifier: MIT
#include "layers/dropout.h"

namespace ebm {

namespace {

struct DropoutTrace : Trace {
  DropoutTrace(Kernels& kernels, const TraceOptions& options, std::shared_ptr<Scratch> scratch,
               int64_t choices)
      : Trace(kernels, options, std::move(scratch)),
        forwards(kernels, std::vector<uint64_t>{0}),
        u(kernels, options.batch, flat(choices)) {}
  Buffer<uint64_t> forwards;  // so far
  Tensor u;                   // batch x choices
};

bool drops(const Trace& trace) {
  return trace.options.statistics == Statistics::batch;
}

}  // namespace

DropoutLayer::DropoutLayer(const Features& features, float p, Dropped dropped, uint64_t seed)
    : Layer(features, features), p_(p), dropped_(dropped), seed_(seed) {
  if (!(p >= 0 && p < 1)) throw Error("a dropout of " + std::to_string(p) + " is none; give 0 <= p < 1");
}

std::unique_ptr<Trace> DropoutLayer::make_trace(Kernels& kernels, const TraceOptions& options,
                                                std::shared_ptr<Scratch> scratch) const {
  const int64_t choices = dropped_ == Dropped::channels ? input().channels : input().size();
  return std::make_unique<DropoutTrace>(kernels, options, std::move(scratch), choices);
}

void DropoutLayer::drop(Trace& trace, int64_t samples, ConstView in, View out) const {
  if (out.empty()) return;
  if (!drops(trace)) return trace.kernels.copy(out.data, in.data, in.bytes());
  const Tensor& u = static_cast<DropoutTrace&>(trace).u;
  trace.kernels.run(Dropout{.rows = in.rows,
                            .columns = in.columns(),
                            .samples = samples,
                            .choices = u.columns(),
                            .p = p_,
                            .u = u.data(),
                            .in = in,
                            .out = out});
}

void DropoutLayer::do_forward(Trace& trace, View y) const {
  if (drops(trace)) {
    auto& own = static_cast<DropoutTrace&>(trace);
    constexpr uint32_t stream = 1;
    trace.kernels.noise({Distribution::uniform, seed_, stream, own.forwards.data()}, own.u);
    trace.kernels.run(Advance{.counter = own.forwards.data()});
  }
  drop(trace, trace.options.batch, trace.x, y);
}

void DropoutLayer::do_jvp(Trace& trace, View y_dot) const {
  drop(trace, trace.tangent_samples(), trace.x_dot, y_dot);
}

void DropoutLayer::do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient) const {
  drop(trace, trace.options.batch, y_bar, x_bar);
}

void DropoutLayer::do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient) const {
  if (!y_bar.value.empty()) drop(trace, trace.options.batch, y_bar.value, x_bar.value);
  drop(trace, trace.tangent_samples(), y_bar.tangent, x_bar.tangent);
}

void DropoutLayer::do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights&, View x_bar,
                                 Gradient) const {
  drop(trace, trace.options.batch, y_bar, x_bar);
}

}  // namespace ebm
