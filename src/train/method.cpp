// SPDX-License-Identifier: MIT
#include "train/method.h"

namespace ebm {

namespace {

/// What toy_options and image_options share: the bounds that make the method.
void choose_bounds(GameOptions& options, Method method, Preset preset, LowerBoundKind kind,
                   double wgan_weight) {
  const bool code = preset == Preset::code;
  if (method != Method::wgan_0gp) {
    options.lower =
        LowerBoundOptions{.kind = kind, .direction = code ? Direction::authors : Direction::orthonormal};
  }
  UpperBoundOptions& upper = options.upper;
  switch (method) {
    case Method::ebm_bb:
      upper.kind = UpperBoundKind::bidirectional;
      upper.weight = 0.001;
      upper.normaliser = code ? PenaltyNormaliser::none : PenaltyNormaliser::d;
      upper.hinge = 1;
      return;
    case Method::ebm_0gp:
      upper.kind = UpperBoundKind::gp_real;
      upper.weight = 0.001;
      break;
    case Method::wgan_0gp:
      upper.kind = UpperBoundKind::gp_interpolated;
      upper.weight = wgan_weight;
      options.entropy_weight = 0;
      break;
  }
  upper.normaliser = PenaltyNormaliser::none;
  upper.hinge = 0;
}

}  // namespace

GameOptions toy_options(Method method, Preset preset) {
  GameOptions options;  // batch 200, Adam(0, 0.9), rates 2e-4, entropy weight 1: Table 11 and the code agree
  options.adam = {.beta1 = 0, .beta2 = 0.9, .epsilon = preset == Preset::code ? 1e-6 : 1e-8};
  options.entropy_points = EntropyPoints::generator;
  choose_bounds(options, method, preset, preset == Preset::code ? LowerBoundKind::s1 : LowerBoundKind::lobpcg,
                0.1);
  return options;
}

GameOptions image_options(ImageNetworks networks, Method method, Preset preset) {
  const bool mlp = networks == ImageNetworks::mlp, code = preset == Preset::code;
  GameOptions options;
  options.batch = 64;
  options.lr_energy = options.lr_generator = mlp ? 2e-4 : 5e-5;
  options.adam = {.beta1 = 0, .beta2 = mlp ? 0.9 : 0.999, .epsilon = code ? 1e-6 : 1e-8};
  options.entropy_weight = code ? 1e-4 : 1;
  // The paper does not say whose z it is; the authors' EBM-BB has one Jacobian an iteration for both bounds.
  options.entropy_points = method == Method::ebm_bb ? EntropyPoints::energy : EntropyPoints::generator;
  // WGAN-0GP: the weights of the first author's public runs of its nearest kin (MEG's penalty).
  choose_bounds(options, method, preset, LowerBoundKind::lobpcg, mlp ? 10 : 0.1);
  if (code) options.upper.hinge = 0;
  return options;
}

}  // namespace ebm
