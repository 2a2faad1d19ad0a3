// SPDX-License-Identifier: MIT
#include "sampling/noisy_sampler.h"

#include <span>

namespace ebm {

NoisySampler::NoisySampler(Kernels& kernels, Network& generator, int64_t chunk)
    : generator_(kernels, generator, chunk),
      latent_(flat(generator.input().size() - generator.output().size())) {}

std::vector<float> NoisySampler::samples(const std::vector<float>& latents) {
  const size_t rows = latents.size() / static_cast<size_t>(latent_.size());
  return noisy_samples(latents, std::vector<float>(rows * static_cast<size_t>(output().size()), 0.0f));
}

std::vector<float> NoisySampler::noisy_samples(const std::vector<float>& latents,
                                               const std::vector<float>& noise) {
  const auto d = static_cast<size_t>(latent_.size()), range = static_cast<size_t>(output().size());
  std::vector<float> rows;
  rows.reserve(latents.size() + noise.size());
  for (size_t i = 0; i < latents.size() / d; ++i) {
    const auto h = std::span(latents).subspan(i * d, d), e = std::span(noise).subspan(i * range, range);
    rows.insert(rows.end(), h.begin(), h.end());
    rows.insert(rows.end(), e.begin(), e.end());
  }
  return generator_(rows);
}

}  // namespace ebm
