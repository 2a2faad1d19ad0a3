// SPDX-License-Identifier: MIT
#include "models/networks.h"

#include "models/dcgan.h"
#include "models/deep_conv.h"
#include "models/mnist.h"
#include "models/sngan.h"

namespace ebm {

namespace {

void require_images_of_32(const NetworkOptions& options) {
  if (options.family == NetworkFamily::shared || options.kind == NetworkKind::dcgan) return;
  throw Error("the networks of a method's public code are for images of 32x32x3, not of " +
              to_string(data_shape(options)) + "; take the shared ones");
}

}  // namespace

NetworkOptions toy_networks() {
  return {.kind = NetworkKind::toy, .channels = 2, .latent = 2, .width = 100};
}
NetworkOptions mlp_networks() {
  return {.kind = NetworkKind::mlp, .channels = 1, .latent = 128, .width = 2000};
}
NetworkOptions dcgan_networks() {
  return {.kind = NetworkKind::dcgan, .channels = 3, .latent = 128, .width = 64};
}
NetworkOptions resnet_networks() {
  return {.kind = NetworkKind::resnet, .channels = 3, .latent = 128, .width = 64};
}

Features data_shape(const NetworkOptions& options) {
  const auto image = [&](int64_t side) {
    return Features{.height = side, .width = side, .channels = options.channels};
  };
  switch (options.kind) {
    case NetworkKind::toy:
      return flat(2);
    case NetworkKind::mlp:
      return image(28);
    case NetworkKind::dcgan:
      return image(32);
    case NetworkKind::resnet:
      break;
  }
  return image(64);
}

std::unique_ptr<Layer> energy_layers(const NetworkOptions& options) {
  const WeightNorm norm = options.weight_norm;
  require_images_of_32(options);
  if (options.family == NetworkFamily::dcgan) return deep_conv_energy(options.width);
  if (options.family == NetworkFamily::sngan) return sngan_energy(2 * options.width, norm);
  switch (options.kind) {
    case NetworkKind::toy:
      return toy_energy(options.width, options.energy_scale, norm);
    case NetworkKind::mlp:
      return mnist_energy(data_shape(options), options.width, norm);
    case NetworkKind::dcgan:
      return dcgan_energy(options.width, norm);
    case NetworkKind::resnet:
      break;
  }
  return resnet_energy(options.energy_norm, options.width, norm);
}

std::unique_ptr<Layer> generator_layers(const NetworkOptions& options) {
  require_images_of_32(options);
  if (options.family == NetworkFamily::dcgan) return deep_conv_generator(options.latent, options.width);
  if (options.family == NetworkFamily::sngan) return sngan_generator(options.latent, 4 * options.width);
  switch (options.kind) {
    case NetworkKind::toy:
      return toy_generator(options.latent, options.width);
    case NetworkKind::mlp:
      return mnist_generator(options.latent, data_shape(options), options.width);
    case NetworkKind::dcgan:
      return dcgan_generator(options.latent, options.width);
    case NetworkKind::resnet:
      break;
  }
  return resnet_generator(options.latent, options.width);
}

}  // namespace ebm
