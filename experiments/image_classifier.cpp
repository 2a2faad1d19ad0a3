// SPDX-License-Identifier: MIT
// Trains a classifier of images in ten classes, by whose features sets of images can be compared where Inception's
// weights are not to be had (./experiments/evaluate --features classifier).
//
//   ./experiments/image_classifier
#include "runs/classifier_run.h"

int main(int argc, char** argv) {
  return ebm::run_classifier_program(
      {.program = "image_classifier",
       .description =
           "Trains a classifier of images of 32 x 32 pixels (CIFAR-10), whose features compare images.",
       .data = "data/cifar10-train.h5",
       .test = "data/cifar10-test.h5",
       .out = "data/cifar10_classifier.h5",
       .training = {.epochs = 8, .batch = 64, .seed = 1, .lr = 3e-3}},
      argc, argv);
}
