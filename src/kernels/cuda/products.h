// SPDX-License-Identifier: MIT
#pragma once

#include <cublas_v2.h>

#include "kernels/cuda/context.h"
#include "kernels/kernels.h"

namespace ebm::cuda {

/// Matrix products through cuBLAS, those of Precision::tf32x3 in tiles of the project's own (tiled.h) where these
/// take their sizes.
class Products {
 public:
  explicit Products(const Context& context);
  ~Products();
  Products(const Products&) = delete;
  Products& operator=(const Products&) = delete;

  void run(const Gemm& product);

 private:
  // What NVIDIA advises for Hopper. cuBLAS's own workspace would be allocated inside a captured graph.
  static constexpr int64_t workspace_bytes = 32 << 20;

  cublasMath_t math_mode(const Gemm& product) const;
  /// The product in Precision::tf32x3, if there is a way to it.
  bool run_in_tiles(const Gemm& product);

  const Context& context_;
  cublasMath_t training_mode_;
  DeviceBlock workspace_{workspace_bytes};
  cublasHandle_t handle_ = nullptr;
};

}  // namespace ebm::cuda
