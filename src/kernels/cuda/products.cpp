// SPDX-License-Identifier: MIT
// cuBLAS stores columns one after the other, this project rows. The same memory read by columns is the
// transpose, so
//   c = op(a) op(b) by rows   is   c^T = op(b)^T op(a)^T by columns:
// the factors change places, sizes m and n too, and each keeps its own transposition.
#include "kernels/cuda/products.h"

#include <limits>

#include "kernels/cuda/check.h"

namespace ebm::cuda {

namespace {

cublasOperation_t operation(Transpose transpose) {
  return transpose == Transpose::yes ? CUBLAS_OP_T : CUBLAS_OP_N;
}

/// Length of a stored row of op(x), which is rows x columns.
int64_t stored_row(Transpose transpose, int64_t rows, int64_t columns) {
  return transpose == Transpose::no ? columns : rows;
}

std::string to_string(const Gemm& g) {
  return std::to_string(g.m) + "x" + std::to_string(g.inner) + " by " + std::to_string(g.inner) + "x" +
         std::to_string(g.n);
}

}  // namespace

Products::Products(const Context& context) : context_(context) {
  const cudaStream_t stream = context_.stream();
  check(cublasCreate(&handle_), "cublasCreate");
  check(cublasSetStream(handle_, stream), "cublasSetStream");
  check(cublasSetWorkspace(handle_, workspace_.data(), workspace_bytes), "cublasSetWorkspace");
}

Products::~Products() {
  cublasDestroy(handle_);
}

void Products::run(const Gemm& g) {
  if (g.m == 0 || g.n == 0) return;
  constexpr int64_t most = std::numeric_limits<int>::max();
  if (g.m > most || g.n > most || g.inner > most) {
    throw Error("a matrix product of " + to_string(g) + " is too large for cuBLAS; use a smaller batch");
  }
  context_.stream();  // makes the GPU current
  // Pedantic: true float32 whatever the environment says.
  const cublasMath_t math =
      g.precision == Precision::full ? CUBLAS_PEDANTIC_MATH : CUBLAS_TF32_TENSOR_OP_MATH;
  check(cublasSetMathMode(handle_, math), "cublasSetMathMode");
  const cublasStatus_t status = cublasSgemm(
      handle_, operation(g.transpose_b), operation(g.transpose_a), static_cast<int>(g.n),
      static_cast<int>(g.m), static_cast<int>(g.inner), &g.alpha, g.b,
      static_cast<int>(stored_row(g.transpose_b, g.inner, g.n)), g.a,
      static_cast<int>(stored_row(g.transpose_a, g.m, g.inner)), &g.beta, g.c, static_cast<int>(g.n));
  if (status != CUBLAS_STATUS_SUCCESS) check(status, "cublasSgemm of " + to_string(g));
}

}  // namespace ebm::cuda
