// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <vector>

#include "kernels/cpu/block.h"
#include "kernels/cpu/parts.h"
#include "kernels/cpu/threads.h"
#include "kernels/kernels.h"

namespace ebm::cpu {

/// Products of one shape: each with its matrices so many elements behind those of the one before.
struct Batch {
  int64_t count, step_a, step_b, step_c;
};

/// Matrix products through oneDNN. Keeps what a shape needs from one call to the next.
class Products {
 public:
  explicit Products(Threads& threads);
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  /// Throws Error if oneDNN refuses the product.
  void run(const Gemm& product);
  /// Kernels::affine for c = a op(b).
  void run(const Gemm& product, const AddBias& then);
  /// `first` and those that follow it, at most max_parts, each on one thread.
  void run(const Gemm& first, const Batch& batch);

 private:
  struct Matmuls;
  void rows_or_columns(const Gemm& product, const Block& whole);
  void sum_of_parts(const Gemm& product, const Parts& parts);

  Threads& threads_;
  std::unique_ptr<Matmuls> matmuls_;
  std::vector<float> partial_;  // only ever grows, so that an iteration allocates nothing after the first
};

}  // namespace ebm::cpu
