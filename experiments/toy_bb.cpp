// SPDX-License-Identifier: MIT
// Section 5.2: an energy-based model of points in the plane. Its density, and samples of the generator, are drawn
// into OUT/density.png.
//
//   ./experiments/toy_bb --dataset swiss_roll --method ebm_bb
#include "runs/toy_run.h"

int main(int argc, char** argv) {
  return ebm::run_toy_experiment(
      {
          .program = "toy_bb",
          .description = "Trains an energy-based model of points in the plane.",
          .name = "toy",
          .dataset = ebm::ToyDataset::gaussians25,
          .networks = ebm::toy_networks(),
          .evaluation = {.grid = 800, .points = 20000},
      },
      argc, argv);
}
