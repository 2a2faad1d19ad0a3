// SPDX-License-Identifier: MIT
// Figures 4 and 5: samples of several trained models beside each other, each under its method's name.
#pragma once

#include "core/view.h"

namespace ebm {

struct SampleFigure {
  const char* program;  ///< "fig4"
  const char* description;
  const char* data;  ///< as the paper writes it
  Features images;   ///< their shape
};

/// The main of such a figure: PROGRAM RUN... --out fig4.pdf. Returns the program's exit status; errors are one line on
/// stderr.
int run_sample_figure(const SampleFigure& figure, int argc, const char* const* argv);

}  // namespace ebm
