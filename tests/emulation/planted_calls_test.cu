// SPDX-License-Identifier: MIT
// Wrong calls of the runtime and of cuBLAS, each seen to be caught by the emulated device.
#include <cublas_v2.h>

#include <set>
#include <string>
#include <tuple>

#include "planted.cuh"
#include "support/environment.h"

namespace ebm::emulated {
namespace {

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

/// A capture that a second stream has joined, and memory for both.
class BranchTest : public PlantedTest {
 protected:
  BranchTest() : block_(device(1)) {
    EXPECT_EQ(cudaStreamCreateWithFlags(&other_, cudaStreamNonBlocking), cudaSuccess);
    for (cudaEvent_t* event : {&event_, &outside_})
      EXPECT_EQ(cudaEventCreateWithFlags(event, cudaEventDisableTiming), cudaSuccess);
    EXPECT_EQ(cudaEventRecord(outside_, other_), cudaSuccess);
    EXPECT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    make_wait(other_, stream_);
  }
  ~BranchTest() override {
    for (const cudaEvent_t event : {event_, outside_}) cudaEventDestroy(event);
    cudaStreamDestroy(other_);
  }
  void make_wait(cudaStream_t stream, cudaStream_t before) {
    EXPECT_EQ(cudaEventRecord(event_, before), cudaSuccess);
    EXPECT_EQ(cudaStreamWaitEvent(stream, event_, 0), cudaSuccess);
  }
  void set(int byte, cudaStream_t stream) {
    EXPECT_EQ(cudaMemsetAsync(block_, byte, 4, stream), cudaSuccess);
  }
  cudaError_t end() { return cudaStreamEndCapture(stream_, &graph_); }
  /// What the block holds after each of many launches of the captured graph.
  std::set<float> results() {
    EXPECT_EQ(end(), cudaSuccess);
    std::set<float> seen;
    cudaGraphExec_t executable = nullptr;
    EXPECT_EQ(cudaGraphInstantiate(&executable, graph_, 0), cudaSuccess);
    for (int i = 0; i < 50; ++i) {
      EXPECT_EQ(cudaGraphLaunch(executable, stream_), cudaSuccess);
      seen.insert(host(block_, 1)[0]);
    }
    cudaGraphExecDestroy(executable);
    cudaGraphDestroy(graph_);
    return seen;
  }

  float* block_;
  cudaStream_t other_ = nullptr;
  cudaEvent_t event_ = nullptr, outside_ = nullptr;
  cudaGraph_t graph_ = nullptr;
};

TEST_F(BranchTest, ThatNobodyWaitsFor) {
  set(0, other_);
  EXPECT_EQ(end(), cudaErrorStreamCaptureUnjoined);
}

TEST_F(BranchTest, ThatWaitsForWorkOutside) {
  EXPECT_EQ(cudaStreamWaitEvent(other_, outside_, 0), cudaErrorStreamCaptureIsolation);
  EXPECT_EQ(end(), cudaErrorStreamCaptureInvalidated);
}

TEST_F(BranchTest, ThatWritesWhatAnotherWrites) {
  if (order_is_natural()) GTEST_SKIP() << "the natural order hides it";
  set(1, stream_);
  set(2, other_);
  make_wait(stream_, other_);
  EXPECT_EQ(results().size(), 2u);
}

TEST_F(BranchTest, ThatIsWaitedFor) {
  set(1, stream_);
  make_wait(other_, stream_);
  set(2, other_);
  make_wait(stream_, other_);
  set(0, stream_);
  EXPECT_EQ(results(), std::set<float>{0.0f});
}

TEST_F(PlantedTest, AStreamThatWaitsForAnother) {
  float* block = device(1);
  cudaStream_t other = nullptr;
  cudaEvent_t event = nullptr;
  ASSERT_EQ(cudaStreamCreateWithFlags(&other, cudaStreamNonBlocking), cudaSuccess);
  ASSERT_EQ(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
  ASSERT_EQ(launch(1, 1, fill, block, 1), cudaSuccess);
  ASSERT_EQ(cudaEventRecord(event, stream_), cudaSuccess);
  float with = 7, without = 7;
  ASSERT_EQ(cudaMemcpyAsync(&without, block, 4, cudaMemcpyDeviceToHost, other), cudaSuccess);
  ASSERT_EQ(cudaStreamWaitEvent(other, event, 0), cudaSuccess);
  ASSERT_EQ(cudaMemcpyAsync(&with, block, 4, cudaMemcpyDeviceToHost, other), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(other), cudaSuccess);
  EXPECT_NE(without, 1) << "it did not wait yet";
  EXPECT_EQ(with, 1);
  cudaEventDestroy(event);
  cudaStreamDestroy(other);
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
  const float third = 1.0f / 3, rounded = 0x1.554p-2f, one = 1, zero = 0;
  run(1, 32, fill, b_, 12);
  ASSERT_EQ(cudaMemcpyAsync(a_, &third, 4, cudaMemcpyHostToDevice, stream_), cudaSuccess);
  ASSERT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  const auto third_times_one = [&](cublasMath_t math) {
    EXPECT_EQ(cublasSetMathMode(handle_, math), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(product(1, 1, 1, 1, 1, 1), CUBLAS_STATUS_SUCCESS);
    return host(c_, 1)[0];
  };
  const auto computed_as = [&](cublasComputeType_t compute) {
    EXPECT_EQ(cublasSetMathMode(handle_, CUBLAS_DEFAULT_MATH), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(cublasGemmEx(handle_, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 1, &one, a_, CUDA_R_32F, 1, b_,
                           CUDA_R_32F, 1, &zero, c_, CUDA_R_32F, 1, compute, CUBLAS_GEMM_DEFAULT),
              CUBLAS_STATUS_SUCCESS);
    return host(c_, 1)[0];
  };
  // What the environment says, and what products come to that do not ask for TF32, and that do.
  for (const auto& [environment, by_default, asked] :
       {std::tuple{"0", third, rounded}, {"", third, rounded}, {"1", rounded, rounded}}) {
    SCOPED_TRACE(environment);
    const test::Environment set("NVIDIA_TF32_OVERRIDE", environment);
    cudaStreamDestroy(stream_);
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cublasSetStream(handle_, stream_), CUBLAS_STATUS_SUCCESS);
    EXPECT_EQ(third_times_one(CUBLAS_PEDANTIC_MATH), third);
    EXPECT_EQ(third_times_one(CUBLAS_DEFAULT_MATH), by_default);
    EXPECT_EQ(third_times_one(CUBLAS_TF32_TENSOR_OP_MATH), asked);
    EXPECT_EQ(computed_as(CUBLAS_COMPUTE_32F_PEDANTIC), third);
    EXPECT_EQ(computed_as(CUBLAS_COMPUTE_32F), by_default);
    EXPECT_EQ(computed_as(CUBLAS_COMPUTE_32F_FAST_TF32), asked);
  }
  EXPECT_EQ(cublasSetMathMode(handle_, CUBLAS_TENSOR_OP_MATH), CUBLAS_STATUS_INVALID_VALUE);
}

TEST(BlasRounding, Tf32HasTenBitsAndIsTheNearest) {
  for (const auto& [value, nearest] : {std::pair{1.0f, 1.0f},
                                       {0x1.ffcp0f, 0x1.ffcp0f},
                                       {0x1.001p0f, 1.0f},
                                       {0x1.003p0f, 0x1.004p0f},
                                       {0x1.002002p0f, 0x1.004p0f},
                                       {-0x1.0028p0f, -0x1.004p0f},
                                       {0x1.fff8p-3f, 0x1p-2f}}) {
    EXPECT_EQ(to_tf32(value), nearest) << value;
  }
}

}  // namespace
}  // namespace ebm::emulated
