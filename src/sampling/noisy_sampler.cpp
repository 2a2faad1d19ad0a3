// SPDX-License-Identifier: MIT
#include "sampling/noisy_sampler.h"

#include "sampling/latent_points.h"

namespace ebm {

NoisySampler::NoisySampler(Kernels& kernels, Network& generator, int64_t chunk,
                           const std::optional<NoiseStream>& noise)
    : kernels_(kernels),
      generator_(kernels, generator, chunk),
      latent_(flat(generator.input().size() - generator.output().size())),
      noise_(noise) {}

std::vector<float> NoisySampler::samples(const std::vector<float>& latents) {
  const int64_t d = latent_.size(), range = output().size(), count = std::ssize(latents) / d;
  const std::vector<float> noise =
      noise_ ? latent_points(kernels_, noise_->seed, noise_->stream, count, output())
             : std::vector<float>(static_cast<size_t>(count * range), 0.0f);
  std::vector<float> rows;
  rows.reserve(latents.size() + noise.size());
  for (int64_t i = 0; i < count; ++i) {
    rows.insert(rows.end(), latents.begin() + i * d, latents.begin() + (i + 1) * d);
    rows.insert(rows.end(), noise.begin() + i * range, noise.begin() + (i + 1) * range);
  }
  return generator_(rows);
}

}  // namespace ebm
