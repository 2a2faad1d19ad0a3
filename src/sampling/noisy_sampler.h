// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "sampling/sampler.h"

namespace ebm {

/// Where a sampler's noise comes from.
struct NoiseStream {
  uint64_t seed;
  uint32_t stream;
};

/// Of a generator with noise, x = g(h) + s e of rows [h | e] (layers/noisy_output.h): its means g(h), or samples
/// with noise, the same numbers each time.
class NoisySampler final : public Sampler {
 public:
  /// Means without a `noise`. `generator` must outlive it.
  NoisySampler(Kernels& kernels, Network& generator, int64_t chunk,
               const std::optional<NoiseStream>& noise = {});
  const Features& latent() const override { return latent_; }
  const Features& output() const override { return generator_.network().output(); }
  std::vector<float> samples(const std::vector<float>& latents) override;

 private:
  Kernels& kernels_;
  NetworkInUse generator_;
  Features latent_;
  std::optional<NoiseStream> noise_;
};

}  // namespace ebm
