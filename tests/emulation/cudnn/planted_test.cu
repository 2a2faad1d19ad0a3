// SPDX-License-Identifier: MIT
// Wrong calls of cuDNN, each seen to be caught by its stand-in.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "kernels/cuda/cudnn/plan.h"

namespace ebm::cuda {
namespace {

/// A convolution of 2 images of 3 x 3 x 4 to 4 channels with a 2 x 2 kernel, on the emulated device.
class PlantedDnnTest : public testing::Test {
 protected:
  static constexpr ConvolutionShape shape{
      .rows = 2, .input = {.height = 3, .width = 3, .channels = 4}, .output_channels = 4, .kernel = {2, 2}};
  static constexpr size_t x_size = 2 * 3 * 3 * 4, weight_size = 4 * 2 * 2 * 4, y_size = 2 * 2 * 2 * 4;

  PlantedDnnTest() {
    EXPECT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
    EXPECT_EQ(cudnnCreate(&handle_), CUDNN_STATUS_SUCCESS);
    EXPECT_EQ(cudnnSetStream(handle_, stream_), CUDNN_STATUS_SUCCESS);
    x_ = device(std::vector<float>(x_size, 1.0f / 3));
    weight_ = device(std::vector<float>(weight_size, 1));
    y_ = device(std::vector<float>(y_size, 0));
    workspace_ = device(std::vector<float>(1024, 0));
  }
  ~PlantedDnnTest() override {
    cudnnDestroy(handle_);
    for (float* block : {x_, weight_, y_, workspace_}) cudaFree(block);
    cudaStreamDestroy(stream_);
  }

  float* device(const std::vector<float>& values) {
    void* block = nullptr;
    const size_t bytes = values.size() * sizeof(float);
    EXPECT_EQ(cudaMalloc(&block, bytes), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(block, values.data(), bytes, cudaMemcpyHostToDevice, stream_), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    return static_cast<float*>(block);
  }
  float first_of(const float* block) {
    float value = 0;
    EXPECT_EQ(cudaMemcpyAsync(&value, block, sizeof value, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    return value;
  }

  Plan plan(Precision precision, int64_t alignment = 16) {
    return Plan(cudnn_, {.handle = handle_},
                {.pass = Pass::forward, .shape = shape, .precision = precision, .alignment = alignment});
  }

  Descriptor tensor(const std::vector<int64_t>& dimensions, const std::vector<int64_t>& strides) {
    Descriptor d(cudnn_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    d.set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {1});
    d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_DATA_FLOAT);
    d.set_integers(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16});
    d.set_integers(CUDNN_ATTR_TENSOR_DIMENSIONS, dimensions);
    d.set_integers(CUDNN_ATTR_TENSOR_STRIDES, strides);
    return d;
  }

  Cudnn cudnn_ = default_cudnn();
  cudaStream_t stream_ = nullptr;
  cudnnHandle_t handle_ = nullptr;
  float *x_, *weight_, *y_, *workspace_;
};
using PlantedDnnDeathTest = PlantedDnnTest;

TEST_F(PlantedDnnTest, ARightConvolutionRuns) {
  const Plan p = plan(Precision::full);
  p.run(handle_, x_, weight_, y_, workspace_);
  EXPECT_EQ(first_of(y_), [] {
    float sum = 0;
    for (int i = 0; i < 16; ++i) sum += 1.0f / 3;
    return sum;
  }());
}

TEST_F(PlantedDnnTest, Tf32IsForTrainingAlone) {
  const char* const before = std::getenv("NVIDIA_TF32_OVERRIDE");
  const std::string override = before != nullptr ? before : "";
  unsetenv("NVIDIA_TF32_OVERRIDE");
  constexpr float rounded_third = 0x1.554p-2f;
  const auto value = [&](Precision precision) {
    plan(precision).run(handle_, x_, weight_, y_, workspace_);
    return first_of(y_);
  };
  EXPECT_EQ(value(Precision::training), 16 * rounded_third);
  EXPECT_NE(value(Precision::full), 16 * rounded_third);
  setenv("NVIDIA_TF32_OVERRIDE", "0", 1);
  EXPECT_NE(value(Precision::training), 16 * rounded_third);
  if (override.empty()) unsetenv("NVIDIA_TF32_OVERRIDE");
}

TEST_F(PlantedDnnTest, AttributesOfTheWrongKind) {
  Descriptor d(cudnn_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  const std::vector<int64_t> four{2, 4, 3, 3};
  const double number = 1;
  const auto set = [&](cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type, int64_t count,
                       const void* values) {
    return cudnnBackendSetAttribute(d.get(), name, type, count, values);
  };
  EXPECT_EQ(set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, four.data()), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 5, four.data()), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_DOUBLE, 1, &number),
            CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
  EXPECT_EQ(set(CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, four.data()), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(cudnnBackendFinalize(d.get()), CUDNN_STATUS_BAD_PARAM) << "attributes are missing";
}

TEST_F(PlantedDnnTest, TensorsThatAreNotChannelsLast) {
  EXPECT_EQ(tensor({2, 4, 3, 3}, {36, 1, 12, 4}).try_finalize(), CUDNN_STATUS_SUCCESS);
  EXPECT_EQ(tensor({2, 4, 3, 3}, {36, 9, 3, 1}).try_finalize(), CUDNN_STATUS_BAD_PARAM);
  EXPECT_EQ(tensor({2, 4, 0, 3}, {0, 1, 12, 4}).try_finalize(), CUDNN_STATUS_BAD_PARAM);
  Descriptor final = tensor({2, 4, 3, 3}, {36, 1, 12, 4});
  final.finalize();
  EXPECT_THROW(final.set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {2}), Error) << "it is final";
}

TEST_F(PlantedDnnTest, AnOutputOfTheWrongShape) {
  ConvolutionShape too_small = shape;
  too_small.kernel = {4, 4};  // larger than the image
  EXPECT_THROW(Plan(cudnn_, {.handle = handle_}, {.pass = Pass::forward, .shape = too_small}), Error);
}

TEST_F(PlantedDnnTest, AHandleOfNobody) {
  EXPECT_THROW(Plan(cudnn_, {}, {.pass = Pass::forward, .shape = shape}), Error);
  cudnnHandle_t other = nullptr;
  ASSERT_EQ(cudnnCreate(&other), CUDNN_STATUS_SUCCESS);
  const Plan p = plan(Precision::full);
  EXPECT_THROW(p.run(other, x_, weight_, y_, workspace_), Error) << "it has no stream";
  ASSERT_EQ(cudnnSetStream(other, stream_), CUDNN_STATUS_SUCCESS);
  EXPECT_THROW(p.run(other, x_, weight_, y_, workspace_), Error) << "the plan is not for it";
  EXPECT_EQ(cudnnDestroy(other), CUDNN_STATUS_SUCCESS);
  EXPECT_NE(cudnnDestroy(other), CUDNN_STATUS_SUCCESS);
}

TEST_F(PlantedDnnTest, PlanningWhileRecording) {
  const Plan before = plan(Precision::full);
  cudaGraph_t graph = nullptr;
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  before.run(handle_, x_, weight_, y_, workspace_);
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaSuccess) << "a plan that was there may run";
  EXPECT_EQ(cudaGraphDestroy(graph), cudaSuccess);
  ASSERT_EQ(cudaStreamBeginCapture(stream_, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  EXPECT_THROW(plan(Precision::full), Error);
  EXPECT_EQ(cudaStreamEndCapture(stream_, &graph), cudaErrorStreamCaptureInvalidated);
}

TEST_F(PlantedDnnDeathTest, PointersThatCannotBe) {
  const Plan p = plan(Precision::full);
  EXPECT_DEATH(p.run(handle_, x_ + 1, weight_, y_, workspace_), "x is not aligned");
  EXPECT_DEATH(p.run(handle_, x_ + 4, weight_, y_, workspace_), "x does not lie inside");
  EXPECT_DEATH(p.run(handle_, x_, y_, y_, workspace_), "the weight does not lie inside");
  EXPECT_DEATH(p.run(handle_, x_, x_, y_, workspace_), "two of the arrays overlap");
  EXPECT_DEATH(p.run(handle_, x_, weight_, y_, y_), "the workspace does not lie inside");
}

TEST_F(PlantedDnnDeathTest, WhatAPlanIsMadeOfIsGone) {
  Descriptor gone(cudnn_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
  Descriptor convolution(cudnn_, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
  EXPECT_DEATH(
      {
        for (const auto name :
             {CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
              CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC}) {
          convolution.set(name, gone);
        }
        convolution.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f);
        convolution.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f);
        cudnnBackendDestroyDescriptor(gone.get());
        convolution.finalize();
      },
      "no descriptor, or one that is destroyed");
}

}  // namespace
}  // namespace ebm::cuda
