// SPDX-License-Identifier: MIT
// The networks for images by name, with what can be chosen of them.
#pragma once

#include "models/resnet.h"

namespace ebm {

/// mlp: Table 7; dcgan: Table 8; resnet: Tables 9 and 10.
enum class ImageNetworks { mlp, dcgan, resnet };

struct ImageNetworkOptions {
  ImageNetworks kind = ImageNetworks::dcgan;
  int64_t channels = 3;  ///< of the images
  int64_t latent = 128;
  int64_t width = 64;                         ///< mlp: of its widest layers; else channels of the narrowest
  EnergyNorm energy_norm = EnergyNorm::none;  ///< resnet
};

/// The images that these networks are for: 28 x 28 for mlp, 32 x 32 for dcgan, 64 x 64 for resnet.
Features image_shape(const ImageNetworkOptions& options);

std::unique_ptr<Layer> image_energy(const ImageNetworkOptions& options);
std::unique_ptr<Layer> image_generator(const ImageNetworkOptions& options);

}  // namespace ebm
