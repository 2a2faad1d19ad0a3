// SPDX-License-Identifier: MIT
// What the benchmarks share. Each file registers its own; main.cpp runs them on the device $EBM_DEVICE.
#pragma once

#include <benchmark/benchmark.h>

#include <functional>
#include <string>

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

/// Times `call` on the device, recorded as a graph where there are graphs, ten calls between two waits (one,
/// if it takes long). Counters: GFLOP/s and `of_peak`, its share of the peak; GB/s. Returns the seconds of a
/// call.
double time_calls(benchmark::State& state, const Bench& bench, const Work& work,
                  const std::function<void()>& call);

/// Milliseconds of one call, the median of several. For parts of a benchmark.
double milliseconds(Kernels& kernels, const std::function<void()>& call);

/// FLOP/s of a large float32 product, the best of ten.
double measure_peak(Kernels& kernels);

void register_images(const Bench& bench);
void register_layers(const Bench& bench);
void register_lobpcg(const Bench& bench);
void register_toy(const Bench& bench);
void register_image_data(const Bench& bench);
void register_start_up();

/// The peak memory, in MB, of a process of its own that ends after the first iteration of a method: this
/// program with first_iteration_option + name, where `name` is toy, cifar10 or stacked.
double memory_of_first_iteration(const std::string& name);
inline constexpr const char* first_iteration_option = "--first-iteration=";
void first_iteration_toy(Kernels& kernels);
void first_iteration_images(Kernels& kernels, const std::string& experiment);

/// Prints where the time of an EBM-BB iteration on images goes: --profile or --profile=stacked.
inline constexpr const char* profile_option = "--profile";
void profile_images(const std::string& device, const std::string& experiment);

}  // namespace ebm::bench
