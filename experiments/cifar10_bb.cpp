// SPDX-License-Identifier: MIT
// Section 5.4, CIFAR-10: an energy-based model of images of 32 x 32 pixels.
//
//   ./experiments/cifar10_bb --method ebm_bb
#include "runs/image_run.h"

int main(int argc, char** argv) {
  return ebm::run_image_experiment(
      {
          .program = "cifar10_bb",
          .description = "Trains an energy-based model of images of 32 x 32 pixels (Table 8).",
          .name = "cifar10",
          .data = "cifar10",
          .held_out = ebm::DataSplit::test,
          .flips = ebm::Flips::horizontal,
          .networks = ebm::dcgan_networks(),
          .iterations = 200000,
      },
      argc, argv);
}
