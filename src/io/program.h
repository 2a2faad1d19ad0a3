// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <string>

namespace ebm {

/// Runs the body of main and returns the program's exit status: the body's, or that of the Error it threw
/// after printing its one line "PROGRAM: what was wrong" on stderr (1 for any other exception). What was
/// printed on stdout and is lost (a full disk) is such an Error; what nobody reads any more is not. Standard
/// streams that are closed at the start are those of /dev/null. A write that cannot be (nobody reads any
/// more, `ulimit -f`) fails and does not end the program by a signal.
int run_program(const char* program, const std::function<int()>& body);

/// Text on stdout. What nobody reads is dropped: no reason to stop.
void print(const std::string& text);

}  // namespace ebm
