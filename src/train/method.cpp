// SPDX-License-Identifier: MIT
#include "train/method.h"

namespace ebm {

GameOptions toy_options(Method method, Preset preset) {
  GameOptions options;  // batch 200, Adam(0, 0.9), rates 2e-4, entropy weight 1: Table 11 and the code agree
  options.adam = {.beta1 = 0, .beta2 = 0.9, .epsilon = preset == Preset::code ? 1e-6 : 1e-8};
  options.entropy_points = EntropyPoints::generator;
  if (method != Method::wgan_0gp) {
    options.lower =
        LowerBoundOptions{.kind = preset == Preset::code ? LowerBoundKind::s1 : LowerBoundKind::lobpcg,
                          .direction = preset == Preset::code ? Direction::authors : Direction::orthonormal};
  }
  switch (method) {
    case Method::ebm_bb:
      options.upper = {.kind = UpperBoundKind::bidirectional,
                       .weight = 0.001,
                       .normaliser = preset == Preset::code ? PenaltyNormaliser::none : PenaltyNormaliser::d,
                       .hinge = 1};
      break;
    case Method::ebm_0gp:
      options.upper = {.kind = UpperBoundKind::gp_real,
                       .weight = 0.001,
                       .normaliser = PenaltyNormaliser::none,
                       .hinge = 0};
      break;
    case Method::wgan_0gp:
      options.upper = {.kind = UpperBoundKind::gp_interpolated,
                       .weight = 0.1,
                       .normaliser = PenaltyNormaliser::none,
                       .hinge = 0};
      options.entropy_weight = 0;
      break;
  }
  return options;
}

}  // namespace ebm
