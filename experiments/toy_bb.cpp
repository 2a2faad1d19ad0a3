// SPDX-License-Identifier: MIT
// Section 5.2: an energy-based model of points in the plane, with the networks of Table 6. Its density, and
// samples of the generator, are drawn into OUT/density.png.
#include "runs/toy_run.h"

int main(int argc, char** argv) {
  return ebm::run_toy_experiment("toy_bb", "Trains an energy-based model of points in the plane.", argc,
                                 argv);
}
