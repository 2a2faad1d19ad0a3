// SPDX-License-Identifier: MIT
// The real cuDNN, where it is installed, plans every convolution of the paper's networks for GPUs that are
// not there but described. It shows that shapes, layouts and types are legal and that an engine exists which
// keeps this project's promises; it cannot show numbers or speed.
#include <gtest/gtest.h>

#include <optional>

#include "core/error.h"
#include "kernels/cuda/cudnn/plan.h"

namespace ebm::cuda {
namespace {

/// A GPU as cuDNN wants it described.
struct Gpu {
  const char* name;
  const char* json;
};

constexpr Gpu gpus[] = {
    {"H100",
     R"({"deviceVer":900,"multiProcessorCount":132,"warpSize":32,"maxSharedMemoryPerBlock":49152,
"maxSharedMemoryPerBlockOptin":232448,"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,
"maxCtasPerSM":32,"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"regsPerBlock":65536,
"totalGlobalMem":84929347584,"smClockRateKHz":1980000,"memClockRateKHz":2619000,"l2CacheSize":52428800,
"maxBlockSize":[1024,1024,64],"maxGridSize":[2147483647,65535,65535],"supportCoopLaunch":1,"pciDeviceId":0,
"isTccDriver":0,"cudaDeviceId":0,"driverVer":13000,"deviceName":"NVIDIA H100 80GB HBM3",
"memoryBusWidth":5120,"oversizedSharedMemoryPerBlock":0})"},
    {"A100",
     R"({"deviceVer":800,"multiProcessorCount":108,"warpSize":32,"maxSharedMemoryPerBlock":49152,
"maxSharedMemoryPerBlockOptin":166912,"reservedSharedMemoryPerBlock":1024,"maxRegistersPerSM":65536,
"maxCtasPerSM":32,"maxThreadsPerBlock":1024,"maxThreadsPerSM":2048,"regsPerBlock":65536,
"totalGlobalMem":85198045184,"smClockRateKHz":1410000,"memClockRateKHz":1593000,"l2CacheSize":41943040,
"maxBlockSize":[1024,1024,64],"maxGridSize":[2147483647,65535,65535],"supportCoopLaunch":1,"pciDeviceId":0,
"isTccDriver":0,"cudaDeviceId":0,"driverVer":13000,"deviceName":"NVIDIA A100-SXM4-80GB",
"memoryBusWidth":5120,"oversizedSharedMemoryPerBlock":0})"}};

constexpr int64_t batch = 64;

ConvolutionShape window(int64_t in, int64_t out, int64_t side, int64_t kernel, int64_t stride) {
  return {.rows = batch,
          .input = {.height = side, .width = side, .channels = in},
          .output_channels = out,
          .kernel = square(kernel),
          .stride = square(stride),
          .padding = square(kernel / 3)};  // 1 x 1: none; 3 x 3 and 4 x 4: 1
}

/// All convolutions of Tables 8 to 10. A transposed convolution is the one that it transposes; a 1 x 1
/// convolution beside a pooling or an upsampling runs on the smaller image.
std::vector<ConvolutionShape> convolutions_of_the_paper() {
  std::vector<ConvolutionShape> all{
      // Table 8, energy, then generator
      window(3, 64, 32, 3, 1),    window(64, 64, 32, 4, 2),  window(64, 128, 16, 3, 1),
      window(128, 128, 16, 4, 2), window(128, 256, 8, 3, 1), window(256, 256, 8, 4, 2),
      window(256, 512, 4, 3, 1),  window(256, 512, 8, 4, 2), window(128, 256, 16, 4, 2),
      window(64, 128, 32, 4, 2),  window(64, 3, 32, 3, 1)};
  const auto block = [&](int64_t in, int64_t out, int64_t side, int64_t side_of_shortcut) {
    all.push_back(window(in, out, side, 3, 1));
    all.push_back(window(out, out, side, 3, 1));
    all.push_back(window(in, out, side_of_shortcut, 1, 1));
  };
  block(3, 64, 64, 32);  // Table 9
  block(64, 128, 32, 16);
  block(128, 256, 16, 8);
  block(256, 512, 8, 4);
  block(512, 1024, 4, 4);
  block(1024, 512, 8, 4);  // Table 10
  block(512, 256, 16, 8);
  block(256, 128, 32, 16);
  block(128, 64, 64, 32);
  all.push_back(window(64, 3, 64, 3, 1));
  return all;
}

class CudnnPlansTest : public testing::TestWithParam<Gpu> {
 protected:
  void SetUp() override {
    try {
      cudnn_ = open_cudnn(cudnn_file());
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    properties_.emplace(cudnn_, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    properties_->set_text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, GetParam().json);
    properties_->finalize();
  }

  Plan plan(const PlanRequest& request) {
    return Plan(cudnn_, {.handle = nullptr, .properties = &*properties_}, request);
  }

  Cudnn cudnn_{};
  std::optional<Descriptor> properties_;
};

TEST_P(CudnnPlansTest, EveryConvolutionOfThePaper) {
  for (const ConvolutionShape& shape : convolutions_of_the_paper()) {
    SCOPED_TRACE(to_string(shape));
    for (const Precision precision : {Precision::full, Precision::training}) {
      for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weight}) {
        PlanRequest request{.pass = pass, .shape = shape, .precision = precision, .alignment = 16};
        EXPECT_NO_THROW(EXPECT_GE(plan(request).engine(), 0));
      }
    }
  }
}

TEST_P(CudnnPlansTest, AddingToAGradient) {
  for (const Precision precision : {Precision::full, Precision::training}) {
    EXPECT_NO_THROW(plan({.pass = Pass::backward_weight,
                          .shape = window(64, 128, 16, 3, 1),
                          .mode = Write::accumulate,
                          .precision = precision,
                          .alignment = 16}));
  }
}

TEST_P(CudnnPlansTest, OddSizesAtOddAddresses) {
  const ConvolutionShape shape{.rows = 7,
                               .input = {.height = 5, .width = 9, .channels = 5},
                               .output_channels = 3,
                               .kernel = {3, 2},
                               .stride = {2, 1},
                               .padding = {1, 0}};
  for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weight}) {
    for (const Precision precision : {Precision::full, Precision::training}) {
      EXPECT_NO_THROW(plan({.pass = pass, .shape = shape, .precision = precision, .alignment = 4}));
    }
  }
}

TEST_P(CudnnPlansTest, TensorCoresAreForTrainingAlone) {
  const auto engine = [&](Precision precision) {
    return plan({.pass = Pass::forward,
                 .shape = window(64, 128, 16, 3, 1),
                 .precision = precision,
                 .alignment = 16})
        .engine();
  };
  EXPECT_NE(engine(Precision::full), engine(Precision::training));
}

INSTANTIATE_TEST_SUITE_P(Described, CudnnPlansTest, testing::ValuesIn(gpus),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(CudnnLibraryTest, AMissingFileIsAnErrorThatSaysWhatToDo) {
  try {
    open_cudnn("libcudnn_that_is_not_there.so.9");
    FAIL() << "no Error";
  } catch (const Error& error) {
    const std::string text = error.what();
    for (const char* part :
         {"need cuDNN", "libcudnn_that_is_not_there.so.9", "LD_LIBRARY_PATH", "--device cpu"})
      EXPECT_NE(text.find(part), std::string::npos) << text;
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
  }
}

TEST(CudnnLibraryTest, AnotherLibraryIsAnErrorThatNamesWhatItLacks) {
  try {
    open_cudnn("libm.so.6");
    FAIL() << "no Error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("libm.so.6 lacks cudnnCreate"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace ebm::cuda
