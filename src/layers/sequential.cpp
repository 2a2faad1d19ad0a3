// SPDX-License-Identifier: MIT
#include "layers/sequential.h"

#include <algorithm>
#include <utility>

#include "layers/pairs.h"

namespace ebm {

namespace {

/// Between two children lies the block [values; tangents], stacked, so that linear layers take both in one
/// call. Backwards, and in a trace that keeps nothing, two such blocks in scratch memory take turns.
struct SequentialTrace : Trace {
  using Trace::Trace;

  std::vector<std::unique_ptr<Trace>> children;
  std::vector<Tensor>
      between;               // between[i]: output of child i, for all but the last; none if nothing is kept
  int64_t turn[2] = {0, 0};  // where the blocks that take turns begin in scratch memory

  Pair output_of(size_t i, const Features& features, int64_t tangent_rows) const {
    return between.empty() ? in_turn(i + 1, features, tangent_rows)
                           : pair_in(between[i], options.batch, tangent_rows);
  }
  /// The cotangents of child i's input. Blocks alternate, so child i + 1's input cotangents stay readable
  /// meanwhile.
  Pair cotangent_of_input(size_t i, const Features& features, int64_t tangent_rows) const {
    return in_turn(i, features, tangent_rows);
  }

 private:
  Pair in_turn(size_t i, const Features& features, int64_t tangent_rows) const {
    return pair_in({scratch->data() + turn[i % 2], options.batch + tangent_rows, features, options.type()},
                   options.batch, tangent_rows);
  }
};
SequentialTrace& of(Trace& trace) {
  return static_cast<SequentialTrace&>(trace);
}

}  // namespace

Sequential::Sequential(std::vector<Child> children)
    : Layer(children.empty() ? Features{} : children.front().layer->input(),
            children.empty() ? Features{} : children.back().layer->output()),
      children_(std::move(children)) {
  if (children_.empty()) throw Error("a Sequential needs at least one layer");
  for (size_t i = 1; i < size(); ++i) {
    if (!(layer(i - 1).output() == layer(i).input())) {
      throw Error("Sequential: layer '" + children_[i - 1].name + "' gives " +
                  to_string(layer(i - 1).output()) + ", but layer '" + children_[i].name + "' takes " +
                  to_string(layer(i).input()));
    }
  }
}

void Sequential::declare(Parameters& parameters, const std::string& prefix) {
  for (Child& child : children_)
    child.layer->declare(parameters, child.name.empty() ? prefix : prefix + child.name + ".");
}

bool Sequential::piecewise_linear(Statistics statistics) const {
  return std::all_of(children_.begin(), children_.end(),
                     [&](const Child& child) { return child.layer->piecewise_linear(statistics); });
}

bool Sequential::couples_samples(Statistics statistics) const {
  return std::any_of(children_.begin(), children_.end(),
                     [&](const Child& child) { return child.layer->couples_samples(statistics); });
}

bool Sequential::has_log_det() const {
  return std::all_of(children_.begin(), children_.end(),
                     [](const Child& child) { return child.layer->has_log_det(); });
}

Narrowest Sequential::narrowest(const std::string& name) const {
  Narrowest least{INT64_MAX, {}};
  for (const Child& child : children_) {
    const Narrowest found = child.layer->narrowest(name.empty() ? child.name : name + "." + child.name);
    if (found.size < least.size) least = found;
  }
  return least;
}

std::unique_ptr<Trace> Sequential::make_trace(Kernels& kernels, const TraceOptions& options,
                                              std::shared_ptr<Scratch> scratch) const {
  auto trace = std::make_unique<SequentialTrace>(kernels, options, scratch);
  const int64_t rows = options.batch + options.tangents * trace->tangent_samples();
  int64_t most[2] = {0, 0};
  for (size_t i = 1; i < size(); ++i)
    most[i % 2] = std::max(most[i % 2], Scratch::floats(rows * layer(i).input().size(), options.type()));
  trace->turn[1] = most[0];
  scratch->reserve(most[0] + most[1]);
  const auto behind = scratch->offset(most[0] + most[1]);
  for (size_t i = 0; i < size(); ++i) {
    trace->children.push_back(layer(i).make_trace(kernels, options, behind));
    if (i + 1 < size() && options.kept == Kept::for_derivatives)
      trace->between.emplace_back(kernels, rows, layer(i).output(), options.type());
  }
  return trace;
}

void Sequential::do_forward(Trace& base, View y) const {
  SequentialTrace& trace = of(base);
  ConstView x = trace.x;
  for (size_t i = 0; i < size(); ++i) {
    const Range range(trace.kernels, children_[i].name.c_str());
    const View out = i + 1 < size() ? trace.output_of(i, layer(i).output(), 0).value : y;
    layer(i).forward(*trace.children[i], x, out);
    x = out;
  }
}

void Sequential::do_jvp(Trace& base, View y_dot) const {
  SequentialTrace& trace = of(base);
  ConstView x_dot = trace.x_dot;
  for (size_t i = 0; i < size(); ++i) {
    const Range range(trace.kernels, children_[i].name.c_str());
    const View out = i + 1 < size() ? trace.output_of(i, layer(i).output(), x_dot.rows).tangent : y_dot;
    layer(i).jvp(*trace.children[i], x_dot, out);
    x_dot = out;
  }
}

void Sequential::do_forward_jvp(Trace& base, Pair y) const {
  SequentialTrace& trace = of(base);
  ConstPair x{trace.x, trace.x_dot};
  for (size_t i = 0; i < size(); ++i) {
    const Range range(trace.kernels, children_[i].name.c_str());
    const Pair out = i + 1 < size() ? trace.output_of(i, layer(i).output(), x.tangent.rows) : y;
    layer(i).forward_jvp(*trace.children[i], x, out);
    x = {out.value, out.tangent};
  }
}

void Sequential::do_vjp(Trace& base, ConstView y_bar, View x_bar, Gradient gradient) const {
  SequentialTrace& trace = of(base);
  for (size_t i = size(); i-- > 0;) {
    const Range range(trace.kernels, children_[i].name.c_str());
    const View in_bar = i > 0 ? trace.cotangent_of_input(i, layer(i).input(), 0).value : x_bar;
    layer(i).vjp(*trace.children[i], y_bar, in_bar, gradient);
    y_bar = in_bar;
  }
}

void Sequential::do_add_log_det(Trace& base, float* log_det) const {
  SequentialTrace& trace = of(base);
  for (size_t i = 0; i < size(); ++i) layer(i).add_log_det(*trace.children[i], log_det);
}

void Sequential::do_vjp_log_det(Trace& base, ConstView y_bar, const float* log_det_bar, View x_bar,
                                Gradient gradient) const {
  SequentialTrace& trace = of(base);
  for (size_t i = size(); i-- > 0;) {
    const Range range(trace.kernels, children_[i].name.c_str());
    const View in_bar = i > 0 ? trace.cotangent_of_input(i, layer(i).input(), 0).value : x_bar;
    layer(i).vjp_log_det(*trace.children[i], y_bar, log_det_bar, in_bar, gradient);
    y_bar = in_bar;
  }
}

void Sequential::do_vjp_of_jvp(Trace& base, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  SequentialTrace& trace = of(base);
  const int64_t tangent_rows = trace.x_dot.rows;
  for (size_t i = size(); i-- > 0;) {
    const Range range(trace.kernels, children_[i].name.c_str());
    // Without a cotangent of the values, none arises before the first curved layer from the end: skip that
    // chain.
    const bool value_wanted = !y_bar.value.empty() || !layer(i).piecewise_linear(trace.options.statistics);
    Pair in_bar = i > 0 ? trace.cotangent_of_input(i, layer(i).input(), tangent_rows) : x_bar;
    if (!value_wanted) {
      if (i == 0 && !in_bar.value.empty()) trace.kernels.zero(in_bar.value.data, in_bar.value.bytes());
      in_bar.value = {};
    }
    layer(i).vjp_of_jvp(*trace.children[i], y_bar, in_bar, gradient);
    y_bar = {in_bar.value, in_bar.tangent};
  }
}

void Sequential::do_vjp_shared(Trace& base, ConstView y_bar, const SharedWeights& weights, View x_bar,
                               Gradient gradient) const {
  SequentialTrace& trace = of(base);
  for (size_t i = size(); i-- > 0;) {
    const Range range(trace.kernels, children_[i].name.c_str());
    const View in_bar = i > 0 ? trace.cotangent_of_input(i, layer(i).input(), 0).value : x_bar;
    layer(i).vjp_shared(*trace.children[i], y_bar, weights, in_bar, gradient);
    y_bar = in_bar;
  }
}

std::unique_ptr<Sequential> sequential(std::vector<std::unique_ptr<Layer>> layers) {
  std::vector<Sequential::Child> children;
  for (size_t i = 0; i < layers.size(); ++i) children.push_back({std::to_string(i), std::move(layers[i])});
  return std::make_unique<Sequential>(std::move(children));
}

}  // namespace ebm
