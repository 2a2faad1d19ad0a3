// SPDX-License-Identifier: MIT
// Kernels: everything that runs on a device. One abstract class with exactly two implementations,
// src/kernels/cpu and src/kernels/cuda: memory, products, noise, captured graphs, and run(formula) for every
// formula of formulas.h.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "core/memory.h"
#include "kernels/formulas.h"

namespace ebm {

/// `full`: true float32, for the Jacobian of the bounds. `training`: the device may use TF32.
enum class Precision { full, training };

enum class Transpose { no, yes };

/// c = alpha op(a) op(b) + beta c, all row-major float32 and dense: op(a) is m x n_inner, op(b) n_inner x n,
/// c m x n.
struct Gemm {
  int64_t m, n, inner;
  const float* a;
  Transpose transpose_a = Transpose::no;
  const float* b;
  Transpose transpose_b = Transpose::no;
  float* c;
  float alpha = 1;
  float beta = 0;
  Precision precision = Precision::full;
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

/// Work recorded once and launched many times (a CUDA graph; on the CPU simply the function).
class Graph {
 public:
  virtual ~Graph() = default;
  virtual void launch() = 0;
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

/// Queued, ordered work on one device. Not thread-safe: one thread drives it.
class Kernels : public Memory, public AllFormulas {
 public:
  /// "cpu (16 threads, AVX-512)" or "cuda:0 (NVIDIA H100 80GB HBM3, ...)".
  virtual std::string description() const = 0;
  virtual bool is_cuda() const = 0;

  virtual void gemm(const Gemm& product) = 0;
  /// Fills `out` (rows * features numbers, in order) with noise.
  virtual void noise(const Noise& noise, View out) = 0;

  /// Records `work` (which must allocate nothing and wait for nothing) without running it.
  virtual std::unique_ptr<Graph> capture(std::function<void()> work) = 0;
  virtual std::unique_ptr<Readback> readback(int64_t bytes) = 0;
  virtual std::unique_ptr<Staging> staging(int64_t bytes) = 0;

  /// Names a phase in profilers (NVTX); use the Range guard below.
  virtual void push_range(const char* name) = 0;
  virtual void pop_range() noexcept = 0;
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

}  // namespace ebm
