// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "kernels/cpu/parts.h"
#include "kernels/cpu/threads.h"
#include "kernels/kernels.h"
#include "kernels/tiles.h"

namespace ebm::cpu {

/// Products and convolutions of Precision::tf32x3 on the CPU, rounded as a GPU rounds them (kernels/tf32x3.h) and far
/// slower than float32: here it is for trying what a GPU will do. Memory only grows.
class SplitProducts {
 public:
  explicit SplitProducts(Threads& threads) : threads_(threads), rows_(max_parts) {}

  /// All arrays are float32.
  void run(const Gemm& product);
  void run(const ConvolutionForward& pass);
  void run(const ConvolutionBackwardData& pass);

 private:
  struct Rows {
    std::vector<float> whole, big, small;
  };
  /// result(row, column) = sum over k of a(row)[k] b(k, column): read_row(row, numbers) writes row a(row),
  /// store(row, column, sum) takes the result.
  template <class ReadRow, class B, class Store>
  void multiply(const ProductSize& size, const ReadRow& read_row, const B& b, const Store& store);

  Threads& threads_;
  std::vector<Rows> rows_;                         // of each part
  std::vector<double> panels_big_, panels_small_;  // b, a few columns side by side
};

}  // namespace ebm::cpu
