// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "reference/random.h"
#include "support/devices.h"
#include "support/recorded.h"

namespace ebm::test {

/// Whether a game draws its own noise, or takes what `recorded` holds.
enum class Draws { fresh, recorded };

/// A game of small networks, d = 4 and D = 5, so that LOBPCG has something to do.
struct WideGame {
  WideGame(const std::string& device, const GameOptions& options, Draws draws = Draws::fresh)
      : kernels(open_device(device)),
        energy(*kernels, layers_of(reference::table6_energy(5, 9), flat(5))),
        generator(*kernels, layers_of(reference::table6_generator(4, 9, 5), flat(4))),
        data(*kernels, reference::Random(3).matrix(options.batch, 5)),
        recorded(*kernels),
        game(*kernels, energy, generator, data, options, draws == Draws::recorded ? &recorded : nullptr) {
    game.initialize();
  }

  std::unique_ptr<Kernels> kernels;
  Network energy, generator;
  RecordedData data;
  RecordedNoise recorded;
  Game game;
};

}  // namespace ebm::test
