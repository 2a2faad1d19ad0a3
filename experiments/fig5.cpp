// SPDX-License-Identifier: MIT
// Figure 5: samples of runs on ANIMEFACE beside each other, each under its method's name.
//
//   ./experiments/fig5 runs/anime_* -o fig5.pdf
#include "runs/sample_figure.h"

int main(int argc, char** argv) {
  return ebm::run_sample_figure({.program = "fig5",
                                 .description = "Draws samples of runs on ANIMEFACE beside each other.",
                                 .data = "ANIMEFACE",
                                 .images = {.height = 64, .width = 64, .channels = 3}},
                                argc, argv);
}
