// SPDX-License-Identifier: MIT
// Wrong calls of cuDNN, each seen to be caught by its stand-in.
#include <cuda_runtime.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/error.h"
#include "dnn_operation.h"
#include "kernels/cuda/cudnn/plan.h"
#include "reference/convolution.h"
#include "reference/random.h"
#include "support/environment.h"

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
  uint16_t* device_bfloat16(const std::vector<double>& values) {
    std::vector<uint16_t> rounded;
    for (const double v : values) rounded.push_back(emulated::to_bfloat16(static_cast<float>(v)));
    void* block = nullptr;
    EXPECT_EQ(cudaMalloc(&block, 2 * rounded.size()), cudaSuccess);
    EXPECT_EQ(cudaMemcpyAsync(block, rounded.data(), 2 * rounded.size(), cudaMemcpyHostToDevice, stream_),
              cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
    return static_cast<uint16_t*>(block);
  }
  void download(void* host, const void* device, size_t bytes) {
    EXPECT_EQ(cudaMemcpyAsync(host, device, bytes, cudaMemcpyDeviceToHost, stream_), cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(stream_), cudaSuccess);
  }
  float first_of(const float* block) {
    float value = 0;
    download(&value, block, sizeof value);
    return value;
  }

  Plan plan(Precision precision, int64_t alignment = 16) {
    std::vector<Plan> plans = propose_plans(
        cudnn_, {.handle = handle_},
        {.pass = Pass::forward, .shape = shape, .precision = precision, .alignment = alignment});
    return std::move(plans.front());
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
  constexpr float rounded_third = 0x1.554p-2f;
  const auto value = [&](Precision precision) {
    plan(precision).run(handle_, x_, weight_, y_, workspace_);
    return first_of(y_);
  };
  for (const char* environment : {"", "1", "0"}) {
    SCOPED_TRACE(environment);
    const test::Environment set("NVIDIA_TF32_OVERRIDE", environment);
    cudaStreamDestroy(stream_);
    ASSERT_EQ(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), cudaSuccess);
    ASSERT_EQ(cudnnSetStream(handle_, stream_), CUDNN_STATUS_SUCCESS);
    const bool rounds = environment != std::string("0");
    EXPECT_EQ(value(Precision::training) == 16 * rounded_third, rounds);
    EXPECT_NE(value(Precision::full), 16 * rounded_third);
  }
}

TEST_F(PlantedDnnTest, BFloat16IsTheNearestAndEvenInTies) {
  using emulated::from_bfloat16;
  using emulated::to_bfloat16;
  for (const auto& [value, nearest] : {std::pair{1.0f, 1.0f},
                                       {1.0f / 3, 0x1.56p-2f},
                                       {0x1.01p0f, 1.0f},
                                       {0x1.03p0f, 0x1.04p0f},
                                       {0x1.010002p0f, 0x1.02p0f},
                                       {-0x1.01p0f, -1.0f},
                                       {0x1.ffp127f, std::numeric_limits<float>::infinity()}}) {
    EXPECT_EQ(from_bfloat16(to_bfloat16(value)), nearest) << value;
  }
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(std::nanf("")))));
  EXPECT_TRUE(std::isnan(from_bfloat16(to_bfloat16(std::bit_cast<float>(0x7F800001)))));
}

/// All three passes in bfloat16, odd sizes, against sums in float64: off by the rounding of the result, 2^-8
/// of it, and of the sums in float32.
TEST_F(PlantedDnnTest, BFloat16IsRoundedOnceAtTheEnd) {
  const ConvolutionShape odd{.rows = 3,
                             .input = {.height = 5, .width = 4, .channels = 3},
                             .output_channels = 5,
                             .kernel = {3, 2},
                             .stride = {2, 1},
                             .padding = {1, 0}};
  const reference::ConvolutionSizes sizes{.height = 5,
                                          .width = 4,
                                          .channels = 3,
                                          .outputs = 5,
                                          .kernel_height = 3,
                                          .kernel_width = 2,
                                          .stride_height = 2,
                                          .padding_height = 1};
  const int64_t x_size = 5 * 4 * 3, y_size = odd.output().size();
  reference::Random random(11);
  const auto numbers = [&](int64_t count) {
    std::vector<double> values = random.normals(count);
    for (double& v : values) v = emulated::from_bfloat16(emulated::to_bfloat16(static_cast<float>(v)));
    return values;
  };
  const std::vector<double> x = numbers(3 * x_size), w = numbers(sizes.weights()), y = numbers(3 * y_size);
  std::vector<double> sums[3] = {std::vector<double>(y.size()), std::vector<double>(x.size()), w};
  for (int64_t b = 0; b < 3; ++b) {
    reference::for_each_tap(sizes, [&](int64_t in, int64_t out, int64_t o, int64_t c, int64_t k, int64_t l) {
      const auto i = static_cast<size_t>(b * x_size + in), j = static_cast<size_t>(b * y_size + out);
      const auto weight = static_cast<size_t>(((o * 3 + k) * 2 + l) * 3 + c);
      sums[0][j] += x[i] * w[weight];
      sums[1][i] += y[j] * w[weight];
      sums[2][weight] += x[i] * y[j];  // added to what is there
    });
  }
  for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weight}) {
    uint16_t* const arrays[3] = {device_bfloat16(y), device_bfloat16(x), device_bfloat16(w)};
    const PlanRequest request{.pass = pass,
                              .shape = odd,
                              .mode = pass == Pass::backward_weight ? Write::accumulate : Write::overwrite,
                              .precision = Precision::bfloat16,
                              .alignment = 2};
    propose_plans(cudnn_, {.handle = handle_}, request)
        .front()
        .run(handle_, arrays[1], arrays[2], arrays[0], workspace_);
    const std::vector<double>& expected = sums[static_cast<size_t>(pass)];
    std::vector<uint16_t> result(expected.size());
    download(result.data(), arrays[static_cast<size_t>(pass)], 2 * result.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_NEAR(emulated::from_bfloat16(result[i]), expected[i], std::abs(expected[i]) / 256 + 1e-5)
          << to_string(request) << " at " << i;
    }
    for (uint16_t* array : arrays) cudaFree(array);
  }
}

TEST_F(PlantedDnnTest, ArraysOfTwoTypesHaveNoPlan) {
  const auto of_type = [&](int64_t id, const std::vector<int64_t>& dimensions, cudnnDataType_t type) {
    const int64_t c = dimensions[1], h = dimensions[2], w = dimensions[3];
    Descriptor d(cudnn_, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    d.set_integers(CUDNN_ATTR_TENSOR_UNIQUE_ID, {id});
    d.set(CUDNN_ATTR_TENSOR_DATA_TYPE, type);
    d.set_integers(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, {16});
    d.set_integers(CUDNN_ATTR_TENSOR_DIMENSIONS, dimensions);
    d.set_integers(CUDNN_ATTR_TENSOR_STRIDES, {h * w * c, 1, w * c, c});
    d.finalize();
    return d;
  };
  for (const cudnnDataType_t type_of_y : {CUDNN_DATA_BFLOAT16, CUDNN_DATA_FLOAT}) {
    Descriptor window(cudnn_, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    window.set(CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_DATA_FLOAT);
    window.set(CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_CROSS_CORRELATION);
    window.set_integers(CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, {2});
    for (const auto name : {CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES})
      window.set_integers(name, {1, 1});
    for (const auto name : {CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS})
      window.set_integers(name, {0, 0});
    window.finalize();
    const Descriptor x = of_type(1, {2, 4, 3, 3}, CUDNN_DATA_BFLOAT16),
                     w = of_type(2, {4, 4, 2, 2}, CUDNN_DATA_BFLOAT16),
                     y = of_type(3, {2, 4, 2, 2}, type_of_y);
    Descriptor operation(cudnn_, CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, window);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, 1.0f);
    operation.set(CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, 0.0f);
    operation.finalize();
    Descriptor graph(cudnn_, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
    graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, handle_);
    graph.finalize();
    Descriptor heuristics(cudnn_, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_HEUR_MODE_A);
    heuristics.finalize();
    const auto found =
        heuristics.get_descriptors(CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, 8);
    EXPECT_EQ(found.empty(), type_of_y == CUDNN_DATA_FLOAT);
  }
}

TEST_F(PlantedDnnTest, TimesOfEventsThatHaveNone) {
  cudaEvent_t start = nullptr, end = nullptr;
  float milliseconds = 0;
  ASSERT_EQ(cudaEventCreate(&start), cudaSuccess);
  ASSERT_EQ(cudaEventCreate(&end), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorInvalidResourceHandle);
  EXPECT_EQ(cudaEventRecordWithFlags(start, stream_, cudaEventRecordDefault), cudaSuccess);
  EXPECT_EQ(cudaEventRecordWithFlags(end, stream_, cudaEventRecordDefault), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaErrorNotReady);
  EXPECT_EQ(cudaEventSynchronize(end), cudaSuccess);
  EXPECT_EQ(cudaEventElapsedTime(&milliseconds, start, end), cudaSuccess);
  EXPECT_EQ(milliseconds, 0);
  EXPECT_EQ(cudaEventDestroy(start), cudaSuccess);
  EXPECT_EQ(cudaEventDestroy(end), cudaSuccess);
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
  EXPECT_THROW(propose_plans(cudnn_, {.handle = handle_}, {.pass = Pass::forward, .shape = too_small}),
               Error);
}

TEST_F(PlantedDnnTest, AHandleOfNobody) {
  EXPECT_THROW(propose_plans(cudnn_, {}, {.pass = Pass::forward, .shape = shape}), Error);
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
