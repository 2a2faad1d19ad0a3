// SPDX-License-Identifier: MIT
#pragma once

#include <functional>

namespace ebm {

/// Runs the body of main and returns the program's exit status: the body's, or that of the Error it threw
/// after printing its one line "PROGRAM: what was wrong" on stderr (1 for any other exception).
int run_program(const char* program, const std::function<int()>& body);

}  // namespace ebm
