// SPDX-License-Identifier: MIT
#include "layers/overlapping_average.h"

namespace ebm {

OverlappingAverage::OverlappingAverage(const Features& input, const Window& window)
    : ForwardOnly(input, pooled_features(input, window)), windows_(pool_windows(input, window)) {}

void OverlappingAverage::do_forward(Trace& trace, View y) const {
  trace.kernels.run(AveragePooling{.rows = y.rows * y.features.pixels(),
                                   .columns = y.features.channels,
                                   .windows = windows_,
                                   .x = trace.x.data,
                                   .y = y.data});
}

}  // namespace ebm
