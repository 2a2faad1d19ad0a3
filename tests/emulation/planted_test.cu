// SPDX-License-Identifier: MIT
// Wrong kernels and wrong calls, each seen to be caught by the emulated device.
#include <cublas_v2.h>
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <cub/block/block_reduce.cuh>
#include <string>
#include <vector>

namespace {

/// A stream, and device memory that frees itself.
class PlantedTest : public testing::Test {
 protected:
  PlantedTest() { EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess); }
  ~PlantedTest() override {
    for (float* block : blocks_) cudaFree(block);
    cudaStreamDestroy(stream_);
  }

  float* device(size_t floats) {
    void* block = nullptr;
    EXPECT_EQ(cudaMalloc(&block, floats * sizeof(float)), cudaSuccess);
    EXPECT_EQ(cudaMemsetAsync(block, 0, floats * sizeof(float), stream_), cudaSuccess);
    return blocks_.emplace_back(static_cast<float*>(block));
  }
  std::vector<float> host(const float* block, size_t floats) {
    std::vector<float> values(floats);
    EXPECT_EQ(cudaMemcpyAsync(values.data(), block, floats * sizeof(float), cudaMemcpyDeviceToHost, stream_),
              cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    return values;
  }
  template <class... P, class... A>
  cudaError_t launch(dim3 grid, dim3 block, void (*kernel)(P...), A... arguments) {
    cudaLaunchConfig_t config{};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = shared_bytes_;
    config.stream = stream_;
    return cudaLaunchKernelEx(&config, kernel, arguments...);
  }
  template <class... P, class... A>
  void run(dim3 grid, dim3 block, void (*kernel)(P...), A... arguments) {
    ASSERT_EQ(launch(grid, block, kernel, arguments...), cudaSuccess);
    ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  }

  cudaStream_t stream_ = nullptr;
  size_t shared_bytes_ = 0;

 private:
  std::vector<float*> blocks_;
};
using PlantedDeathTest = PlantedTest;

bool order_is_natural() {
  const char* seed = std::getenv("EBM_EMULATED_SEED");
  return seed != nullptr && std::string(seed) == "0";
}

// Bounds

__global__ void fill(float* out, int count) {
  for (int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x); i < count;
       i += gridDim.x * blockDim.x) {
    out[i] = 1;
  }
}

__global__ void read_at(const float* in, long index, float* out) {
  *out = in[index];
}

TEST_F(PlantedTest, ARightKernelRuns) {
  float* out = device(1001);
  run(3, 128, fill, out, 1001);
  EXPECT_EQ(host(out, 1001), std::vector<float>(1001, 1.0f));
}

TEST_F(PlantedDeathTest, AWritePastTheEnd) {
  float* out = device(17);
#ifdef __SANITIZE_ADDRESS__
  EXPECT_DEATH(run(1, 32, fill, out, 18), "AddressSanitizer");
#else
  EXPECT_DEATH(run(1, 32, fill, out, 18), "wrote to byte [0-9]+ of an allocation of 68 bytes");
#endif
}

TEST_F(PlantedDeathTest, AReadPastTheEnd) {
#ifdef __SANITIZE_ADDRESS__
  float *in = device(17), *out = device(1);
  EXPECT_DEATH(run(1, 1, read_at, in, 17L, out), "AddressSanitizer");
#else
  GTEST_SKIP() << "reads are checked by AddressSanitizer alone (make sanitize)";
#endif
}

TEST_F(PlantedDeathTest, AReadFarAway) {
  float *in = device(17), *out = device(1);
  EXPECT_DEATH(run(1, 1, read_at, in, 1L << 30, out),
               "a kernel reached beyond all device memory|AddressSanitizer");
}

TEST_F(PlantedDeathTest, AHostDereference) {
  float* block = device(4);
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_DEATH(
      {
        volatile float value = *block;
        (void)value;
      },
      "the host touched device memory");
  EXPECT_DEATH(*block = 1, "the host touched device memory");
}

TEST_F(PlantedTest, NewMemoryIsNotZero) {
  void* block = nullptr;
  ASSERT_EQ(cudaMalloc(&block, 4), cudaSuccess);
  EXPECT_TRUE(std::isnan(host(static_cast<float*>(block), 1)[0]));
  EXPECT_EQ(cudaFree(block), cudaSuccess);
}

// Barriers

constexpr int width = 128;

/// out[row] = in[row, 0] + in[row, last], by way of shared memory.
template <bool with_barrier>
__global__ void first_plus_last(const float* in, float* out) {
  __shared__ float shared[width];
  const float x = in[blockIdx.x * width + threadIdx.x];
  shared[threadIdx.x] = x;
  if (with_barrier) __syncthreads();
  if (threadIdx.x == 0) out[blockIdx.x] = shared[0] + shared[width - 1];
}

__global__ void some_wait(int waiting) {
  if (static_cast<int>(threadIdx.x) < waiting) __syncthreads();
}

template <bool with_barrier>
__global__ void two_sums(const float* in, float* out) {
  using Reduce = cub::BlockReduce<float, width>;
  __shared__ Reduce::TempStorage storage;
  const float x = in[blockIdx.x * width + threadIdx.x];
  const float once = Reduce(storage).Sum(x);
  if (with_barrier) __syncthreads();
  const float twice = Reduce(storage).Sum(2 * x);
  if (threadIdx.x == 0) out[blockIdx.x] = twice - 2 * once;
}

/// How many of 256 rows a kernel gets wrong.
class BarrierTest : public PlantedTest {
 protected:
  static constexpr unsigned rows = 256;
  BarrierTest() : in_(device(rows * width)), out_(device(rows)) {
    std::vector<float> values(rows * width);
    for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    EXPECT_EQ(cudaMemcpyAsync(in_, values.data(), values.size() * 4, cudaMemcpyHostToDevice, stream_),
              cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  }

  template <class Expected>
  int wrong_rows(void (*kernel)(const float*, float*), Expected expected) {
    run(rows, width, kernel, in_, out_);
    const std::vector<float> results = host(out_, rows);
    int wrong = 0;
    for (size_t r = 0; r < rows; ++r) wrong += results[r] != expected(r) ? 1 : 0;
    return wrong;
  }
  float *in_, *out_;
};

TEST_F(BarrierTest, AMissingBarrier) {
  const auto expected = [](size_t row) { return static_cast<float>(2 * row * width + width - 1); };
  EXPECT_EQ(wrong_rows(first_plus_last<true>, expected), 0);
  if (order_is_natural()) GTEST_SKIP() << "the natural order hides it";
  EXPECT_GT(wrong_rows(first_plus_last<false>, expected), 50);
}

TEST_F(BarrierTest, AReductionsStorageUsedAgainTooEarly) {
  const auto zero = [](size_t) { return 0.0f; };
  EXPECT_EQ(wrong_rows(two_sums<true>, zero), 0);
  if (order_is_natural()) GTEST_SKIP() << "the natural order hides it";
  EXPECT_GT(wrong_rows(two_sums<false>, zero), 50);
}

TEST_F(PlantedDeathTest, ABarrierThatSomeThreadsMiss) {
  run(2, 64, some_wait, 64);
  run(2, 64, some_wait, 0);
  EXPECT_DEATH(run(2, 64, some_wait, 63), "63 of the 64 threads of block .* wait at a barrier");
}

TEST_F(PlantedDeathTest, AReductionOfAnotherBlock) {
  float *in = device(2 * width), *out = device(1);
  EXPECT_DEATH(run(1, 2 * width, two_sums<true>, in, out),
               "cub::BlockReduce for 128 threads in a block of 256x1x1");
}

// Launches

TEST_F(PlantedTest, LaunchesBeyondTheLimits) {
  float* out = device(1);
  EXPECT_EQ(launch(1, 1024, fill, out, 1), cudaSuccess);
  EXPECT_EQ(launch(1, 1025, fill, out, 1), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(1, dim3(32, 64), fill, out, 1), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(1, dim3(1, 1, 65), fill, out, 1), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(0, 32, fill, out, 1), cudaErrorInvalidConfiguration);
  EXPECT_EQ(launch(dim3(1, 65536), 32, fill, out, 1), cudaErrorInvalidConfiguration);
  shared_bytes_ = 48 * 1024 + 1;
  EXPECT_EQ(launch(1, 32, fill, out, 1), cudaErrorInvalidConfiguration);
  cudaLaunchConfig_t on_the_default_stream{};
  on_the_default_stream.gridDim = on_the_default_stream.blockDim = 1;
  EXPECT_EQ(cudaLaunchKernelEx(&on_the_default_stream, fill, out, 1), cudaErrorInvalidResourceHandle);
}

// Streams and copies

TEST_F(PlantedTest, ACopyIsNotThereBeforeAWait) {
  float* block = device(1);
  float result = 7;
  run(1, 1, fill, block, 1);
  ASSERT_EQ(cudaMemcpyAsync(&result, block, 4, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
  EXPECT_EQ(result, 7);
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(result, 1);
}

TEST_F(PlantedTest, AnEventWaitsForWhatCameBeforeItAlone) {
  float* block = device(1);
  float before = 7, after = 7;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(&before, block, 4, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event, stream_), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(&after, block, 4, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
  ASSERT_EQ(cudaEventSynchronize(event), cudaSuccess);
  EXPECT_EQ(before, 0);
  EXPECT_EQ(after, 7);
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  EXPECT_EQ(after, 0);
  EXPECT_EQ(cudaEventDestroy(event), cudaSuccess);
}

TEST_F(PlantedDeathTest, CopiesOutsideTheirBlocks) {
  float *a = device(8), *b = device(8);
  std::vector<float> values(9);
  const auto copy = [&](void* to, const void* from, size_t floats, cudaMemcpyKind kind) {
    return cudaMemcpyAsync(to, from, floats * 4, kind, stream_);
  };
  EXPECT_DEATH(copy(a, values.data(), 9, cudaMemcpyHostToDevice), "not inside one allocation");
  EXPECT_DEATH(copy(values.data(), a + 1, 8, cudaMemcpyDeviceToHost), "not inside one allocation");
  EXPECT_DEATH(copy(a, values.data(), 8, cudaMemcpyDeviceToDevice), "not inside one allocation");
  EXPECT_DEATH(copy(a, b, 8, cudaMemcpyHostToDevice), "is device memory, not the host's");
  EXPECT_DEATH(copy(a, a + 3, 4, cudaMemcpyDeviceToDevice), "overlapping");
  EXPECT_DEATH(cudaMemsetAsync(a, 0, 9 * 4, stream_), "not inside one allocation");
}

TEST_F(PlantedTest, FreeingTwice) {
  void* block = nullptr;
  ASSERT_EQ(cudaMalloc(&block, 16), cudaSuccess);
  EXPECT_EQ(cudaFree(static_cast<char*>(block) + 1), cudaErrorInvalidValue);
  EXPECT_EQ(cudaFree(block), cudaSuccess);
  EXPECT_EQ(cudaFree(block), cudaErrorInvalidValue);
}

// Capture

class CaptureTest : public PlantedTest {
 protected:
  CaptureTest() { EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess); }
  ~CaptureTest() override {
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(stream_, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
  }
  cudaError_t end() {
    cudaGraph_t graph = nullptr;
    const cudaError_t status = cudaStreamEndCapture(stream_, &graph);
    if (graph != nullptr) cudaGraphDestroy(graph);
    return status;
  }
};

TEST_F(CaptureTest, Allocating) {
  void* block = nullptr;
  EXPECT_EQ(cudaMalloc(&block, 4), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

TEST_F(CaptureTest, Freeing) {
  EXPECT_EQ(cudaFree(&stream_), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

TEST_F(CaptureTest, Waiting) {
  EXPECT_EQ(cudaStreamSynchronize(stream_), cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

TEST_F(CaptureTest, AnOrdinaryHostBuffer) {
  EXPECT_EQ(end(), cudaSuccess);
  float* block = device(1);
  float value = 0;
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_EQ(cudaMemcpyAsync(&value, block, 4, cudaMemcpyDeviceToHost, stream_),
            cudaErrorStreamCaptureUnsupported);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

TEST_F(CaptureTest, TwoAtOnce) {
  EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaErrorIllegalState);
  EXPECT_EQ(end(), cudaSuccess);
  EXPECT_EQ(end(), cudaErrorIllegalState);
}

// cuBLAS

class BlasTest : public PlantedTest {
 protected:
  BlasTest() {
    EXPECT_EQ(cublasCreate(&handle_), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(cublasSetStream(handle_, stream_), CUBLAS_STATUS_SUCCESS);
  }
  ~BlasTest() override { cublasDestroy(handle_); }

  /// c (m x n) = a (m x k) b (k x n) by columns.
  cublasStatus_t product(int m, int n, int k, int lda, int ldb, int ldc) {
    const float one = 1, zero = 0;
    return cublasSgemm(handle_, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &one, a_, lda, b_, ldb, &zero, c_, ldc);
  }

  float *a_ = device(6), *b_ = device(12), *c_ = device(8);  // 2 x 3, 3 x 4, 2 x 4
  cublasHandle_t handle_ = nullptr;
};
using BlasDeathTest = BlasTest;

TEST_F(BlasTest, LeadingDimensionsThatAreTooSmall) {
  EXPECT_EQ(product(2, 4, 3, 2, 3, 2), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product(2, 4, 3, 1, 3, 2), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(product(2, 4, 3, 2, 2, 2), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(product(2, 4, 3, 2, 3, 1), CUBLAS_STATUS_INVALID_VALUE);
  EXPECT_EQ(product(-1, 4, 3, 2, 3, 1), CUBLAS_STATUS_INVALID_VALUE);
}

TEST_F(BlasDeathTest, LeadingDimensionsThatReachTooFar) {
  EXPECT_DEATH(product(2, 4, 3, 3, 3, 2), "a \\(2 x 3, leading dimension 3\\) does not lie inside");
  EXPECT_DEATH(product(2, 4, 3, 2, 4, 2), "b \\(3 x 4, leading dimension 4\\) does not lie inside");
  EXPECT_DEATH(product(2, 4, 3, 2, 3, 4), "c \\(2 x 4, leading dimension 4\\) does not lie inside");
}

TEST_F(BlasDeathTest, AResultOverAFactor) {
  c_ = b_ + 2;
  EXPECT_DEATH(product(2, 4, 3, 2, 3, 2), "c overlaps a or b");
}

TEST_F(BlasTest, CapturedWithoutAWorkspace) {
  cudaGraph_t graph = nullptr;
  float* workspace = device(1024);
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_NE(product(2, 4, 3, 2, 3, 2), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cublasSetWorkspace(handle_, workspace, 4096), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(product(2, 4, 3, 2, 3, 2), CUBLAS_STATUS_SUCCESS);
  EXPECT_EQ(cublasSetStream(handle_, stream_), CUBLAS_STATUS_SUCCESS);  // forgets the workspace
  EXPECT_NE(product(2, 4, 3, 2, 3, 2), CUBLAS_STATUS_SUCCESS);
  ASSERT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess);
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  EXPECT_EQ(cublasSetWorkspace(handle_, workspace + 1, 256), CUBLAS_STATUS_INVALID_VALUE);
}

TEST_F(BlasTest, Tf32RoundsTheFactors) {
  run(1, 32, fill, b_, 12);
  const float third = 1.0f / 3;
  ASSERT_EQ(cudaMemcpyAsync(a_, &third, 4, cudaMemcpyHostToDevice, stream_), cudaSuccess);
  const char* const before = std::getenv("NVIDIA_TF32_OVERRIDE");
  const std::string override = before != nullptr ? before : "";
  const auto third_times_one = [&](cublasMath_t math) {
    EXPECT_EQ(cublasSetMathMode(handle_, math), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(product(1, 1, 1, 1, 1, 1), CUBLAS_STATUS_SUCCESS);
    return host(c_, 1)[0];
  };
  const auto reopen = [&] {
    cublasDestroy(handle_);
    ASSERT_EQ(cublasCreate(&handle_), CUBLAS_STATUS_SUCCESS);
    ASSERT_EQ(cublasSetStream(handle_, stream_), CUBLAS_STATUS_SUCCESS);
  };
  unsetenv("NVIDIA_TF32_OVERRIDE");
  reopen();
  EXPECT_EQ(third_times_one(CUBLAS_PEDANTIC_MATH), third);
  EXPECT_EQ(third_times_one(CUBLAS_TF32_TENSOR_OP_MATH), 0x1.554p-2f);
  setenv("NVIDIA_TF32_OVERRIDE", "0", 1);
  reopen();
  EXPECT_EQ(third_times_one(CUBLAS_TF32_TENSOR_OP_MATH), third);
  if (override.empty()) unsetenv("NVIDIA_TF32_OVERRIDE");
}

}  // namespace
