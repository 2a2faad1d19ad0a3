// SPDX-License-Identifier: MIT
#include "layers/residual.h"

#include <algorithm>
#include <utility>

#include "layers/pairs.h"

namespace ebm {

namespace {

/// The right layer's results wait in scratch memory until they are added to the left one's.
struct ResidualTrace : Trace {
  using Trace::Trace;

  std::unique_ptr<Trace> left, right;

  /// Memory for values and tangents of the given shape, stacked.
  Pair pair(const Features& features, int64_t tangent_rows) const {
    return pair_in({scratch->data(), options.batch + tangent_rows, features, options.type()}, options.batch,
                   tangent_rows);
  }
};

ResidualTrace& of(Trace& trace) {
  return static_cast<ResidualTrace&>(trace);
}

/// to += from, where there is a `to`.
void add(Trace& trace, ConstView from, View to) {
  if (to.empty()) return;
  trace.kernels.run(AddTo{.rows = to.rows, .columns = to.columns(), .x = from, .y = to});
}

}  // namespace

Residual::Residual(Sequential::Child left, Sequential::Child right)
    : Layer(left.layer->input(), left.layer->output()), left_(std::move(left)), right_(std::move(right)) {
  const auto shapes = [](const Features& from, const Features& to) {
    return to_string(from) + " -> " + to_string(to);
  };
  const std::string on_the_left = shapes(input(), output());
  const std::string on_the_right =
      right_is_identity() ? shapes(input(), input()) : shapes(right_.layer->input(), right_.layer->output());
  if (on_the_left != on_the_right) {
    throw Error("Residual: layer '" + left_.name + "' goes " + on_the_left + ", but " +
                (right_is_identity() ? "the identity " : "layer '" + right_.name + "' ") + on_the_right);
  }
  for (const Sequential::Child* child : {&left_, &right_}) {
    if (child->layer != nullptr && child->layer->keeps_output()) {
      throw Error("Residual: layer '" + child->name +
                  "' keeps its output for its derivatives; put the activation behind the block");
    }
  }
}

void Residual::declare(Parameters& parameters, const std::string& prefix) {
  for (const Sequential::Child* child : {&left_, &right_}) {
    if (child->layer != nullptr) child->layer->declare(parameters, prefix + child->name + ".");
  }
}

bool Residual::piecewise_linear(Statistics statistics) const {
  return left_.layer->piecewise_linear(statistics) &&
         (right_is_identity() || right_.layer->piecewise_linear(statistics));
}

bool Residual::couples_samples(Statistics statistics) const {
  return left_.layer->couples_samples(statistics) ||
         (!right_is_identity() && right_.layer->couples_samples(statistics));
}

/// The rank of a sum is at most the sum of the ranks: what is narrow on one side passes on the other.
Narrowest Residual::narrowest(const std::string& name) const {
  const int64_t right = right_is_identity() ? input().size() : right_.layer->narrowest({}).size;
  const int64_t sides = left_.layer->narrowest({}).size + right;
  return {std::min({input().size(), output().size(), sides}), name};
}

std::unique_ptr<Trace> Residual::make_trace(Kernels& kernels, const TraceOptions& options,
                                            std::shared_ptr<Scratch> scratch) const {
  auto trace = std::make_unique<ResidualTrace>(kernels, options, scratch);
  const int64_t rows = options.batch + options.tangents * trace->tangent_samples();
  const int64_t sum = Scratch::floats(rows * std::max(input().size(), output().size()), options.type());
  scratch->reserve(sum);
  const auto behind = scratch->offset(sum);
  trace->left = left_.layer->make_trace(kernels, options, behind);
  if (!right_is_identity()) trace->right = right_.layer->make_trace(kernels, options, behind);
  return trace;
}

void Residual::do_forward(Trace& base, View y) const {
  ResidualTrace& trace = of(base);
  const View more = trace.pair(output(), 0).value;
  left_.layer->forward(*trace.left, trace.x, y);
  if (right_is_identity()) return add(trace, trace.x, y);
  right_.layer->forward(*trace.right, trace.x, more);
  add(trace, more, y);
}

void Residual::do_jvp(Trace& base, View y_dot) const {
  ResidualTrace& trace = of(base);
  const View more = trace.pair(output(), y_dot.rows).tangent;
  left_.layer->jvp(*trace.left, trace.x_dot, y_dot);
  if (right_is_identity()) return add(trace, trace.x_dot, y_dot);
  right_.layer->jvp(*trace.right, trace.x_dot, more);
  add(trace, more, y_dot);
}

void Residual::do_forward_jvp(Trace& base, Pair y) const {
  ResidualTrace& trace = of(base);
  const ConstPair x{trace.x, trace.x_dot};
  const Pair more = trace.pair(output(), y.tangent.rows);
  left_.layer->forward_jvp(*trace.left, x, y);
  if (!right_is_identity()) right_.layer->forward_jvp(*trace.right, x, more);
  add(trace, right_is_identity() ? x.value : more.value, y.value);
  add(trace, right_is_identity() ? x.tangent : more.tangent, y.tangent);
}

void Residual::do_vjp(Trace& base, ConstView y_bar, View x_bar, Gradient gradient) const {
  ResidualTrace& trace = of(base);
  const View more = like(trace.pair(input(), 0).value, x_bar);
  left_.layer->vjp(*trace.left, y_bar, x_bar, gradient);
  if (right_is_identity()) return add(trace, y_bar, x_bar);
  right_.layer->vjp(*trace.right, y_bar, more, gradient);
  add(trace, more, x_bar);
}

void Residual::do_vjp_of_jvp(Trace& base, ConstPair y_bar, Pair x_bar, Gradient gradient) const {
  ResidualTrace& trace = of(base);
  Pair more = trace.pair(input(), y_bar.tangent.rows);
  more = {like(more.value, x_bar.value), like(more.tangent, x_bar.tangent)};
  if (right_is_identity()) {
    left_.layer->vjp_of_jvp(*trace.left, y_bar, x_bar, gradient);
    if (!y_bar.value.empty()) add(trace, y_bar.value, x_bar.value);
    return add(trace, y_bar.tangent, x_bar.tangent);
  }
  // Without a cotangent of the values, a piecewise linear layer gives them none: it must not be asked.
  const auto has_value = [&](const Sequential::Child& child) {
    return !y_bar.value.empty() || !child.layer->piecewise_linear(trace.options.statistics);
  };
  const bool from_left = has_value(left_), from_right = has_value(right_);
  left_.layer->vjp_of_jvp(*trace.left, y_bar, {from_left ? x_bar.value : View{}, x_bar.tangent}, gradient);
  // The right layer's x_bar goes straight to its place if the left one has none.
  const View right_value = from_left ? more.value : x_bar.value;
  right_.layer->vjp_of_jvp(*trace.right, y_bar, {from_right ? right_value : View{}, more.tangent}, gradient);
  if (from_left && from_right) add(trace, more.value, x_bar.value);
  add(trace, more.tangent, x_bar.tangent);
}

void Residual::do_vjp_shared(Trace& base, ConstView y_bar, const SharedWeights& weights, View x_bar,
                             Gradient gradient) const {
  ResidualTrace& trace = of(base);
  const View more = like(trace.pair(input(), 0).value, x_bar);
  left_.layer->vjp_shared(*trace.left, y_bar, weights, x_bar, gradient);
  if (right_is_identity()) return add(trace, y_bar, x_bar);
  right_.layer->vjp_shared(*trace.right, y_bar, weights, more, gradient);
  add(trace, more, x_bar);
}

}  // namespace ebm
