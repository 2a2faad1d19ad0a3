// SPDX-License-Identifier: MIT
// The real cuDNN, where it is installed, plans every convolution of the paper's networks for GPUs that are
// not there but described (tests/devices). It shows that shapes, layouts and types are legal, that an engine
// exists which keeps this project's promises, and that its workspace fits; it cannot show numbers or speed.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <sstream>

#include "core/error.h"
#include "kernels/cuda/cudnn/plan.h"
#include "kernels/library_search.h"
#include "networks_convolutions.h"
#include "support/files.h"

namespace ebm::cuda {
namespace {

std::string description_of(const std::string& gpu) {
  const auto file = test::golden_folder().parent_path() / "devices" / (gpu + ".json");
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  if (text.str().empty()) throw Error("there is no " + file.string() + " above the test program");
  return text.str();
}

/// A type of arrays, and what a plan may do with it.
constexpr Precision fp32 = Precision::full, tf32 = Precision::training, bf16 = Precision::bfloat16;

/// A GPU of tests/devices, and what it computes with.
struct Gpu {
  const char* name;
  std::vector<Precision> precisions;
};
std::ostream& operator<<(std::ostream& out, const Gpu& gpu) {
  return out << gpu.name;
}
const std::vector<Gpu> gpus{{"a100", {fp32, tf32, bf16}},
                            {"h100", {fp32, tf32, bf16}},
                            {"b200", {fp32, tf32, bf16}},
                            {"t4", {fp32, tf32}}};

/// The batches of the paper's experiments, of an odd size, and of one sample.
constexpr int64_t batches[] = {1, 17, 64};

constexpr ConvolutionShape some_shape{.rows = 64,
                                      .input = {.height = 16, .width = 16, .channels = 64},
                                      .output_channels = 128,
                                      .kernel = {3, 3},
                                      .padding = {1, 1}};

class CudnnPlans : public testing::TestWithParam<Gpu> {
 protected:
  void SetUp() override {
    try {
      cudnn_ = open_cudnn(cudnn_file());
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    properties_.emplace(cudnn_, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR);
    properties_->set_text(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, description_of(GetParam().name));
    properties_->finalize();
  }

  std::vector<Plan> plans(PlanRequest request, Precision precision, const PlanWish& wish = {}) {
    request.precision = precision;
    return propose_plans(cudnn_, {.handle = nullptr, .properties = &*properties_}, request, wish);
  }

  Cudnn cudnn_{};
  std::optional<Descriptor> properties_;
};

/// For up to 3 B rows the arena is no hindrance either: what cuDNN proposes first fits, whatever it needs.
/// The exact bounds, with d = 128 tangents a sample, may have to take a later proposal.
TEST_P(CudnnPlans, EveryConvolutionOfThePaper) {
  constexpr int64_t unlimited = std::numeric_limits<int64_t>::max();
  for (const int64_t batch : batches) {
    const std::vector<PlanRequest> convolutions = test::convolutions_of_networks(batch);
    ASSERT_GT(convolutions.size(), 100u);
    for (const PlanRequest& request : convolutions) {
      const int64_t most = request.shape.rows <= 3 * batch ? unlimited : arena_bytes;
      for (const Precision precision : GetParam().precisions) {
        EXPECT_NO_THROW({
          const Plan plan = std::move(plans(request, precision, {.max_workspace = most}).front());
          EXPECT_LE(plan.workspace_bytes(), arena_bytes) << to_string(request);
          EXPECT_TRUE(plan.name().starts_with("engine ")) << plan.name();
        });
      }
    }
  }
}

TEST_P(CudnnPlans, OddSizesAtOddAddresses) {
  const ConvolutionShape shape{.rows = 7,
                               .input = {.height = 5, .width = 9, .channels = 5},
                               .output_channels = 3,
                               .kernel = {3, 2},
                               .stride = {2, 1},
                               .padding = {1, 0}};
  for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weight}) {
    for (const Precision precision : GetParam().precisions) {
      EXPECT_NO_THROW(
          plans({.pass = pass, .shape = shape, .alignment = size_of(activation_type(precision))}, precision));
    }
  }
}

TEST_P(CudnnPlans, AWrongShapeHasNone) {
  ConvolutionShape too_large = some_shape;
  too_large.kernel = {19, 3};  // higher than the image
  for (const Precision precision : GetParam().precisions) {
    for (const Pass pass : {Pass::forward, Pass::backward_data, Pass::backward_weight}) {
      EXPECT_THROW(plans({.pass = pass, .shape = too_large, .alignment = 16}, precision), Error);
    }
  }
}

TEST_P(CudnnPlans, BFloat16IsForGpusThatHaveIt) {
  const PlanRequest request{.pass = Pass::forward, .shape = some_shape, .alignment = 16};
  if (GetParam().precisions.size() == 3) {
    EXPECT_NO_THROW(plans(request, bf16));
    return;
  }
  try {
    plans(request, bf16);
    FAIL() << "a plan in bfloat16";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("64 images of 16x16x64"), std::string::npos) << error.what();
  }
}

TEST_P(CudnnPlans, TensorCoresAreForTrainingAlone) {
  const bool has_tf32 = GetParam().precisions.size() == 3;
  const PlanRequest request{.pass = Pass::forward, .shape = some_shape, .alignment = 16};
  const std::string full = plans(request, fp32).front().name();
  EXPECT_EQ(full != plans(request, tf32).front().name(), has_tf32) << full;
}

TEST_P(CudnnPlans, APlanIsFoundByItsName) {
  const PlanRequest request{.pass = Pass::backward_data, .shape = some_shape, .alignment = 16};
  const std::vector<Plan> several = plans(request, tf32, {.bits = Bits::any, .most = 4});
  ASSERT_GT(several.size(), 1u);
  for (const Plan& plan : several) {
    const std::vector<Plan> found = plans(request, tf32, {.bits = Bits::any, .name = plan.name()});
    ASSERT_EQ(found.size(), 1u) << plan.name();
    EXPECT_EQ(found.front().workspace_bytes(), plan.workspace_bytes());
  }
  std::vector<std::string> names;
  for (const Plan& plan : several) names.push_back(plan.name());
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end()) << "two plans of one name";
  EXPECT_TRUE(plans(request, tf32, {.name = "engine 999999, knobs"}).empty());
}

INSTANTIATE_TEST_SUITE_P(Described, CudnnPlans, testing::ValuesIn(gpus),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(CudnnLibraryTest, ItsFileIsTheOneThatIsAskedFor) {
  EXPECT_EQ(cudnn_file(), convolution_library);
}

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
    EXPECT_NE(std::string(error.what()).find("libm.so.6 lacks cudnnGetVersion"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace ebm::cuda
