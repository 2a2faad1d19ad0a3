// SPDX-License-Identifier: MIT
#include "layers/joined_inputs.h"

#include <utility>

#include "layers/pairs.h"

namespace ebm {

namespace {

struct JoinedTrace : Trace {
  using Trace::Trace;

  std::unique_ptr<Trace> trunk, head;
  Tensor inputs, features, joined;       // x; t; [t | z]: [values; tangents]
  int64_t features_bar{}, inputs_bar{};  // where cotangents begin in scratch memory, behind those of [t | z]

  Pair pair(View block, int64_t tangent_rows) const { return pair_in(block, options.batch, tangent_rows); }
  Pair cotangents(const Tensor& of, int64_t first, int64_t tangent_rows) const {
    return pair({scratch->data() + first, of.rows(), of.features(), options.type()}, tangent_rows);
  }
  Pair joined_cotangents(int64_t tangent_rows) const { return cotangents(joined, 0, tangent_rows); }
  Pair feature_cotangents(int64_t tangent_rows) const {
    return cotangents(features, features_bar, tangent_rows);
  }
  Pair input_cotangents(int64_t tangent_rows) const { return cotangents(inputs, inputs_bar, tangent_rows); }
};

JoinedTrace& of(Trace& trace) {
  return static_cast<JoinedTrace&>(trace);
}

int64_t joined_size(const Sequential::Child& trunk, const Sequential::Child& head) {
  const int64_t others = head.layer->input().size() - trunk.layer->output().size();
  if (others < 1 || head.layer->input().pixels() > 1) {
    throw Error("JoinedInputs: layer '" + head.name + "' takes " + to_string(head.layer->input()) +
                ", which is no flat input longer than what layer '" + trunk.name + "' gives, " +
                to_string(trunk.layer->output()));
  }
  return trunk.layer->input().size() + others;
}

}  // namespace

JoinedInputs::JoinedInputs(Sequential::Child trunk, Sequential::Child head)
    : Layer(flat(joined_size(trunk, head)), head.layer->output()),
      trunk_(std::move(trunk)),
      head_(std::move(head)) {}

void JoinedInputs::declare(Parameters& parameters, const std::string& prefix) {
  for (const Sequential::Child* child : {&trunk_, &head_})
    child->layer->declare(parameters, prefix + child->name + ".");
}

bool JoinedInputs::piecewise_linear(Statistics statistics) const {
  return trunk_.layer->piecewise_linear(statistics) && head_.layer->piecewise_linear(statistics);
}

bool JoinedInputs::couples_samples(Statistics statistics) const {
  return trunk_.layer->couples_samples(statistics) || head_.layer->couples_samples(statistics);
}

/// What is narrow in the trunk lets z pass beside it.
Narrowest JoinedInputs::narrowest(const std::string& name) const {
  const auto named = [&](const Sequential::Child& child) {
    return child.layer->narrowest(name.empty() ? child.name : name + "." + child.name);
  };
  Narrowest least = named(trunk_);
  least.size += input().size() - trunk_inputs();
  const Narrowest in_head = named(head_);
  return in_head.size < least.size ? in_head : least;
}

std::unique_ptr<Trace> JoinedInputs::make_trace(Kernels& kernels, const TraceOptions& options,
                                                std::shared_ptr<Scratch> scratch) const {
  auto trace = std::make_unique<JoinedTrace>(kernels, options, scratch);
  const int64_t rows = options.batch + options.tangents * trace->tangent_samples();
  const auto floats = [&](const Features& features) {
    return Scratch::floats(rows * features.size(), options.type());
  };
  const Layer &trunk = *trunk_.layer, &head = *head_.layer;
  trace->features_bar = floats(head.input());
  trace->inputs_bar = trace->features_bar + floats(trunk.output());
  const int64_t all = trace->inputs_bar + floats(trunk.input());
  scratch->reserve(all);
  trace->inputs = Tensor(kernels, rows, trunk.input(), options.type());
  trace->features = Tensor(kernels, rows, trunk.output(), options.type());
  trace->joined = Tensor(kernels, rows, head.input(), options.type());
  const auto behind = scratch->offset(all);
  trace->trunk = trunk.make_trace(kernels, options, behind);
  trace->head = head.make_trace(kernels, options, behind);
  return trace;
}

/// The x of rows [x | z].
void JoinedInputs::take_trunk_inputs(Trace& trace, ConstView x, View to) const {
  trace.kernels.run(JoinColumns{
      .rows = to.rows, .columns = to.columns(), .right = x, .right_step = x.columns(), .out = to});
}

/// [t | z] from t and rows [x | z].
void JoinedInputs::join_head_inputs(Trace& trace, ConstView t, ConstView x, View to) const {
  trace.kernels.run(JoinColumns{.rows = to.rows,
                                .columns = to.columns(),
                                .left_columns = t.columns(),
                                .left = t,
                                .right = columns_from(x, trunk_inputs()),
                                .right_step = x.columns(),
                                .out = to});
}

/// The t_bar of rows [t_bar | z_bar].
void JoinedInputs::take_trunk_cotangents(Trace& trace, ConstView joined_bar, View t_bar) const {
  trace.kernels.run(JoinColumns{.rows = t_bar.rows,
                                .columns = t_bar.columns(),
                                .right = joined_bar,
                                .right_step = joined_bar.columns(),
                                .out = t_bar});
}

/// [x_bar | z_bar] from the trunk's part and rows [t_bar | z_bar], or zeros where there are none.
void JoinedInputs::join_cotangents(Trace& trace, ConstView part, ConstView joined_bar, View x_bar) const {
  if (x_bar.empty()) return;
  trace.kernels.run(
      JoinColumns{.rows = x_bar.rows,
                  .columns = x_bar.columns(),
                  .left_columns = part.columns(),
                  .left = part,
                  .right = joined_bar.empty() ? nullptr : columns_from(joined_bar, trunk_outputs()),
                  .right_step = joined_bar.columns(),
                  .out = x_bar});
}

void JoinedInputs::do_forward(Trace& base, View y) const {
  JoinedTrace& trace = of(base);
  const View inputs = trace.pair(trace.inputs, 0).value, features = trace.pair(trace.features, 0).value,
             joined = trace.pair(trace.joined, 0).value;
  take_trunk_inputs(trace, trace.x, inputs);
  trunk_.layer->forward(*trace.trunk, inputs, features);
  join_head_inputs(trace, features, trace.x, joined);
  head_.layer->forward(*trace.head, joined, y);
}

void JoinedInputs::do_jvp(Trace& base, View y_dot) const {
  JoinedTrace& trace = of(base);
  const int64_t rows = y_dot.rows;
  const View inputs = trace.pair(trace.inputs, rows).tangent,
             features = trace.pair(trace.features, rows).tangent,
             joined = trace.pair(trace.joined, rows).tangent;
  take_trunk_inputs(trace, trace.x_dot, inputs);
  trunk_.layer->jvp(*trace.trunk, inputs, features);
  join_head_inputs(trace, features, trace.x_dot, joined);
  head_.layer->jvp(*trace.head, joined, y_dot);
}

void JoinedInputs::do_forward_jvp(Trace& base, Pair y) const {
  JoinedTrace& trace = of(base);
  const int64_t rows = y.tangent.rows;
  const Pair inputs = trace.pair(trace.inputs, rows), features = trace.pair(trace.features, rows),
             joined = trace.pair(trace.joined, rows);
  take_trunk_inputs(trace, trace.x, inputs.value);
  take_trunk_inputs(trace, trace.x_dot, inputs.tangent);
  trunk_.layer->forward_jvp(*trace.trunk, {inputs.value, inputs.tangent}, features);
  join_head_inputs(trace, features.value, trace.x, joined.value);
  join_head_inputs(trace, features.tangent, trace.x_dot, joined.tangent);
  head_.layer->forward_jvp(*trace.head, {joined.value, joined.tangent}, y);
}

void JoinedInputs::do_vjp(Trace& base, ConstView y_bar, View x_bar, Gradient gradient) const {
  JoinedTrace& trace = of(base);
  const View joined = trace.joined_cotangents(0).value, features = trace.feature_cotangents(0).value,
             part = like(trace.input_cotangents(0).value, x_bar);
  head_.layer->vjp(*trace.head, y_bar, joined, gradient);
  take_trunk_cotangents(trace, joined, features);
  trunk_.layer->vjp(*trace.trunk, features, part, gradient);
  join_cotangents(trace, part, joined, x_bar);
}

void JoinedInputs::do_vjp_of_jvp(Trace& base, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  JoinedTrace& trace = of(base);
  const int64_t rows = y_bar.tangent.rows;
  Pair joined = trace.joined_cotangents(rows), features = trace.feature_cotangents(rows),
       part = trace.input_cotangents(rows);
  // Without a cotangent of y, a piecewise linear head gives none to its input, nor such a trunk to x.
  if (y_bar.value.empty() && head_.layer->piecewise_linear(trace.options.statistics)) {
    joined.value = features.value = {};
  }
  part = {like(part.value, x_bar.value), like(part.tangent, x_bar.tangent)};
  head_.layer->vjp_of_jvp(*trace.head, y_bar, joined, gradient);
  if (!joined.value.empty()) take_trunk_cotangents(trace, joined.value, features.value);
  take_trunk_cotangents(trace, joined.tangent, features.tangent);
  trunk_.layer->vjp_of_jvp(*trace.trunk, {features.value, features.tangent}, part, gradient);
  join_cotangents(trace, part.value, joined.value, x_bar.value);
  join_cotangents(trace, part.tangent, joined.tangent, x_bar.tangent);
}

void JoinedInputs::do_vjp_shared(Trace& base, ConstView y_bar, const SharedWeights& weights, View x_bar,
                                 Gradient gradient) const {
  JoinedTrace& trace = of(base);
  const View joined = trace.joined_cotangents(0).value, features = trace.feature_cotangents(0).value,
             part = like(trace.input_cotangents(0).value, x_bar);
  head_.layer->vjp_shared(*trace.head, y_bar, weights, joined, gradient);
  take_trunk_cotangents(trace, joined, features);
  trunk_.layer->vjp_shared(*trace.trunk, features, weights, part, gradient);
  join_cotangents(trace, part, joined, x_bar);
}

}  // namespace ebm
