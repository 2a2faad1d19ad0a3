// SPDX-License-Identifier: MIT
// The experiments on images (section 5.3 to 5.5): a page each in experiments/, and what their users choose.
#pragma once

#include <string>

#include "data/dataset.h"
#include "runs/run_config.h"

namespace ebm {

/// An experiment on images.
struct ImageExperiment {
  const char* program;
  const char* description;
  const char* name;                      ///< of its runs
  const char* data;                      ///< name of its data set
  DataSplit held_out = DataSplit::test;  ///< the split that it is not trained on
  Flips flips = Flips::none;
  NetworkOptions networks;
  int64_t iterations;  ///< of the paper
  /// With --stacked, StackedMNIST: three digits as red, green and blue. 0: there is no such option.
  int64_t stacked_iterations = 0;
  /// Latent points at which estimates of the entropy are compared (Figure 3), a default. 0: there is no such
  /// option, and nothing is compared.
  int64_t entropy_points = 0;
};

struct ImageConfig {
  RunConfig run;
  std::string data, held_out;  ///< files of images
  std::string data_checksum;   ///< of the training images
  bool download = true;        ///< of the experiment's own data, where they are missing
  bool stacked = false;        ///< StackedMNIST
  bool synthetic = false;      ///< images of shapes instead of files
  Flips flips = Flips::none;
  NetworkOptions networks;
  int64_t grid = 8;                ///< images on each side of a sample grid
  int64_t held_out_images = 1024;  ///< whose energies are measured
  int64_t jacobian_points = 16;    ///< where the generator's Jacobian is measured
  int64_t shape_samples = 2600;    ///< whose modes are counted, of a run on shapes
  int64_t entropy_points = 0;      ///< where estimates of the entropy are compared

  /// The networks of these images.
  NetworkOptions image_networks() const;
};

/// The options of an experiment whose method was chosen. `config` must outlive them.
Options declare_image_options(ImageConfig& config, const ImageExperiment& experiment);

/// After parsing: what hangs on other options, the files' and the folder's names.
void resolve_image_defaults(Options& options, ImageConfig& config, const ImageExperiment& experiment);

/// Trains what these options, after resolve_image_defaults, describe, to the end of the schedule or a signal,
/// from the newest checkpoint where there is one. Says on stdout what it does. Throws Error.
RunEnd run_images(ImageConfig& config, Options& options, int argc, const char* const* argv);

/// The main of an experiment on images: trains to the end of the schedule, from the newest checkpoint where
/// there is one. Returns the program's exit status; errors are one line on stderr.
int run_image_experiment(const ImageExperiment& experiment, int argc, const char* const* argv);

}  // namespace ebm
