// SPDX-License-Identifier: MIT
// The networks of the paper's tables by name, with what can be chosen of them.
#pragma once

#include <optional>

#include "models/resnet.h"
#include "models/toy.h"

namespace ebm {

/// toy: Table 6; mlp: Table 7; dcgan: Table 8; resnet: Tables 9 and 10.
enum class NetworkKind { toy, mlp, dcgan, resnet };

/// Whose networks: the paper's tables', which all methods share, or those of a method's public code.
enum class NetworkFamily { shared, dcgan, sngan, meg, vera };

/// What a generator of points is: Table 6's, or a flow (models/toy.h).
enum class GeneratorShape { mlp, flow };

struct NetworkOptions {
  NetworkKind kind = NetworkKind::dcgan;
  int64_t channels = 3;  ///< of the images
  int64_t latent = 128;
  int64_t width =
      64;  ///< toy: of the hidden layers; mlp: of its widest layers; else channels of the narrowest
  EnergyNorm energy_norm = EnergyNorm::none;          ///< resnet
  OutputScale energy_scale = OutputScale::none;       ///< toy, shared
  EnergyOutput energy_output = EnergyOutput::linear;  ///< toy, shared
  /// With sngan the energy's layers have 2 width channels, the generator's 4 width: upstream's 128 and 256.
  NetworkFamily family = NetworkFamily::shared;
  WeightNorm weight_norm = WeightNorm::none;  ///< of the energy
  // Of the shared networks:
  std::optional<Curve> energy_curve = {}, generator_curve = {};    ///< activations; none: the tables'
  int64_t energy_depth = 2, generator_depth = 2;                   ///< toy: hidden layers
  GeneratorShape generator = GeneratorShape::mlp;                  ///< toy
  int64_t couplings = 4, coupling_steps = 8, coupling_width = 32;  ///< of a flow
};

/// Those of the paper: their latent dimensions and widths.
NetworkOptions toy_networks();
NetworkOptions mlp_networks();
NetworkOptions dcgan_networks();
NetworkOptions resnet_networks();

/// The data that these networks are for: points of the plane for toy, images of 28 x 28 for mlp, 32 x 32 for
/// dcgan, 64 x 64 for resnet.
Features data_shape(const NetworkOptions& options);

/// Whether a method's public code has networks for such data: dcgan and sngan for images of 32 x 32, meg for
/// points and for digits, vera for points and for images of 32 x 32 and 64 x 64.
bool has_networks(NetworkFamily family, NetworkKind kind);
/// The width that the method's public code gives its networks of this kind; with shared ones, that of `options`.
int64_t usual_width(const NetworkOptions& options);

/// Throw Error for a family that has no networks of this kind.
std::unique_ptr<Layer> energy_layers(const NetworkOptions& options);
std::unique_ptr<Layer> generator_layers(const NetworkOptions& options);

}  // namespace ebm
