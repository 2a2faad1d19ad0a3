// SPDX-License-Identifier: MIT
// What a batch of images costs: drawn from the device's memory or made up (part of an iteration: hold it
// against one), and read ahead from the disk by its thread (which has an iteration's time for it).
#include <filesystem>
#include <memory>
#include <random>
#include <string>

#include "bench.h"
#include "data/image_data.h"
#include "data/shapes.h"

namespace ebm::bench {

namespace {

constexpr int64_t batch = 64;
constexpr Features cifar{.height = 32, .width = 32, .channels = 3};
constexpr Features bedroom{.height = 64, .width = 64, .channels = 3};

/// A file of noise that goes away.
class NoiseFile {
 public:
  NoiseFile(const Features& shape, int64_t count)
      : path_(std::filesystem::temp_directory_path() / ("ebm_bench_" + to_string(shape) + ".h5")) {
    std::mt19937_64 engine(1);
    std::vector<uint8_t> image(static_cast<size_t>(shape.size()));
    write_image_file(path_, [&](ImageSink& sink) {
      sink.begin({.name = "noise", .source = "mt19937_64", .shape = shape, .count = count});
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

void time_draws(benchmark::State& state, const Bench& bench, DataSource& source) {
  const Tensor x(bench.kernels, batch, source.features());
  const Buffer<uint64_t> iteration(bench.kernels, 1);
  constexpr double bytes_a_number = sizeof(uint8_t) + sizeof(float);
  time_calls(state, bench, {.bytes = bytes_a_number * static_cast<double>(x.size())}, [&] {
    source.draw(iteration.data(), x);
    bench.kernels.run(Advance{.counter = iteration.data()});
  });
}

void resident(benchmark::State& state, const Bench& bench, const Features& shape) {
  const NoiseFile file(shape, 10'000);
  const auto source =
      make_image_data(bench.kernels, file.open(), {.share = {.rows = batch}, .flips = Flips::horizontal});
  time_draws(state, bench, *source);
}

void shapes(benchmark::State& state, const Bench& bench, const Features& shape) {
  ShapesData source(bench.kernels, shape, {.rows = batch}, 1, 1, 1);
  time_draws(state, bench, source);
}

/// One batch after another as fast as the thread reads them.
void read_ahead(benchmark::State& state, const Bench& bench, const Features& shape) {
  const NoiseFile file(shape, 10'000);
  const auto source =
      make_image_data(bench.kernels, file.open(), {.share = {.rows = batch}, .max_resident_bytes = 0});
  uint64_t iteration = 0;
  for (auto _ : state) source->prepare(iteration++);
  bench.kernels.synchronize();
}

}  // namespace

void register_image_data(const Bench& bench) {
  const auto add = [&](const char* name, auto function, const Features& shape) {
    return benchmark::RegisterBenchmark(("images/" + std::string(name) + "/" + to_string(shape)).c_str(),
                                        [=](benchmark::State& state) { function(state, bench, shape); })
        ->Unit(benchmark::kMillisecond);
  };
  for (const Features& shape : {cifar, bedroom}) {
    add("resident", resident, shape)->UseManualTime();
    add("shapes", shapes, shape)->UseManualTime();
    add("read_ahead", read_ahead, shape)->UseRealTime();
  }
}

}  // namespace ebm::bench
