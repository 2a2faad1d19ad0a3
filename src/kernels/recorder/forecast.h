// SPDX-License-Identifier: MIT
// What a GPU will probably take for a launch, where the ceilings (time_model.h) say what it takes at least: from rates
// that one H200 showed (bench/results/h200.md), for each of its multiprocessors (SMs).
//   a product     the busiest SM's tiles (kernels/tiles.h) / rate, or its bytes / bandwidth, whichever is longer
//   by cuDNN in true float32: also x + w + y read and written once more, in three launches, since its kernels want
//                 channels first
//   the others    bytes / bandwidth; sums of columns a little more
//   each          a launch's fixed cost
#pragma once

#include "kernels/recorder/recorder.h"

namespace ebm {

struct DeviceCeilings;

/// Who computes convolutions of Precision::full.
enum class Float32Convolutions { library, tiles };

/// Where all SMs are busy.
struct KernelRates {
  // Of the float32 or tensor cores' peak. Nobody measured bfloat16.
  double float32_cudnn = 0.40;  ///< tiles of 128 x 32, channels first
  double float32_tiles = 0.45;  ///< CUTLASS's SIMT kernels
  double tf32 = 0.27, bfloat16 = 0.27;
  /// FLOP of each SM and cycle: the tensor cores' instructions that CUTLASS uses here are those of an A100, on all.
  double tf32x3 = 230;
  double bandwidth = 0.65;         ///< of the peak, of the bytes that a kernel touches
  double launch_seconds = 2.5e-6;  ///< a kernel's start and end, and the gap before it
  double columns_seconds =
      6e-6;  ///< of adding the parts of columns' sums: measured where that was a launch of its own
};

struct Forecast {
  KernelRates rates;
  Float32Convolutions float32 = Float32Convolutions::library;

  double seconds(const Launch& launch, const DeviceCeilings& device) const;
  /// How long the SMs are busy with it, however much else could run: 0 where it is bound by memory.
  double busy_seconds(const Launch& launch, const DeviceCeilings& device) const;
  double memory_seconds(const Launch& launch, const DeviceCeilings& device) const;
};

}  // namespace ebm
