// SPDX-License-Identifier: MIT
// Kernels: everything that runs on a device. One abstract class with exactly two implementations that
// compute, src/kernels/cpu and src/kernels/cuda: memory, products, convolutions, noise, captured graphs, and
// run(formula) for every formula of formulas.h. src/kernels/recorder writes down what it is asked for.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/memory.h"
#include "kernels/communicator.h"
#include "kernels/formulas.h"

namespace ebm {

/// `full`: true float32, for the Jacobian of the bounds. `training`: the device may use TF32. `bfloat16`: the
/// activations of training are bfloat16, products sum in float32. `tf32x3`: as exact as float32, by three products
/// of factors split into two TF32 numbers each (kernels/tf32x3.h), or in true float32 where a device
/// has no other way.
enum class Precision { full, training, bfloat16, tf32x3 };

/// Whether results are as exact as float32 arithmetic.
constexpr bool as_float32(Precision precision) {
  return precision == Precision::full || precision == Precision::tf32x3;
}

/// How a network keeps its activations.
constexpr Type activation_type(Precision precision) {
  return precision == Precision::bfloat16 ? Type::bfloat16 : Type::float32;
}

enum class Transpose { no, yes };

/// c = alpha op(a) op(b) + beta c, all row-major and dense: op(a) is m x n_inner, op(b) n_inner x n, c m x n.
/// a and b are of one type, c of theirs or float32.
struct Gemm {
  int64_t m, n, inner;
  ConstArray a;
  Transpose transpose_a = Transpose::no;
  ConstArray b;
  Transpose transpose_b = Transpose::no;
  Array c;
  float alpha = 1;
  float beta = 0;
  Precision precision = Precision::full;

  double flop() const { return 2.0 * static_cast<double>(m) * static_cast<double>(n * inner); }
  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(a, m * inner);
    uses.reads(b, inner * n);
    uses.writes(c, m * n, beta == 0 ? Write::overwrite : Write::accumulate);
  }
};

inline std::string to_string(const Gemm& g) {
  return std::to_string(g.m) + "x" + std::to_string(g.inner) + " by " + std::to_string(g.inner) + "x" +
         std::to_string(g.n);
}

/// A 2-D convolution of `rows` images, as PyTorch's Conv2d without bias:
///   y[r, i, j, o] = sum over k, l, c of w[o, k, l, c] x[r, i', j', c],
///   i' = stride i + k - padding,  j' = stride j + l - padding
/// with zeros outside x. Images are NHWC, the weight is OHWI, all dense and of one type, but for the weight's
/// gradient, which is float32.
struct ConvolutionShape {
  int64_t rows;
  Features input;
  int64_t output_channels;
  Extent kernel;
  Extent stride{1, 1};
  Extent padding{0, 0};

  Features output() const {
    return {.height = (input.height + 2 * padding.height - kernel.height) / stride.height + 1,
            .width = (input.width + 2 * padding.width - kernel.width) / stride.width + 1,
            .channels = output_channels};
  }
  int64_t weights() const { return output_channels * kernel.height * kernel.width * input.channels; }
  /// Of each of the three passes, zeros outside x counted too.
  double flop() const {
    return 2.0 * static_cast<double>(rows * output().pixels()) * static_cast<double>(weights());
  }
  bool operator==(const ConvolutionShape&) const = default;
};
inline std::string to_string(const Extent& e) {
  return std::to_string(e.height) + "x" + std::to_string(e.width);
}
inline std::string to_string(const ConvolutionShape& s) {
  return std::to_string(s.rows) + " images of " + to_string(s.input) + " to " +
         std::to_string(s.output_channels) + " channels with kernel " + to_string(s.kernel) + ", stride " +
         to_string(s.stride) + ", padding " + to_string(s.padding);
}

/// The three passes below: they compute y, x_bar and weight_bar.
enum class ConvolutionPass { forward, backward_data, backward_weight };

/// y = x * w.
struct ConvolutionForward {
  ConvolutionShape shape;
  ConstArray x;
  ConstArray weight;
  Array y;
  Precision precision = Precision::full;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, shape.rows * shape.input.size());
    uses.reads(weight, shape.weights());
    uses.writes(y, shape.rows * shape.output().size());
  }
};

/// x_bar = the gradient of <y_bar, x * w> with respect to x. A transposed convolution is this one forwards.
struct ConvolutionBackwardData {
  ConvolutionShape shape;
  ConstArray y_bar;
  ConstArray weight;
  Array x_bar;
  Precision precision = Precision::full;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(y_bar, shape.rows * shape.output().size());
    uses.reads(weight, shape.weights());
    uses.writes(x_bar, shape.rows * shape.input.size());
  }
};

/// weight_bar (+)= the gradient of <y_bar, x * w> with respect to w.
struct ConvolutionBackwardWeight {
  ConvolutionShape shape;
  ConstArray x;
  ConstArray y_bar;
  float* weight_bar;
  Write mode = Write::overwrite;
  Precision precision = Precision::full;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, shape.rows * shape.input.size());
    uses.reads(y_bar, shape.rows * shape.output().size());
    uses.writes(weight_bar, shape.weights(), mode);
  }
};

enum class Distribution { normal, uniform };

/// Names a block of random numbers: element i of it is a function of (seed, stream, *iteration, first + i)
/// alone, on every device (Philox 4x32-10 with key `seed`, counter {(first + i) / 4, stream : iteration}).
/// `uniform` is in (0, 1].
struct Noise {
  Distribution distribution;
  uint64_t seed;
  uint32_t stream;            ///< below 2^16
  const uint64_t* iteration;  ///< on the device, below 2^48: so a captured graph draws anew each time
  int64_t first = 0;          ///< a multiple of 4
};

/// What a recorded graph holds.
struct GraphNodes {
  int64_t kernels = 0;
  int64_t copies = 0;  ///< on the device, or fills of it
  int64_t others = 0;  ///< anything else: copies from or to the host, calls of it
};

/// Work recorded once and launched many times (a CUDA graph; on the CPU simply the function).
class Graph {
 public:
  virtual ~Graph() = default;
  virtual void launch() = 0;
  /// None on the CPU.
  virtual GraphNodes nodes() const { return {}; }
};

/// A small copy device -> host that nobody waits for until its value is wanted.
class Readback {
 public:
  virtual ~Readback() = default;
  /// Queues a copy of the block; the memory behind `device` may change afterwards.
  virtual void start(const void* device) = 0;
  /// Waits for the last started copy only; the bytes are valid until the next start().
  virtual const void* wait() = 0;
};

/// A block of host memory on its way to the device, without anyone waiting: the mirror of Readback.
class Staging {
 public:
  virtual ~Staging() = default;
  /// The block, for the host (any thread) to fill. Waits until the last started copy has left it.
  virtual void* host() = 0;
  /// Queues a copy of the block to `device`; the block must keep its bytes until host() returns again.
  virtual void start(void* device) = 0;
};

/// A text that somebody keeps from one process to the next, in a file say.
struct KeptText {
  std::string name;  ///< for messages
  std::string text;  ///< as it was kept; empty at first
  std::function<void(const std::string&)> keep;
};

/// Queued, ordered work on one device. Not thread-safe: one thread drives it.
class Kernels : public Memory {
 public:
  /// Runs a formula of the list in kernels/formulas.h: queued, in order.
  template <class Formula>
  void run(const Formula& formula) {
    run_at(Formulas::index<Formula>(), &formula);
  }

  /// "cpu (16 threads, AVX-512)" or "cuda:0 (NVIDIA H100 80GB HBM3, ...)".
  virtual std::string description() const = 0;
  virtual bool is_cuda() const = 0;
  /// The host's threads that compute: on a CPU, results hang on their number; for a GPU the one that queues.
  virtual int host_threads() const = 0;

  virtual void gemm(const Gemm& product) = 0;
  /// The product, then bias and activation on its first `then.rows` rows: then.y is product.c. A CPU does
  /// both while a row is at hand.
  virtual void affine(const Gemm& product, const AddBias& then) {
    gemm(product);
    run(then);
  }
  virtual void convolve(const ConvolutionForward& pass) = 0;
  virtual void convolve(const ConvolutionBackwardData& pass) = 0;
  virtual void convolve(const ConvolutionBackwardWeight& pass) = 0;
  /// From now on, where a library has several ways to a convolution, takes the one that is measured to be the
  /// fastest, not the library's first proposal; it may give other bits each time. What was measured is kept
  /// in `choices` and not measured again.
  virtual void tune_convolutions(KeptText choices) = 0;
  /// Fills `out` (rows * features numbers, in order) with noise.
  virtual void noise(const Noise& noise, View out) = 0;

  using Work = std::function<void()>;
  /// Queues two pieces of work that need nothing of each other: neither writes what the other reads or
  /// writes. A GPU may run them side by side; what is queued afterwards waits for both. What they ask of other
  /// ranks is done in this order: first's, second's. Not one inside another.
  virtual void concurrently(const Work& first, const Work& second) = 0;

  /// Records `work` (which must allocate nothing and wait for nothing) without running it. It may be called
  /// twice: first to see what it needs.
  virtual std::unique_ptr<Graph> capture(std::function<void()> work) = 0;
  virtual std::unique_ptr<Readback> readback(int64_t bytes) = 0;
  virtual std::unique_ptr<Staging> staging(int64_t bytes) = 0;

  /// The ranks of `hosts`, each with a GPU of its own, as operations on these GPUs' memory: queued where their caller
  /// queues work, recorded with it. Null where the device's memory is the host's, which `hosts` serve. All ranks call
  /// it; it waits for them. It must not outlive this or `hosts`. Once a rank fails, waits for this device end with an
  /// Error. Throws Error.
  virtual std::unique_ptr<Communicator> meet(HostRanks&) { return nullptr; }

  /// Names a phase in profilers (NVTX); use the Range guard below.
  virtual void push_range(const char* name) = 0;
  virtual void pop_range() noexcept = 0;

 protected:
  /// `formula` is the one at this place of the list (kernels/runner.h).
  virtual void run_at(size_t index, const void* formula) = 0;
};

/// A named phase, from construction to destruction.
class Range {
 public:
  Range(Kernels& kernels, const char* name) : kernels_(kernels) { kernels_.push_range(name); }
  ~Range() { kernels_.pop_range(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;

 private:
  Kernels& kernels_;
};

/// Opens a device by the name a user gives: "cpu", "cuda", "cuda:N", or "auto" (a GPU when one answers, else
/// the CPU). Throws UsageError on another name, Error (saying why) when the device asked for cannot be had.
std::unique_ptr<Kernels> open_kernels(const std::string& device);

/// The GPU of a process that is number `place` of several of its node: of the GPUs that it sees the one of that number,
/// or the only one. Throws Error.
std::unique_ptr<Kernels> open_gpu_of_place(int64_t place);

/// Why this process cannot train with others on GPUs, as far as it is known without opening one: it has none, or no
/// CUDA half, or no NCCL; "" where it can.
std::string why_no_ranks_on_gpus();
/// Whether a GPU answers, or the user names the CUDA half, which then answers for itself.
bool gpu_answers();

}  // namespace ebm
