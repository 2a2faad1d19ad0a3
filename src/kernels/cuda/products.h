// SPDX-License-Identifier: MIT
#pragma once

#include <cublas_v2.h>

#include "kernels/cuda/context.h"
#include "kernels/kernels.h"

namespace ebm::cuda {

/// Matrix products through cuBLAS.
class Products {
 public:
  explicit Products(const Context& context);
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  void run(const Gemm& product);

 private:
  // What NVIDIA advises for Hopper. cuBLAS's own workspace would be allocated inside a captured graph.
  static constexpr size_t workspace_bytes = 32 << 20;

  cublasMath_t math_mode(const Gemm& product) const;

  const Context& context_;
  cublasMath_t training_mode_;
  DeviceBlock workspace_{workspace_bytes};
  cublasHandle_t handle_ = nullptr;
};

}  // namespace ebm::cuda
