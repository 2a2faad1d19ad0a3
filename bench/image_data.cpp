// SPDX-License-Identifier: MIT
// What it costs to draw a batch of images: to be held against an iteration's time, since a draw is part of
// it.
#include <benchmark/benchmark.h>

#include <filesystem>
#include <random>

#include "data/image_data.h"

namespace ebm {
namespace {

constexpr Features cifar{.height = 32, .width = 32, .channels = 3};
constexpr Features lsun{.height = 64, .width = 64, .channels = 3};

/// A file of noise of `count` images, made once and removed at the end.
class NoiseFile {
 public:
  NoiseFile(const Features& shape, int64_t count)
      : path_(std::filesystem::temp_directory_path() / ("ebm_bench_" + to_string(shape) + ".h5")) {
    std::mt19937 engine(1);
    std::vector<uint8_t> image(static_cast<size_t>(shape.size()));
    write_image_file(path_, [&](ImageSink& sink) {
      sink.begin({.name = "noise", .source = "dice", .shape = shape, .count = count});
      for (int64_t i = 0; i < count; ++i) {
        for (uint8_t& byte : image) byte = static_cast<uint8_t>(engine());
        sink.add(image, 0);
      }
    });
  }
  ~NoiseFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  NoiseFile(const NoiseFile&) = delete;
  NoiseFile& operator=(const NoiseFile&) = delete;
  ImageFile open() const { return ImageFile(path_); }

 private:
  std::filesystem::path path_;
};

const NoiseFile& noise_of(const Features& shape) {
  static const NoiseFile small(cifar, 50'000), large(lsun, 20'000);
  return shape == cifar ? small : large;
}

/// Draws batch after batch as fast as it can: reading ahead has no iteration to hide behind.
void draw_batches(benchmark::State& state, Kernels& kernels, DataSource& source, int64_t batch) {
  const Tensor x(kernels, batch, source.features());
  const Buffer<uint64_t> iteration(kernels, 1);
  uint64_t i = 0;
  for (auto _ : state) {
    source.prepare(i++);
    source.draw(iteration.data(), x);
    kernels.run(Advance{.counter = iteration.data()});
    kernels.synchronize();
  }
  state.counters["images/s"] =
      benchmark::Counter(static_cast<double>(batch * state.iterations()), benchmark::Counter::kIsRate);
}

void resident(benchmark::State& state, const Features& shape) {
  const auto kernels = open_kernels("auto");
  const auto source =
      make_image_data(*kernels, noise_of(shape).open(), {.batch = 64, .flips = Flips::horizontal});
  draw_batches(state, *kernels, *source, 64);
}

void read_ahead(benchmark::State& state, const Features& shape) {
  const auto kernels = open_kernels("auto");
  const auto source = make_image_data(*kernels, noise_of(shape).open(),
                                      {.batch = 64, .flips = Flips::horizontal, .most_resident_bytes = 0});
  draw_batches(state, *kernels, *source, 64);
}

void synthetic(benchmark::State& state, const Features& shape) {
  const auto kernels = open_kernels("auto");
  const auto source = make_synthetic_images(*kernels, shape, 64, 1, 1);
  draw_batches(state, *kernels, *source, 64);
}

BENCHMARK_CAPTURE(resident, 32x32x3, cifar)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK_CAPTURE(resident, 64x64x3, lsun)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK_CAPTURE(read_ahead, 32x32x3, cifar)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK_CAPTURE(read_ahead, 64x64x3, lsun)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK_CAPTURE(synthetic, 32x32x3, cifar)->Unit(benchmark::kMicrosecond)->UseRealTime();

}  // namespace
}  // namespace ebm
