// SPDX-License-Identifier: MIT
// The programs that train a classifier of images (evaluate/image_classifier.h).
#pragma once

#include "evaluate/image_classifier.h"

namespace ebm {

/// A program, and its defaults.
struct ClassifierProgram {
  const char* program;
  const char* description;
  std::string data, test, out;  ///< files
  ClassifierOptions training;
};

/// The main of such a program. Returns its exit status; errors are one line on stderr.
int run_classifier_program(const ClassifierProgram& defaults, int argc, const char* const* argv);

}  // namespace ebm
