// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cpu/threads.h"
#include "kernels/kernels.h"

namespace ebm::cpu {

/// Fills `out` as Kernels::noise says. Throws Error when noise.first is no multiple of 4 or the stream is too
/// large.
void fill_noise(Threads& threads, const Noise& noise, View out);

}  // namespace ebm::cpu
