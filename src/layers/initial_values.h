// SPDX-License-Identifier: MIT
// The numbers that parameters start from: functions of (seed, stream) alone, with the same bits on every
// device.
#pragma once

#include <cstdint>
#include <vector>

#include "core/parameters.h"
#include "kernels/kernels.h"

namespace ebm {

/// What a user chooses for a whole network.
///   pytorch     each layer's own, PyTorch's defaults
///   normal      weights N(0, 0.02^2), scales of norms N(1, 0.02^2), biases 0, the others their own (DCGAN)
///   orthogonal  weights orthogonal (torch.nn.init.orthogonal_), biases 0, the others their own
///   glorot      weights U(-a, a), a^2 = 6 g / (inputs + outputs), each counted with its pixels, g = 2 for
///               kernels larger than a pixel, else 1; biases 0, the others their own (SNGAN)
enum class Initial { pytorch, normal, orthogonal, glorot };

/// How `parameter` starts in a network for which `initial` was chosen.
Initialization initialization(const Parameter& parameter, Initial initial);

inline bool is_random(const Initialization& how) {
  return how.kind != Initialization::Kind::constant;
}

/// The numbers of a parameter that starts so, in the order of memory, drawn from noise stream `stream`.
std::vector<float> initial_values(Kernels& kernels, const Parameter& parameter, const Initialization& how,
                                  uint64_t seed, uint32_t stream);

}  // namespace ebm
