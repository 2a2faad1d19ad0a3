// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>

#include "reference/random.h"
#include "support/devices.h"
#include "support/recorded.h"

namespace ebm::test {

/// Whether a method draws its own noise, or takes what `recorded` holds.
enum class Noise { fresh, recorded };

/// EBM-BB of small networks, d = 4 and D = 5, so that LOBPCG has something to do.
struct WideEbmBb {
  WideEbmBb(const std::string& device, const EbmBbOptions& options, Noise noise = Noise::fresh)
      : kernels(open_device(device)),
        data(*kernels,
             reference::Random(3).matrix(options.training.batch * options.training.energy_steps, 5)),
        recorded(*kernels),
        ebm_bb(*kernels, networks(), data, options, noise == Noise::recorded ? &recorded : nullptr),
        energy(ebm_bb.energy()),
        generator(ebm_bb.generator()) {
    ebm_bb.initialize();
  }

  static NetworkMakers networks() {
    return {.energy = [] { return layers_of(reference::table6_energy(5, 9), flat(5)); },
            .generator = [] { return layers_of(reference::table6_generator(4, 9, 5), flat(4)); }};
  }

  std::unique_ptr<Kernels> kernels;
  RecordedData data;
  RecordedNoise recorded;
  EbmBb ebm_bb;
  Network &energy, &generator;
};

}  // namespace ebm::test
