// SPDX-License-Identifier: MIT
#include "models/statistics.h"

#include "layers/joined_inputs.h"
#include "models/dcgan.h"
#include "models/meg.h"
#include "models/mnist.h"
#include "models/stack.h"

namespace ebm {

namespace {

/// What the energy has before its last row.
Stack energy_trunk(const NetworkOptions& options) {
  switch (options.kind) {
    case NetworkKind::toy:
      return std::move(Stack(data_shape(options)).linear(options.width).prelu());
    case NetworkKind::mlp:
      return mnist_energy_trunk(data_shape(options), options.width);
    case NetworkKind::dcgan:
      return std::move(dcgan_energy_trunk(options.width).reshape());
    case NetworkKind::resnet:
      break;
  }
  return resnet_energy_trunk(EnergyNorm::none, options.width);
}

}  // namespace

std::unique_ptr<Layer> statistics_layers(const NetworkOptions& options) {
  if (options.family == NetworkFamily::meg) {
    return options.kind == NetworkKind::toy
               ? meg_toy_statistics(options.latent, options.width)
               : meg_digit_statistics(options.latent, options.channels, options.width);
  }
  Stack trunk = energy_trunk(options), head(flat(2 * options.latent));
  trunk.linear(options.latent);
  if (options.kind == NetworkKind::toy) {
    head.linear(options.width).prelu();
  } else {
    head.linear(512).leaky(0.1f);
  }
  head.linear(1);
  return std::make_unique<JoinedInputs>(Sequential::Child{"trunk", trunk.build()},
                                        Sequential::Child{"head", head.build()});
}

}  // namespace ebm
