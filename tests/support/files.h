// SPDX-License-Identifier: MIT
// What tests find beside themselves, in the repository and in a distribution (make dist) alike.
#pragma once

#include <filesystem>
#include <string>

namespace ebm::test {

/// The folder of the test program, where the other programs of its build lie.
std::filesystem::path program_folder();

/// A file of tests/golden/.
std::filesystem::path golden(const std::string& name);

}  // namespace ebm::test
