// SPDX-License-Identifier: MIT
#pragma once

namespace ebm {

/// The main of an experiment on images (image_config.h): trains to the end of the schedule, from the newest
/// checkpoint where there is one. Returns the program's exit status; errors are one line on stderr.
int run_image_experiment(const char* program, int argc, const char* const* argv);

}  // namespace ebm
