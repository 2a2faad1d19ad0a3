// SPDX-License-Identifier: MIT
// The devices that tests run on: "cpu", "emulated" (the CUDA half's sources over tests/emulated_cuda, on the
// CPU) and "cuda" (a GPU).
//
//   class LinearTest : public testing::TestWithParam<std::string> {};
//   TEST_P(LinearTest, ...) { const auto kernels = ebm::test::open_device(GetParam()); ... }
//   INSTANTIATE_TEST_SUITE_P(Devices, LinearTest, testing::ValuesIn(ebm::test::devices()));
//
// TF32 is off in tests (NVIDIA_TF32_OVERRIDE=0, which the CUDA half obeys), so that every device is
// held to the tolerance of float32; a GPU's product of Precision::training is otherwise off by 1e-3. That
// Precision::full stays float32 where TF32 is allowed is tested on devices_with_tf32().
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace ebm::test {

/// The names of the devices that answer here: always "cpu", then "emulated" and "cuda" where they can be had;
/// only those among them that $EBM_TEST_DEVICES names, where it is set ("cuda" under compute-sanitizer).
std::vector<std::string> devices();

/// "emulated_tf32" and "cuda_tf32": the same devices, where they answer, with TF32 used wherever it is not
/// forbidden (NVIDIA_TF32_OVERRIDE=1). A GPU's libraries may read the environment once, so that one is there
/// only in a process that began so (support/tf32_test.cpp begins it), and only if it has TF32.
std::vector<std::string> devices_with_tf32();
/// The CPU too, which has no TF32: for what is promised of any device.
std::vector<std::string> cpu_and_devices_with_tf32();

/// Those of `names` that have convolutions: a CUDA half that was built without cuDNN's headers has none.
std::vector<std::string> with_convolutions(std::vector<std::string> names);
inline std::vector<std::string> devices_with_convolutions() {
  return with_convolutions(devices());
}

/// Those of `names` that have Precision::tf32x3: a CUDA half that was built without CUTLASS has none.
std::vector<std::string> with_tf32x3(std::vector<std::string> names);

/// Why a device of devices() is missing here ("" if it answers): the text of a GTEST_SKIP.
std::string why_missing(const std::string& name);

/// A new Kernels on the device of that name, one of all the above. Throws Error.
std::unique_ptr<Kernels> open_device(const std::string& name);

/// The file of the emulated CUDA half: $EBM_EMULATED_CUDA_LIBRARY, or ../lib beside the test program.
std::string emulated_library();

}  // namespace ebm::test
