// SPDX-License-Identifier: MIT
// Figure 4: samples of runs on CIFAR-10 beside each other, each under its method's name.
//
//   ./experiments/fig4 runs/cifar_* -o fig4.pdf
#include "runs/sample_figure.h"

int main(int argc, char** argv) {
  return ebm::run_sample_figure({.program = "fig4",
                                 .description = "Draws samples of runs on CIFAR-10 beside each other.",
                                 .data = "CIFAR-10",
                                 .images = {.height = 32, .width = 32, .channels = 3}},
                                argc, argv);
}
