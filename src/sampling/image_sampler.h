// SPDX-License-Identifier: MIT
// Images of a generator, outside of training.
#pragma once

#include <vector>

#include "layers/network.h"

namespace ebm {

class ImageSampler {
 public:
  /// Makes images with running statistics, `chunk` at a time. `generator` must outlive the sampler.
  ImageSampler(Kernels& kernels, Network& generator, int64_t chunk);

  /// G(z) for each row of `latents` (N x d): N x H x W x C. Waits for the device.
  std::vector<float> images(const std::vector<float>& latents);

 private:
  Network& generator_;
  std::unique_ptr<Trace> trace_;
  Tensor z_, x_;
};

/// `count` latent points from N(0, I), a function of (seed, stream): count x d.
std::vector<float> latent_points(Kernels& kernels, uint64_t seed, uint32_t stream, int64_t count,
                                 const Features& latent);

/// Rows of `columns` latent points each, on great circles from one to another: row i goes from row 2i to row
/// 2i + 1 of `ends` (N x d), its points at equal angles, its lengths between the ends' lengths in even steps.
/// Points of N(0, I) all have nearly the same length, so the points between are as likely as the ends.
std::vector<float> interpolate(const std::vector<float>& ends, int64_t latent, int64_t columns);

}  // namespace ebm
