// SPDX-License-Identifier: MIT
// Section 5.4, ANIMEFACE: an energy-based model of images of 64 x 64 pixels.
//
//   ./experiments/prepare_data --dataset image_folder --from pictures/animeface --size 64
//   ./experiments/animeface_bb --method ebm_bb
#include "runs/image_run.h"

int main(int argc, char** argv) {
  return ebm::run_image_experiment(
      {
          .program = "animeface_bb",
          .description = "Trains an energy-based model of images of 64 x 64 pixels (Tables 9 and 10).",
          .name = "animeface",
          .data = "animeface",
          .held_out = ebm::DataSplit::valid,
          .flips = ebm::Flips::horizontal,
          .networks = ebm::resnet_networks(),
          .iterations = 100000,
      },
      argc, argv);
}
