// SPDX-License-Identifier: MIT
// From a device's name to the device: everything that can be missing gives one clear line.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>

#include "kernels/cuda/interface.h"
#include "support/devices.h"
#include "support/environment.h"

namespace ebm::test {
namespace {

std::string message_of(const std::string& device) {
  try {
    open_kernels(device);
  } catch (const Error& error) {
    return error.what();
  }
  return "no Error";
}

testing::AssertionResult says(const std::string& message, std::initializer_list<const char*> parts) {
  for (const char* part : parts) {
    if (message.find(part) == std::string::npos) {
      return testing::AssertionFailure() << "no \"" << part << "\" in: " << message;
    }
  }
  if (message.find('\n') != std::string::npos)
    return testing::AssertionFailure() << "several lines: " << message;
  return testing::AssertionSuccess();
}

TEST(OpenTest, UnknownNamesAreWrongUsage) {
  for (const std::string name :
       {"", "gpu", "CPU", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "cuda:99999999999", "cpu "}) {
    try {
      open_kernels(name);
      ADD_FAILURE() << name;
    } catch (const UsageError& error) {
      EXPECT_EQ(error.exit_status(), 2);
      EXPECT_TRUE(says(error.what(), {name.c_str(), "auto", "cpu", "cuda:N"}));
    }
  }
}

TEST(OpenTest, CpuAlwaysAnswers) {
  EXPECT_FALSE(open_kernels("cpu")->is_cuda());
  const Environment no_library("EBM_CUDA_LIBRARY", "");
  if (ask_cuda_driver().devices == 0) {
    testing::internal::CaptureStderr();
    EXPECT_FALSE(open_kernels("auto")->is_cuda());
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  }
}

TEST(OpenTest, CudaWithoutAGpuSaysWhatToDo) {
  const Environment no_library("EBM_CUDA_LIBRARY", "");
  if (ask_cuda_driver().devices > 0) GTEST_SKIP() << "a GPU answers here";
  EXPECT_TRUE(says(message_of("cuda"), {"cuda was asked for", "--device cpu"}));
  EXPECT_TRUE(says(message_of("cuda:3"), {"cuda was asked for", "--device cpu"}));
}

TEST(OpenTest, AGpuThatIsNotThere) {
  const Environment no_library("EBM_CUDA_LIBRARY", "");
  const int devices = ask_cuda_driver().devices;
  if (devices == 0) GTEST_SKIP() << ask_cuda_driver().why_none;
  EXPECT_TRUE(says(message_of("cuda:" + std::to_string(devices)), {"there is no device"}));
}

TEST(OpenTest, ALibraryThatIsNoCudaHalf) {
  const std::string text = testing::TempDir() + "ebm_no_library.so";
  std::ofstream(text) << "no library";
  for (const auto& [library, reason] :
       {std::pair<std::string, const char*>{"/nowhere/lib.so", "/nowhere/lib.so"},
        {text, "cannot be opened"},
        {"libm.so.6", "is no CUDA half"}}) {
    const Environment named("EBM_CUDA_LIBRARY", library);
    EXPECT_TRUE(says(message_of("cuda"), {reason}));
    testing::internal::CaptureStderr();
    EXPECT_FALSE(open_kernels("auto")->is_cuda());
    EXPECT_TRUE(testing::internal::GetCapturedStderr().starts_with("note: the GPU is not used: ")) << library;
  }
  std::filesystem::remove(text);
}

class LibraryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!why_missing("emulated").empty()) GTEST_SKIP() << why_missing("emulated");
  }
};

TEST_F(LibraryTest, IsOpenedByItsName) {
  const Environment named("EBM_CUDA_LIBRARY", emulated_library());
  EXPECT_TRUE(open_kernels("cuda")->is_cuda());
  EXPECT_TRUE(open_kernels("auto")->is_cuda());
  EXPECT_TRUE(says(message_of("cuda:5"), {"cuda:5", "there is no GPU 5"}));
}

TEST_F(LibraryTest, RefusesAProgramOfAnotherBuild) {
  void* const library = dlopen(emulated_library().c_str(), RTLD_NOW | RTLD_LOCAL);
  ASSERT_NE(library, nullptr);
  const auto open = reinterpret_cast<cuda::OpenFunction*>(dlsym(library, cuda::entry_point));
  ASSERT_NE(open, nullptr);
  std::array<char, 200> message{};
  EXPECT_EQ(open("0 of old", 0, message.data(), message.size()), nullptr);
  EXPECT_TRUE(says(message.data(), {"is not of this program's build", "build both again"}));
  EXPECT_EQ(open("0 of old", 0, message.data(), 10), nullptr);
  EXPECT_EQ(std::string(message.data()), "libebm_cu") << "cut to its room";
}

// So that a report shows which devices the tests did not run on.
TEST(Devices, EmulatedAnswers) {
  if (!why_missing("emulated").empty()) GTEST_SKIP() << why_missing("emulated");
}
TEST(Devices, CudaAnswers) {
  if (!why_missing("cuda").empty()) GTEST_SKIP() << why_missing("cuda");
}

}  // namespace
}  // namespace ebm::test
