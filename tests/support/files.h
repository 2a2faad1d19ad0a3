// SPDX-License-Identifier: MIT
// What tests find beside themselves, in the repository and in a distribution (make dist) alike.
#pragma once

#include <filesystem>

namespace ebm::test {

/// The folder of the test program, where the other programs of its build lie.
std::filesystem::path program_folder();

/// tests/golden of the nearest folder above this program that has it; empty if none has.
std::filesystem::path golden_folder();

}  // namespace ebm::test
