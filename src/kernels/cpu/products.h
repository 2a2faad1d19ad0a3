// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "kernels/cpu/threads.h"
#include "kernels/kernels.h"

namespace ebm::cpu {

/// Matrix products through oneDNN. Keeps what a shape needs from one call to the next.
class Products {
 public:
  explicit Products(Threads& threads);
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  /// Throws Error if oneDNN refuses the product.
  void run(const Gemm& product);

 private:
  struct Matmuls;
  Threads& threads_;
  std::unique_ptr<Matmuls> matmuls_;
};

}  // namespace ebm::cpu
