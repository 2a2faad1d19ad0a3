// SPDX-License-Identifier: MIT
// Wrong kernels and wrong launches, each seen to be caught by the emulated device.
#include <cmath>
#include <cstdlib>
#include <cub/block/block_reduce.cuh>
#include <string>

#include "planted.cuh"

namespace ebm::emulated {
namespace {

// Bounds

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

__global__ void wait_and_fill(float* out, int n) {
  if (threadIdx.x < static_cast<unsigned>(n)) {
    cudaGridDependencySynchronize();
    out[threadIdx.x] = 1;
  }
}

TEST_F(PlantedDeathTest, AnEarlyStartWithoutAWait) {
  float* out = device(32);
  attribute_.id = cudaLaunchAttributeProgrammaticStreamSerialization;
  attribute_.val.programmaticStreamSerializationAllowed = 1;
  run(1, 32, wait_and_fill, out, 32);
  EXPECT_EQ(host(out, 32), std::vector<float>(32, 1.0f));
  EXPECT_DEATH(run(1, 32, wait_and_fill, out, 31), "1 of the 32 threads of a grid that starts early");
  EXPECT_DEATH(run(1, 32, fill, out, 32), "32 of the 32 threads");
  attribute_.id = cudaLaunchAttributePriority;
  EXPECT_EQ(launch(1, 32, fill, out, 32), cudaErrorInvalidConfiguration);
}

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

}  // namespace
}  // namespace ebm::emulated
