// SPDX-License-Identifier: MIT
// The devices that tests run on: "cpu", "emulated" (the CUDA half's sources over tests/emulated_cuda, on the
// CPU) and "cuda" (a GPU).
//
//   class LinearTest : public testing::TestWithParam<std::string> {};
//   TEST_P(LinearTest, ...) { const auto kernels = ebm::test::open_device(GetParam()); ... }
//   INSTANTIATE_TEST_SUITE_P(Devices, LinearTest, testing::ValuesIn(ebm::test::devices()));
//
// TF32 is off in tests (NVIDIA_TF32_OVERRIDE=0, which cuBLAS and the emulation obey), so that every device is
// held to the tolerance of float32; a GPU's product of Precision::training is otherwise off by 1e-3.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace ebm::test {

/// The names of the devices that answer here: always "cpu", then "emulated" and "cuda" where they can be had;
/// only those among them that $EBM_TEST_DEVICES names, where it is set ("cuda" under compute-sanitizer).
std::vector<std::string> devices();

/// The same without those that have no convolutions: a CUDA half that was built without cuDNN's headers.
std::vector<std::string> devices_with_convolutions();

/// Why a device of devices() is missing here ("" if it answers): the text of a GTEST_SKIP.
std::string why_missing(const std::string& name);

/// A new Kernels on the device of that name. Throws Error.
std::unique_ptr<Kernels> open_device(const std::string& name);

/// The file of the emulated CUDA half: $EBM_EMULATED_CUDA_LIBRARY, or ../lib beside the test program.
std::string emulated_library();

}  // namespace ebm::test
