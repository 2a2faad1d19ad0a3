// SPDX-License-Identifier: MIT
// A GPU that the build has no code for is refused when it is opened.
#include "core/error.h"
#include "kernels/cuda/cuda_base.h"
#include "planted.cuh"

namespace ebm::emulated {

void plant_no_code(bool planted);

namespace {

TEST(NoCodeTest, TheGpuIsRefusedWhenItIsOpened) {
  EXPECT_NE(make_cuda_kernels(0), nullptr);
  plant_no_code(true);
  std::string message = "(no Error)";
  try {
    make_cuda_kernels(0);
  } catch (const Error& error) {
    message = error.what();
  }
  plant_no_code(false);
  EXPECT_NE(message.find("CUDA_ARCH"), std::string::npos) << message;
}

}  // namespace
}  // namespace ebm::emulated
