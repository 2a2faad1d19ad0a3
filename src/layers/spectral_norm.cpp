// SPDX-License-Identifier: MIT
#include "layers/spectral_norm.h"

namespace ebm {

SpectralNorm::SpectralNorm(Parameters& parameters, const std::string& prefix, const Parameter& weight)
    : weight_(weight),
      u_(*parameters.add_statistic(prefix + "weight_u", {weight.shape.front()},
                                   {Initialization::Kind::direction})) {}

std::unique_ptr<SpectralNorm::State> SpectralNorm::make_state(Kernels& kernels, Type type) const {
  return std::make_unique<State>(kernels, outputs(), inputs(), type);
}

void SpectralNorm::normalize(Kernels& kernels, Statistics statistics, State& state) const {
  const bool iterate = statistics == Statistics::batch;
  kernels.run(WeightedColumnSum{.rows = outputs(),
                                .columns = inputs(),
                                .x = weight_.value,
                                .row_weight = u_.value,
                                .out = state.product_.data(),
                                .mode = Write::overwrite});
  if (iterate) {
    kernels.run(RowDots{.rows = outputs(),
                        .columns = inputs(),
                        .x = weight_.value,
                        .part = state.product_.data(),
                        .part_step = 0,
                        .sums = state.dots_.data()});
  }
  kernels.run(SpectralStep{.outputs = outputs(),
                           .inputs = inputs(),
                           .t = state.product_.data(),
                           .p = iterate ? state.dots_.data() : nullptr,
                           .running = u_.value,
                           .u = state.u_.data(),
                           .v = state.v_.data(),
                           .sigma = state.sigma_.data()});
  kernels.run(SpectralWeight{.rows = 1,
                             .columns = weight_.size,
                             .weight = weight_.value,
                             .sigma = state.sigma_.data(),
                             .out = state.weight_.view()});
}

void SpectralNorm::add_gradient(Kernels& kernels, const State& state, const float* bar, Write mode) const {
  kernels.run(RowDots{.rows = outputs(),
                      .columns = inputs(),
                      .x = bar,
                      .part = state.weight(),
                      .part_step = inputs(),
                      .sums = state.dots_.data()});
  kernels.run(SpectralGradient{.rows = outputs(),
                               .columns = inputs(),
                               .bar = bar,
                               .dots = state.dots_.data(),
                               .u = state.u_.data(),
                               .v = state.v_.data(),
                               .sigma = state.sigma_.data(),
                               .weight_bar = weight_.gradient,
                               .mode = mode});
}

}  // namespace ebm
