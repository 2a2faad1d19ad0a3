// SPDX-License-Identifier: MIT
// Section 5.4, CIFAR-10: an energy-based model of images.
#include "runs/image_run.h"

int main(int argc, char** argv) {
  return ebm::run_image_experiment("cifar10_bb", argc, argv);
}
