// SPDX-License-Identifier: MIT
// Trains the classifier of digits that modes of StackedMNIST are counted with (./experiments/evaluate).
//
//   ./experiments/digit_classifier
#include "runs/classifier_run.h"

int main(int argc, char** argv) {
  return ebm::run_classifier_program(
      {.program = "digit_classifier",
       .description = "Trains a classifier of MNIST's digits, to count modes with.",
       .data = "data/mnist-train.h5",
       .test = "data/mnist-test.h5",
       .out = "data/digit_classifier.h5",
       .training = {.epochs = 15, .batch = 64, .seed = 1, .lr = 3e-3}},
      argc, argv);
}
