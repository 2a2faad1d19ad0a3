// SPDX-License-Identifier: MIT
#include "products.h"

#include <cublas_v2.h>
#include <fmt/core.h>

#include <algorithm>
#include <limits>
#include <random>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/cuda/stopwatch.h"

namespace ebm::cuda {

namespace {

constexpr struct {
  const char* name;
  cublasMath_t mode;
} modes[] = {{"pedantic", CUBLAS_PEDANTIC_MATH},
             {"default", CUBLAS_DEFAULT_MATH},
             {"TF32 allowed", CUBLAS_TF32_TENSOR_OP_MATH}};

class Handle {
 public:
  explicit Handle(cudaStream_t stream) {
    check(cublasCreate(&handle_), "cublasCreate");
    check(cublasSetStream(handle_, stream), "cublasSetStream");
  }
  ~Handle() { cublasDestroy(handle_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  cublasHandle_t get() const { return handle_; }

 private:
  cublasHandle_t handle_ = nullptr;
};

}  // namespace

void print_products(const Context& context, int64_t size) {
  constexpr int runs = 10;
  const cudaStream_t stream = context.stream();
  const Handle handle(stream);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  std::vector<float> numbers(static_cast<size_t>(size * size));
  for (float& x : numbers) x = normal(random);
  const size_t bytes = numbers.size() * sizeof(float);
  const DeviceBlock a(bytes), b(bytes), c(bytes);
  for (const DeviceBlock* factor : {&a, &b}) {
    check(cudaMemcpyAsync(factor->data(), numbers.data(), bytes, cudaMemcpyHostToDevice, stream),
          "cudaMemcpyAsync");
  }
  const auto n = static_cast<int>(size);
  const float one = 1, zero = 0;
  fmt::print("products of {} x {} by cuBLAS:", size, size);
  for (const auto& [name, mode] : modes) {
    check(cublasSetMathMode(handle.get(), mode), "cublasSetMathMode");
    float least = std::numeric_limits<float>::infinity();
    Event start, end;
    for (int run = 0; run <= runs; ++run) {  // the first loads the kernel
      start.record(stream);
      check(cublasSgemm(handle.get(), CUBLAS_OP_N, CUBLAS_OP_N, n, n, n, &one,
                        static_cast<const float*>(b.data()), n, static_cast<const float*>(a.data()), n, &zero,
                        static_cast<float*>(c.data()), n),
            "cublasSgemm");
      end.record(stream);
      const float milliseconds = end.milliseconds_since(start);
      if (run > 0) least = std::min(least, milliseconds);
    }
    const double flop = 2.0 * static_cast<double>(size * size * size);
    fmt::print(" {} {:.2f} TFLOP/s{}", name, least > 0 ? flop / double{least} * 1e-9 : 0.0,
               mode == CUBLAS_TF32_TENSOR_OP_MATH ? "\n" : ",");
  }
}

}  // namespace ebm::cuda
