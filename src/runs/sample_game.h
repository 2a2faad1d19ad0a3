// SPDX-License-Identifier: MIT
// The games of the experiments on data that need no file: for models of their cost and for tests.
#pragma once

#include <memory>
#include <string>

#include "runs/image_config.h"

namespace ebm {

/// What of an experiment makes its iteration what it is.
struct SampleGameOptions {
  std::string program;  ///< toy_bb, mnist_bb, cifar10_bb, animeface_bb
  Method method = Method::ebm_bb;
  Preset preset = Preset::paper;
  int64_t batch = 0;  ///< 0: the experiment's
  int64_t width = 0;  ///< of the networks; 0: the experiment's
  EnergyNorm energy_norm = EnergyNorm::none;
  Precision precision = Precision::training;
};

/// An experiment's networks and game, on points of the plane or made-up images. Whoever wants to play it
/// calls Game::initialize first.
class SampleGame {
 public:
  /// Throws Error when there is no such experiment.
  SampleGame(Kernels& kernels, const SampleGameOptions& options);

  Network& energy() { return *energy_; }
  Network& generator() { return *generator_; }
  Game& game() { return *game_; }

 private:
  std::unique_ptr<Network> energy_, generator_;
  std::unique_ptr<DataSource> data_;
  std::unique_ptr<Game> game_;
};

}  // namespace ebm
