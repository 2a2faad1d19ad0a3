// SPDX-License-Identifier: MIT
// cuBLAS stores columns one after the other, this project rows. The same memory read by columns is the
// transpose, so
//   c = op(a) op(b) by rows   is   c^T = op(b)^T op(a)^T by columns:
// the factors change places, sizes m and n too, and each keeps its own transposition.
#include "kernels/cuda/products.h"

#include <cstdlib>
#include <limits>
#include <string_view>

#include "kernels/cuda/check.h"
#include "kernels/cuda/tiled.h"

namespace ebm::cuda {

namespace {

cublasOperation_t operation(Transpose transpose) {
  return transpose == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
}

cudaDataType_t data_type(Type type) {
  return type == Type::bfloat16 ? CUDA_R_16BF : CUDA_R_32F;
}

/// What Precision::training asks for. cuBLAS itself obeys NVIDIA_TF32_OVERRIDE=0, but in 13.1.0 not always: a
/// field of its handle that decides it is not initialised, so some handles compute in TF32 nevertheless. A mode
/// that does not ask for TF32 leaves nothing to overlook.
cublasMath_t training_mode() {
  const char* const override = std::getenv("NVIDIA_TF32_OVERRIDE");
  return override != nullptr && std::string_view(override) == "0" ? CUBLAS_DEFAULT_MATH
                                                                  : CUBLAS_TF32_TENSOR_OP_MATH;
}

/// Length of a stored row of op(x), which is rows x columns.
int64_t stored_row(Transpose transpose, int64_t rows, int64_t columns) {
  return transpose == Transpose::no ? columns : rows;
}

}  // namespace

Products::Products(const Context& context) : context_(context), training_mode_(training_mode()) {
  const cudaStream_t stream = context_.stream();
  check(cublasCreate(&handle_), "cublasCreate");
  check(cublasSetStream(handle_, stream), "cublasSetStream");
  check(cublasSetWorkspace(handle_, workspace_.data(), workspace_bytes), "cublasSetWorkspace");
}

Products::~Products() {
  cublasDestroy(handle_);
}

cublasMath_t Products::math_mode(const Gemm& g) const {
  if (g.a.type == Type::bfloat16) return CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;  // sums in float32
  // Pedantic: true float32 whatever the environment says.
  return as_float32(g.precision) ? CUBLAS_PEDANTIC_MATH : training_mode_;
}

bool Products::run_in_tiles(const Gemm& g) {
  require_tf32x3(context_);
  const auto ways = ways_to(g, workspace_bytes, context_);
  if (ways.empty()) return false;
  const TiledWay<TiledProduct>& way = ways.front();
  way.kernel->run({.stream = context_.stream(), .workspace = workspace_.data(), .split = way.split}, g);
  return true;
}

void Products::run(const Gemm& g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.precision == Precision::tf32x3 && run_in_tiles(g)) return;
  constexpr int64_t most = std::numeric_limits<int>::max();
  if (g.m > most || g.n > most || g.inner > most) {
    throw Error("a matrix product of " + to_string(g) + " is too large for cuBLAS; use a smaller batch");
  }
  context_.stream();  // makes the GPU current
  check(cublasSetMathMode(handle_, math_mode(g)), "cublasSetMathMode");
  const auto m = static_cast<int>(g.m), n = static_cast<int>(g.n), inner = static_cast<int>(g.inner);
  const auto row_a = static_cast<int>(stored_row(g.transpose_a, g.m, g.inner)),
             row_b = static_cast<int>(stored_row(g.transpose_b, g.inner, g.n));
  const cublasOperation_t op_a = operation(g.transpose_a), op_b = operation(g.transpose_b);
  cublasStatus_t status;
  if (g.a.type == Type::float32) {
    status = cublasSgemm(handle_, op_b, op_a, n, m, inner, &g.alpha, static_cast<const float*>(g.b.address),
                         row_b, static_cast<const float*>(g.a.address), row_a, &g.beta,
                         static_cast<float*>(g.c.address), n);
  } else {
    status = cublasGemmEx(handle_, op_b, op_a, n, m, inner, &g.alpha, g.b.address, data_type(g.b.type), row_b,
                          g.a.address, data_type(g.a.type), row_a, &g.beta, g.c.address, data_type(g.c.type),
                          n, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
  }
  if (status != CUBLAS_STATUS_SUCCESS) check(status, "the product by cuBLAS of " + to_string(g));
}

}  // namespace ebm::cuda
