// SPDX-License-Identifier: MIT
#pragma once

#include "sampling/sampler.h"

namespace ebm {

/// Of a generator with noise, x = g(h) + s e of rows [h | e] (layers/noisy_output.h). As a sampler, its means
/// g(h).
class NoisySampler final : public Sampler {
 public:
  /// `generator` must outlive it.
  NoisySampler(Kernels& kernels, Network& generator, int64_t chunk);
  const Features& latent() const override { return latent_; }
  const Features& output() const override { return generator_.network().output(); }
  std::vector<float> samples(const std::vector<float>& latents) override;
  /// Those with the noise of each row of `noise` (N x features).
  std::vector<float> noisy_samples(const std::vector<float>& latents, const std::vector<float>& noise);

 private:
  NetworkInUse generator_;
  Features latent_;
};

}  // namespace ebm
