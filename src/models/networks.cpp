// SPDX-License-Identifier: MIT
#include "models/networks.h"

#include "models/dcgan.h"
#include "models/deep_conv.h"
#include "models/meg.h"
#include "models/mnist.h"
#include "models/sngan.h"
#include "models/vera.h"

namespace ebm {

namespace {

void require_networks(const NetworkOptions& options) {
  if (has_networks(options.family, options.kind)) return;
  throw Error("the method's public code has no networks for " + to_string(data_shape(options)) +
              "; take the shared ones");
}

std::unique_ptr<Layer> shared_energy(const NetworkOptions& options) {
  const WeightNorm norm = options.weight_norm;
  const std::optional<Curve> curve = options.energy_curve;
  switch (options.kind) {
    case NetworkKind::toy:
      return toy_energy(options.width, options.energy_scale, norm, options.energy_output,
                        {options.energy_depth, options.energy_curve});
    case NetworkKind::mlp:
      return mnist_energy(data_shape(options), options.width, norm, curve);
    case NetworkKind::dcgan:
      return dcgan_energy(options.width, norm, curve);
    case NetworkKind::resnet:
      break;
  }
  return resnet_energy(options.energy_norm, options.width, norm, curve);
}

std::unique_ptr<Layer> shared_generator(const NetworkOptions& options) {
  const std::optional<Curve> curve = options.generator_curve;
  switch (options.kind) {
    case NetworkKind::toy:
      if (options.generator == GeneratorShape::flow)
        return toy_flow(options.coupling_width, options.couplings, options.coupling_steps);
      return toy_generator(options.latent, options.width, {options.generator_depth, curve});
    case NetworkKind::mlp:
      return mnist_generator(options.latent, data_shape(options), options.width, curve);
    case NetworkKind::dcgan:
      return dcgan_generator(options.latent, options.width, dcgan_eps, curve);
    case NetworkKind::resnet:
      break;
  }
  return resnet_generator(options.latent, options.width, curve);
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

bool has_networks(NetworkFamily family, NetworkKind kind) {
  switch (family) {
    case NetworkFamily::shared:
      return true;
    case NetworkFamily::dcgan:
    case NetworkFamily::sngan:
      return kind == NetworkKind::dcgan;
    case NetworkFamily::meg:
      return kind == NetworkKind::toy || kind == NetworkKind::mlp;
    case NetworkFamily::vera:
      break;
  }
  return kind != NetworkKind::mlp;
}

int64_t usual_width(const NetworkOptions& options) {
  if (options.family == NetworkFamily::shared) return options.width;
  if (options.family == NetworkFamily::meg) return 512;
  return options.kind == NetworkKind::toy ? 100 : 64;
}

std::unique_ptr<Layer> energy_layers(const NetworkOptions& options) {
  require_networks(options);
  const bool toy = options.kind == NetworkKind::toy;
  switch (options.family) {
    case NetworkFamily::shared:
      break;
    case NetworkFamily::dcgan:
      return deep_conv_energy(options.width);
    case NetworkFamily::sngan:
      return sngan_energy(2 * options.width, options.weight_norm);
    case NetworkFamily::meg:
      return toy ? meg_toy_energy(options.width) : meg_digit_energy(options.channels, options.width);
    case NetworkFamily::vera:
      return toy ? vera_toy_energy(options.width)
                 : vera_image_energy(data_shape(options).height, options.width);
  }
  return shared_energy(options);
}

std::unique_ptr<Layer> generator_layers(const NetworkOptions& options) {
  require_networks(options);
  const bool toy = options.kind == NetworkKind::toy;
  const int64_t d = options.latent, width = options.width;
  switch (options.family) {
    case NetworkFamily::shared:
      break;
    case NetworkFamily::dcgan:
      return deep_conv_generator(d, width);
    case NetworkFamily::sngan:
      return sngan_generator(d, 4 * width);
    case NetworkFamily::meg:
      return toy ? meg_toy_generator(d, width) : meg_digit_generator(d, options.channels, width);
    case NetworkFamily::vera:
      return toy ? vera_toy_generator(d, width) : vera_image_generator(data_shape(options).height, d, width);
  }
  return shared_generator(options);
}

}  // namespace ebm
