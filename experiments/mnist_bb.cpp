// SPDX-License-Identifier: MIT
// Section 5.3, MNIST and StackedMNIST: an energy-based model of images.
#include "runs/image_run.h"

int main(int argc, char** argv) {
  return ebm::run_image_experiment("mnist_bb", argc, argv);
}
