// SPDX-License-Identifier: MIT
// Section 5.3, MNIST and StackedMNIST: an energy-based model of handwritten digits.
//
//   ./experiments/mnist_bb --method ebm_bb
#include "runs/image_run.h"

int main(int argc, char** argv) {
  constexpr int64_t epochs = 60, batch = 64;
  return ebm::run_image_experiment(
      {
          .program = "mnist_bb",
          .description = "Trains an energy-based model of handwritten digits (Table 7).",
          .name = "mnist",
          .data = "mnist",
          .held_out = ebm::DataSplit::test,
          .flips = ebm::Flips::none,
          .networks = ebm::mlp_networks(),
          .iterations = epochs * 60000 / batch,
          .stacked_iterations = epochs * 128000 / batch,
      },
      argc, argv);
}
