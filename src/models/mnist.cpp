// SPDX-License-Identifier: MIT
#include "models/mnist.h"

#include "models/stack.h"

namespace ebm {

Stack mnist_energy_trunk(const Features& image, int64_t width, WeightNorm weight_norm,
                         std::optional<Curve> curve) {
  Stack main(image);
  main.weight_norm(weight_norm).smooth_activations(curve);
  for (const int64_t part : {1, 2, 4, 8, 8}) main.linear(width / part).prelu();
  return main;
}

std::unique_ptr<Layer> mnist_energy(const Features& image, int64_t width, WeightNorm weight_norm,
                                    std::optional<Curve> curve) {
  Stack main = mnist_energy_trunk(image, width, weight_norm, curve);
  main.linear(1);
  return network_of("main", main.build());
}

std::unique_ptr<Layer> mnist_generator(int64_t latent, const Features& image, int64_t width,
                                       std::optional<Curve> curve) {
  constexpr float eps = 1e-5f;
  Stack main(flat(latent));
  main.smooth_activations(curve);
  for (const int64_t part : {4, 2, 1}) main.linear(width / part).batch_norm(eps).prelu();
  main.linear(image).tanh();
  return network_of("main", main.build());
}

}  // namespace ebm
