// SPDX-License-Identifier: MIT
#include "models/dcgan.h"

#include "layers/linear.h"
#include "models/stack.h"

namespace ebm {

namespace {

constexpr Features image{.height = 32, .width = 32, .channels = 3};
constexpr Window conv3{.kernel = {3, 3}, .padding = {1, 1}};
constexpr Window conv4{.kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 1}};  // halves the image

}  // namespace

Stack dcgan_energy_trunk(int64_t c, WeightNorm weight_norm, std::optional<Curve> curve) {
  const Activation leaky = leaky_relu(0.1f);
  Stack main(image);
  main.weight_norm(weight_norm).smooth_activations(curve);
  main.convolution(conv3, c, leaky);      // 32
  main.convolution(conv4, c, leaky);      // 16
  main.convolution(conv3, 2 * c, leaky);  // 16
  main.convolution(conv4, 2 * c, leaky);  // 8
  main.convolution(conv3, 4 * c, leaky);  // 8
  main.convolution(conv4, 4 * c, leaky);  // 4
  main.convolution(conv3, 8 * c, leaky);  // 4
  return main;
}

std::unique_ptr<Layer> dcgan_energy(int64_t c, WeightNorm weight_norm, std::optional<Curve> curve) {
  Stack main = dcgan_energy_trunk(c, weight_norm, curve);
  auto expand = std::make_unique<Linear>(main.features(), flat(1), Bias::yes, Activation{}, weight_norm);
  return network_of("main", main.build(), "expand", std::move(expand));
}

std::unique_ptr<Layer> dcgan_generator(int64_t latent, int64_t c, float eps, std::optional<Curve> curve) {
  Stack main(flat(latent));
  main.smooth_activations(curve);
  main.linear(Features{.height = 4, .width = 4, .channels = 8 * c}).reshape();
  main.transposed_convolution(conv4, 4 * c).batch_norm(eps, relu);  // 8
  main.transposed_convolution(conv4, 2 * c).batch_norm(eps, relu);  // 16
  main.transposed_convolution(conv4, c).batch_norm(eps, relu);      // 32
  main.convolution(conv3, image.channels).tanh();
  return network_of("main", main.build());
}

}  // namespace ebm
