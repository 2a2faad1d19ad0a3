// SPDX-License-Identifier: MIT
// The experiments on images (section 5.3 to 5.5) and what their users choose.
#pragma once

#include <string>
#include <vector>

#include "data/dataset.h"
#include "models/image_networks.h"
#include "runs/run_config.h"

namespace ebm {

/// An experiment on images: cifar10_bb, mnist_bb, animeface_bb.
struct ImageExperiment {
  const char* program;
  const char* description;
  ImageNetworks networks;
  int64_t width;       ///< ImageNetworkOptions::width
  const char* data;    ///< name of its data set
  DataSplit held_out;  ///< the split that it is not trained on
  Flips flips;
  int64_t iterations;  ///< of the paper
};

/// Throws Error when `program` is none of them.
const ImageExperiment& image_experiment(const std::string& program);

struct ImageConfig {
  RunConfig run;
  std::string data, held_out;  ///< files of images
  std::string data_checksum;   ///< of the training images
  bool stacked = false;        ///< mnist_bb: StackedMNIST
  bool synthetic = false;      ///< made up images instead of files
  Flips flips = Flips::none;
  int64_t latent = 128, width = 0;
  EnergyNorm energy_norm = EnergyNorm::none;
  int64_t grid = 8;                ///< images on each side of a sample grid
  int64_t held_out_images = 1024;  ///< whose energies are measured
};

/// The options of an experiment. `config` must outlive them.
Options declare_image_options(ImageConfig& config, const ImageExperiment& experiment);

/// After parsing: what was not given takes the values of method and preset, the files and the folder their
/// names.
void resolve_image_defaults(Options& options, ImageConfig& config, const ImageExperiment& experiment);

/// The networks that a configuration describes.
ImageNetworkOptions network_options(const ImageConfig& config, const ImageExperiment& experiment);

}  // namespace ebm
