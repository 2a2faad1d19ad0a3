// SPDX-License-Identifier: MIT
#include "models/image_networks.h"

#include "models/dcgan.h"
#include "models/mnist.h"

namespace ebm {

Features image_shape(const ImageNetworkOptions& options) {
  const int64_t side = options.kind == ImageNetworks::mlp     ? 28
                       : options.kind == ImageNetworks::dcgan ? 32
                                                              : 64;
  return {.height = side, .width = side, .channels = options.channels};
}

std::unique_ptr<Layer> image_energy(const ImageNetworkOptions& options) {
  switch (options.kind) {
    case ImageNetworks::mlp:
      return mnist_energy(image_shape(options), options.width);
    case ImageNetworks::dcgan:
      return dcgan_energy(options.width);
    case ImageNetworks::resnet:
      break;
  }
  return resnet_energy(options.energy_norm, options.width);
}

std::unique_ptr<Layer> image_generator(const ImageNetworkOptions& options) {
  switch (options.kind) {
    case ImageNetworks::mlp:
      return mnist_generator(options.latent, image_shape(options), options.width);
    case ImageNetworks::dcgan:
      return dcgan_generator(options.latent, options.width);
    case ImageNetworks::resnet:
      break;
  }
  return resnet_generator(options.latent, options.width);
}

}  // namespace ebm
