// SPDX-License-Identifier: MIT
// What the benchmarks share. Each file registers its own; main.cpp runs them on the device $EBM_DEVICE.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>

#include "kernels/kernels.h"

namespace ebm::bench {

struct Bench {
  Kernels& kernels;
  double peak;  ///< FLOP/s of a large float32 product, measured at the start of this run
};

/// What one call does at the least: floating-point operations of products, and bytes read and written once.
struct Work {
  double flops = 0;
  double bytes = 0;
};

/// Times `call` on the device, recorded as a graph where there are graphs, ten calls between two waits.
/// Counters: GFLOP/s and `of_peak`, its share of the peak; GB/s.
void time_calls(benchmark::State& state, const Bench& bench, const Work& work,
                const std::function<void()>& call);

/// Milliseconds of one call, the median of several. For parts of a benchmark.
double milliseconds(Kernels& kernels, const std::function<void()>& call);

void register_layers(const Bench& bench);
void register_lobpcg(const Bench& bench);
void register_toy(const Bench& bench);
void register_image_data(const Bench& bench);
void register_start_up();

/// The other side of register_start_up: a process that ends after the first iteration and prints its memory.
inline constexpr const char* first_iteration_option = "--first-iteration";
void first_iteration(const std::string& device);

}  // namespace ebm::bench
