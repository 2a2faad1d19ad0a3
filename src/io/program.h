// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <functional>
#include <string>

#include "core/error.h"

namespace ebm {

/// Runs the body of main and returns the program's exit status: the body's, or that of the Error it threw
/// after printing its one line "PROGRAM: what was wrong" on stderr (1 for any other exception). What was
/// printed on stdout and is lost (a full disk) is such an Error; what nobody reads any more is not. Standard
/// streams that are closed at the start are those of /dev/null. A write that cannot be (nobody reads any
/// more, `ulimit -f`) fails and does not end the program by a signal. Where a launcher started several
/// processes it is refused, in one line of the first of them: what can run so is run_job (runs/job.h).
int run_program(const char* program, const std::function<int()>& body);

// The parts of run_program, for who runs a body otherwise.

/// Standard streams and signals, as said above.
void begin_program();
/// Throws Error when something that was printed on stdout is lost.
void finish_stdout();
/// How a program ends that threw this.
Failure failure_of(const std::exception_ptr& thrown);
/// Its one line on stderr.
void print_failure(const char* program, const Failure& failure);
/// For all but the first process of a job of which each fails alike: waits until that has said why, for the launcher
/// ends all processes when one has ended.
void let_the_first_speak();

/// Text on stdout. What nobody reads is dropped: no reason to stop.
void print(const std::string& text);

}  // namespace ebm
