// SPDX-License-Identifier: MIT
// A layer is a differentiable map y = f(x; w) on a batch, given by four maps (docs/method.md, "The four
// maps"):
//
//   forward      y = f(x)                       keeps in a trace what the others need
//   jvp          y_dot = J x_dot                k tangents of each sample
//   vjp          x_bar = J^T y_bar              w_bar too when asked
//   vjp_of_jvp   the gradient of <y_bar, y> + <y_dot_bar, J x_dot> with respect to x, x_dot and w
//
// and, for a piecewise linear layer, vjp_shared: the same gradient from ONE backward signal that values and
// tangents share. All are pure virtual: a layer without one does not compile. The public methods check
// shapes, then call do_...
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/parameters.h"
#include "kernels/kernels.h"

namespace ebm {

class Communicator;

/// Which statistics batch norm uses: the batch's own (which couple the samples) or the running ones
/// (constants).
enum class Statistics { batch, running };

/// What happens to the parameters' gradients.
enum class Gradient { ignore, overwrite, accumulate };

/// Device memory that all traces of a network use in turn, for values that do not outlive a call of a map: a
/// network runs one map at a time.
class Scratch {
 public:
  explicit Scratch(Memory& memory) : blocks_(std::make_shared<Blocks>(Blocks{memory, 0, {}})) {}

  /// What follows the first `floats` numbers: for layers that are called while these are in use.
  std::shared_ptr<Scratch> offset(int64_t floats) const {
    return std::shared_ptr<Scratch>(new Scratch(blocks_, first_ + floats));
  }
  /// The floats for `count` numbers of a type and two pages or more behind them: blocks that lie closer are
  /// slower on a CPU (docs/performance.md, "Blocks lie apart").
  static int64_t floats(int64_t count, Type type) {
    constexpr int64_t page = 1024;
    return (floats_of(count, type) + page - 1) / page * page + 2 * page;
  }
  /// Asks for `floats` numbers; they are there after allocate().
  void reserve(int64_t floats) { blocks_->wanted = std::max(blocks_->wanted, first_ + floats); }
  /// A smaller block that was there before stays: a captured graph may use it.
  void allocate() {
    const bool enough = !blocks_->owned.empty() && blocks_->owned.back().size() >= blocks_->wanted;
    if (!enough) blocks_->owned.emplace_back(blocks_->memory, blocks_->wanted);
  }
  float* data() const { return blocks_->owned.back().data() + first_; }

 private:
  struct Blocks {
    Memory& memory;
    int64_t wanted;
    std::vector<Buffer<float>> owned;  // the last one is in use
  };
  Scratch(std::shared_ptr<Blocks> blocks, int64_t first) : blocks_(std::move(blocks)), first_(first) {}

  std::shared_ptr<Blocks> blocks_;
  int64_t first_ = 0;
};

/// What a trace keeps: what derivatives need; or nothing, for forward alone. Then what lies between layers
/// takes turns in scratch memory.
enum class Kept { for_derivatives, nothing };

struct TraceOptions {
  int64_t batch;
  Statistics statistics = Statistics::batch;
  int64_t tangents = 0;         ///< the most tangents a sample, k
  int64_t tangent_samples = 0;  ///< the samples 0 .. tangent_samples - 1 have tangents; 0: all of them
  Precision precision = Precision::training;
  Precision weight_precision = precision;  ///< of the products that give weights' gradients
  Kept kept = Kept::for_derivatives;
  /// Whose batches are one for the batch's statistics; null: this batch alone. Each rank has as many rows.
  Communicator* ranks = nullptr;

  /// How values, tangents and cotangents are stored.
  Type type() const { return activation_type(precision); }
};

/// What one evaluation of a layer leaves for its derivative maps. Made once for a (layer, batch, mode), used
/// over and over. The views of x and x_dot that forward and jvp got must stay alive and unchanged until the
/// trace is used no more, and y too if the layer keeps it (keeps_output).
class Trace {
 public:
  Trace(Kernels& kernels, const TraceOptions& options, std::shared_ptr<Scratch> scratch)
      : kernels(kernels), options(options), scratch(std::move(scratch)) {}
  virtual ~Trace() = default;

  Kernels& kernels;
  const TraceOptions options;
  const std::shared_ptr<Scratch> scratch;
  ConstView x;      ///< batch x features, from forward
  ConstView x_dot;  ///< k * tangent_samples x features, from jvp

  int64_t tangent_samples() const {
    return options.tangent_samples > 0 ? options.tangent_samples : options.batch;
  }
};

/// The cotangents of a pair (value, tangent). An empty `value` means zero: it is not computed with.
template <class V>
struct PairOf {
  V value;
  V tangent;
};
using ConstPair = PairOf<ConstView>;
using Pair = PairOf<View>;

/// Per-sample factors of vjp_shared, on the device: sample i's value counts values[i] times, its tangent t
/// tangents[i * k + t] times.
struct SharedWeights {
  const float* values;    ///< batch; null: the values count for nothing
  const float* tangents;  ///< tangent_samples x k
};

/// The place that lets the fewest directions through: no Jacobian of a layer has a larger rank.
struct Narrowest {
  int64_t size;
  std::string where;  ///< the layer's name, as those of its parameters
};

class Layer {
 public:
  Layer(const Features& input, const Features& output) : input_(input), output_(output) {}
  virtual ~Layer() = default;
  Layer(const Layer&) = delete;
  Layer& operator=(const Layer&) = delete;

  const Features& input() const { return input_; }
  const Features& output() const { return output_; }

  /// Adds this layer's parameters under names that start with `prefix` (PyTorch's state_dict names).
  virtual void declare(Parameters& parameters, const std::string& prefix);
  /// True if y is a piecewise linear function of x, each sample on its own, so that vjp_shared may be used.
  virtual bool piecewise_linear(Statistics statistics) const = 0;
  /// True if a sample's y depends on the other samples of the batch.
  virtual bool couples_samples(Statistics) const { return false; }
  /// By the shapes alone, for a layer that is called `name`; the first of several.
  virtual Narrowest narrowest(const std::string& name) const {
    return {std::min(input_.size(), output_.size()), name};
  }
  /// True if derivatives are told from y: then forward's y must stay unchanged as long as its x.
  virtual bool keeps_output() const { return false; }
  virtual std::unique_ptr<Trace> make_trace(Kernels& kernels, const TraceOptions& options,
                                            std::shared_ptr<Scratch> scratch) const;

  /// True for a map of D features to D that is one to one and knows log |det J| of each sample.
  virtual bool has_log_det() const { return false; }

  /// y = f(x); batch rows.
  void forward(Trace& trace, ConstView x, View y) const;
  /// y_dot = J x_dot at the trace's x; k * tangent_samples rows.
  void jvp(Trace& trace, ConstView x_dot, View y_dot) const;
  /// forward and jvp in one: linear layers do it in one call when [x; x_dot] and [y; y_dot] are stacked.
  void forward_jvp(Trace& trace, ConstPair x, Pair y) const;
  /// x_bar = J^T y_bar (empty: not wanted) and the parameters' gradients; batch rows.
  void vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const;
  /// log_det += log |det J| of each sample at the trace's x: batch numbers. This and the next throw Error unless
  /// has_log_det().
  void add_log_det(Trace& trace, float* log_det) const;
  /// The gradient of <y_bar, y> + <log_det_bar, log |det J|>; batch rows and numbers. y_bar may be empty (zero).
  void vjp_log_det(Trace& trace, ConstView y_bar, const float* log_det_bar, View x_bar,
                   Gradient gradient) const;
  /// The backward pass of (y, y_dot) from forward and jvp. y_bar.value may be empty (zero); x_bar's parts may
  /// be empty (not wanted). If y_bar.value is empty and the layer is piecewise linear, x_bar.value must be
  /// empty: it is zero.
  void vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const;
  /// The gradient of sum_i values[i] <y_bar_i, y_i> + sum_t tangents[i, t] <y_bar_i, y_dot_ti> with respect
  /// to the parameters, and x_bar = J^T y_bar, unweighted. Throws Error if the layer is not piecewise linear.
  void vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                  Gradient gradient) const;

 protected:
  /// The type of what the maps are given and give.
  virtual Type outer_type(const Trace& trace) const { return trace.options.type(); }
  virtual void do_forward(Trace& trace, View y) const = 0;
  virtual void do_jvp(Trace& trace, View y_dot) const = 0;
  virtual void do_forward_jvp(Trace& trace, Pair y) const;
  virtual void do_vjp(Trace& trace, ConstView y_bar, View x_bar, Gradient gradient) const = 0;
  /// Both throw Error: most layers do not know their determinant.
  virtual void do_add_log_det(Trace& trace, float* log_det) const;
  virtual void do_vjp_log_det(Trace& trace, ConstView y_bar, const float* log_det_bar, View x_bar,
                              Gradient gradient) const;
  virtual void do_vjp_of_jvp(Trace& trace, ConstPair y_bar, Pair x_bar, Gradient gradient) const = 0;
  virtual void do_vjp_shared(Trace& trace, ConstView y_bar, const SharedWeights& weights, View x_bar,
                             Gradient gradient) const = 0;

  /// Helpers for implementations.
  static Write write_mode(Gradient gradient) {
    return gradient == Gradient::accumulate ? Write::accumulate : Write::overwrite;
  }
  /// values[i] x_i + sum_t tangents[i, t] x_dot_ti in the trace's scratch memory: batch x features.
  static ConstView mix_tangents(Trace& trace, const SharedWeights& weights);

 private:
  void check(const char* map, const Trace& trace, ConstView x, ConstView y, int64_t rows) const;
  void check_tangents(const char* map, const Trace& trace, ConstView x_dot) const;
  static void check_kept(const char* map, const Trace& trace);

  Features input_, output_;
};

}  // namespace ebm
