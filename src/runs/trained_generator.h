// SPDX-License-Identifier: MIT
// What the configuration in a checkpoint says of the networks that were trained.
#pragma once

#include <string>

#include "io/options.h"
#include "models/networks.h"

namespace ebm {

/// Writes the kind of an experiment's networks into its configuration: an option with one value.
void record_network_kind(Options& options, NetworkOptions& networks);

/// The generator of a run on images: x = G(z).
struct TrainedGenerator {
  NetworkOptions networks;
  std::string arrays;  ///< what the names of its arrays in the checkpoint begin with
};

/// That of the run whose configuration is `config`, which lies in `source`. Throws Error when it describes no
/// networks of images.
TrainedGenerator trained_generator(const std::string& config, const std::string& source);

}  // namespace ebm
