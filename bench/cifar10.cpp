// SPDX-License-Identifier: MIT
// Images: cifar10/METHOD is one iteration with the networks of Table 8 and the constants of the authors'
// code, on made-up images. Beside its time stands what it costs at the least: `GFLOP`, the products of a
// batch-pass times the batch-passes (docs/method.md), and `floor_ms`, these at the rate of a large product
// measured just before. `bench --profile` says where the time goes.
#include <array>
#include <cstdio>
#include <string>

#include "bench.h"
#include "data/image_data.h"
#include "models/dcgan.h"
#include "models/stack.h"
#include "profile_report.h"
#include "train/method.h"

namespace ebm::bench {

namespace {

constexpr int64_t batch = 64;

class Cifar10Game {
 public:
  Cifar10Game(Kernels& kernels, Method method)
      : energy_(kernels, network_of("E", dcgan_energy())),
        generator_(kernels, network_of("G", dcgan_generator())),
        data_(make_synthetic_images(kernels, energy_.input(), batch, 1, static_cast<uint32_t>(Stream::data))),
        game_(kernels, energy_, generator_, *data_,
              image_options(ImageNetworks::dcgan, method, Preset::code)) {
    game_.initialize();
  }
  Game& game() { return game_; }

 private:
  Network energy_, generator_;
  std::unique_ptr<DataSource> data_;
  Game game_;
};

/// Products of B rows once through the network.
double flops_of_pass(Kernels& kernels, std::unique_ptr<Layer> layers) {
  ProfiledKernels profiled(kernels);
  Network network(profiled, std::move(layers));
  const auto trace = network.make_trace({.batch = batch, .statistics = Statistics::running});
  const Tensor x(kernels, batch, network.input()), y(kernels, batch, network.output());
  network.forward(*trace, x, y);
  return profiled.root().flops;
}

/// Batch-passes of the iterations so far.
double passes(const Network& network) {
  return static_cast<double>(network.passes().total()) / static_cast<double>(batch);
}

void iterate(benchmark::State& state, const Bench& bench, Method method) {
  const double energy_pass = flops_of_pass(bench.kernels, dcgan_energy()),
               generator_pass = flops_of_pass(bench.kernels, dcgan_generator());
  Cifar10Game cifar10(bench.kernels, method);
  Game& game = cifar10.game();
  game.iterate();
  const double energy = passes(game.energy()), generator = passes(game.generator());
  const double flops = energy * energy_pass + generator * generator_pass;
  const double peak = measure_peak(bench.kernels);
  const double seconds = time_calls(state, {bench.kernels, peak}, {.flops = flops}, [&] { game.iterate(); });
  state.counters["passes_E"] = energy;
  state.counters["passes_G"] = generator;
  state.counters["GFLOP"] = flops * 1e-9;
  state.counters["floor_ms"] = flops / peak * 1e3;
  state.counters["of_floor"] = seconds * peak / flops;
  state.counters["MB"] = memory_of_first_iteration("cifar10");
}

}  // namespace

void register_cifar10(const Bench& bench) {
  for (const auto& [name, method] : method_names) {
    benchmark::RegisterBenchmark(
        (std::string("cifar10/") + name).c_str(),
        [=, method = method](benchmark::State& state) { iterate(state, bench, method); })
        ->UseManualTime()
        ->MinTime(5)
        ->Unit(benchmark::kMillisecond);
  }
}

void first_iteration_cifar10(Kernels& kernels) {
  Cifar10Game(kernels, Method::ebm_bb).game().iterate();
}

void profile_cifar10(const std::string& device) {
  constexpr int iterations = 3;
  const auto kernels = open_kernels(device);
  ProfiledKernels profiled(*kernels);
  Cifar10Game cifar10(profiled, Method::ebm_bb);
  cifar10.game().iterate();
  const double peak = measure_peak(*kernels);
  profiled.forget();
  for (int i = 0; i < iterations; ++i) cifar10.game().iterate();
  const Buffer<float> number(*kernels, 1);
  std::printf("A launch and a wait take %.1f us here, which are in each range and product below.\n\n",
              1e3 * milliseconds(*kernels, [&] { kernels->zero(number.data(), sizeof(float)); }));
  print_phases(profiled.root(), iterations, peak);
  print_layers(profiled.root(), iterations, peak);
}

}  // namespace ebm::bench
