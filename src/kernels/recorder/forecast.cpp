// SPDX-License-Identifier: MIT
#include "kernels/recorder/forecast.h"

#include <algorithm>
#include <limits>
#include <span>
#include <vector>

#include "core/error.h"
#include "kernels/recorder/device_file.h"

namespace ebm {

namespace {

/// Only what busiest_flop asks for counts.
constexpr Tile cudnn_float32[] = {{.rows = 128, .columns = 32, .depth = 8}};
constexpr Tile float32_tiles[] = {{.rows = 128, .columns = 128, .depth = 8},
                                  {.rows = 128, .columns = 64, .depth = 8}};
constexpr Tile tensor_cores[] = {{.rows = 128, .columns = 64, .depth = 32},
                                 {.rows = 64, .columns = 64, .depth = 32},
                                 {.rows = 128, .columns = 32, .depth = 16}};
constexpr Tile split_tiles[] = {{.rows = 128, .columns = 128, .depth = 16},
                                {.rows = 128, .columns = 64, .depth = 16},
                                {.rows = 64, .columns = 64, .depth = 32},
                                {.rows = 128, .columns = 32, .depth = 16}};

constexpr int64_t max_split = 128;  // parts of a sum: of weights' gradients, over many images

bool is_convolution(const Launch& launch) {
  return !std::holds_alternative<std::monostate>(launch.convolution);
}

/// Tiles take the channels that they sum over in fours; else it is cuDNN's in true float32.
Precision computed_in(const Launch& launch) {
  const bool whole = launch.product.inner % 4 == 0;
  return launch.precision == Precision::tf32x3 && !whole ? Precision::full : launch.precision;
}

bool transposes(const Launch& launch, Float32Convolutions float32) {
  return is_convolution(launch) && computed_in(launch) == Precision::full &&
         float32 == Float32Convolutions::library;
}

std::span<const Tile> tiles_of(const Launch& launch, Float32Convolutions float32) {
  switch (computed_in(launch)) {
    case Precision::full:
      if (transposes(launch, float32)) return cudnn_float32;
      return float32_tiles;
    case Precision::tf32x3:
      return split_tiles;
    default:
      return tensor_cores;
  }
}

/// FLOP a second of one SM.
double rate_of(const Launch& launch, const Forecast& forecast, const DeviceCeilings& device) {
  const KernelRates& rates = forecast.rates;
  const auto share = [&](double rate, double peak) {
    return rate * peak / static_cast<double>(device.processors);
  };
  switch (computed_in(launch)) {
    case Precision::full:
      return share(transposes(launch, forecast.float32) ? rates.float32_cudnn : rates.float32_tiles,
                   device.fp32_flops);
    case Precision::training:
      return share(rates.tf32, device.tf32_flops);
    case Precision::bfloat16:
      return share(rates.bfloat16, device.bf16_flops);
    case Precision::tf32x3:
      return rates.tf32x3 * device.clock;
  }
  throw Error("unknown precision");
}

double bytes_of(const Launch& launch, Float32Convolutions float32) {
  const auto bytes = static_cast<double>(launch.bytes_read() + launch.bytes_written());
  return transposes(launch, float32) ? 3 * bytes : bytes;
}

}  // namespace

double Forecast::busy_seconds(const Launch& launch, const DeviceCeilings& device) const {
  if (launch.kind != LaunchKind::product) return 0;
  double least = std::numeric_limits<double>::infinity();
  for (const Tile& tile : tiles_of(launch, float32)) {
    for (int64_t split = 1; split == 1 || (split <= max_split && launch.product.inner >= split * tile.depth);
         split *= 2)
      least = std::min(least, busiest_flop(launch.product, tile, split, device.processors));
  }
  return least / rate_of(launch, *this, device);
}

double Forecast::memory_seconds(const Launch& launch, const DeviceCeilings& device) const {
  return bytes_of(launch, float32) / (rates.bandwidth * device.memory_bandwidth);
}

double Forecast::seconds(const Launch& launch, const DeviceCeilings& device) const {
  const double memory = memory_seconds(launch, device), busy = busy_seconds(launch, device);
  if (transposes(launch, float32)) return busy + memory + 4 * rates.launch_seconds;
  return std::max(busy, memory) + rates.launch_seconds +
         (launch.kind == LaunchKind::columns ? rates.columns_seconds : 0);
}

}  // namespace ebm
