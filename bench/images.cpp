// SPDX-License-Identifier: MIT
// Images: cifar10/METHOD is one iteration with the networks of Table 8 and the constants of the authors' code,
// on made-up images; stacked/METHOD with those of Table 7, on images like StackedMNIST's. Beside its time stands
// what it costs at the least: `GFLOP`, the products of a batch-pass times the batch-passes (docs/method.md), and
// `floor_ms`, these at the rate of a large product measured just before. `bench --profile` says where the time
// goes.
#include <array>
#include <cstdio>
#include <string>

#include "bench.h"
#include "models/networks.h"
#include "models/stack.h"
#include "profile_report.h"
#include "runs/sample_run.h"

namespace ebm::bench {

namespace {

constexpr int64_t batch = 64;

/// Throws Error unless `experiment` is cifar10 or stacked.
NetworkOptions networks_of(const std::string& experiment) {
  if (experiment == "cifar10") return dcgan_networks();
  if (experiment != "stacked") throw Error("no benchmark of '" + experiment + "'; give cifar10 or stacked");
  NetworkOptions networks = mlp_networks();
  networks.channels = 3;
  return networks;
}

SampleRunOptions sample_options(const std::string& experiment, const std::string& method) {
  // On the shared networks: the public codes of the others have networks or batches of their own.
  const bool authors = method.starts_with("ebm_") || method == "wgan_0gp";
  return {.networks = networks_of(experiment),
          .method = method,
          .preset = authors ? Preset::code : Preset::paper,
          .batch = batch};
}

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
double passes(Method& method, const char* learner) {
  return static_cast<double>(method.learner(learner).network().passes().total()) / static_cast<double>(batch);
}

void iterate(benchmark::State& state, const Bench& bench, const char* experiment, const char* name) {
  const NetworkOptions networks = networks_of(experiment);
  const double energy_pass = flops_of_pass(bench.kernels, energy_layers(networks)),
               generator_pass = flops_of_pass(bench.kernels, generator_layers(networks));
  SampleRun run(bench.kernels, sample_options(experiment, name));
  Method& method = run.method();
  method.initialize();
  method.iterate();
  const double energy = passes(method, "energy"), generator = passes(method, "generator");
  const double flops = energy * energy_pass + generator * generator_pass;
  const double peak = measure_peak(bench.kernels);
  const double seconds =
      time_calls(state, {bench.kernels, peak}, {.flops = flops}, [&] { method.iterate(); });
  state.counters["passes_E"] = energy;
  state.counters["passes_G"] = generator;
  state.counters["GFLOP"] = flops * 1e-9;
  state.counters["floor_ms"] = flops / peak * 1e3;
  state.counters["of_floor"] = seconds * peak / flops;
  if (std::string(name) == "ebm_bb") state.counters["MB"] = memory_of_first_iteration(experiment);
}

}  // namespace

void register_images(const Bench& bench) {
  for (const char* experiment : {"cifar10", "stacked"}) {
    for (const MethodRow& row : methods()) {
      benchmark::RegisterBenchmark(
          (std::string(experiment) + "/" + row.name).c_str(),
          [=, name = row.name](benchmark::State& state) { iterate(state, bench, experiment, name); })
          ->UseManualTime()
          ->MinTime(5)
          ->Unit(benchmark::kMillisecond);
    }
  }
}

void first_iteration_images(Kernels& kernels, const std::string& experiment) {
  SampleRun run(kernels, sample_options(experiment, "ebm_bb"));
  run.method().initialize();
  run.method().iterate();
}

void profile_images(const std::string& device, const std::string& experiment) {
  constexpr int iterations = 3;
  const NetworkOptions networks = networks_of(experiment);
  const auto kernels = open_kernels(device);
  ProfiledKernels profiled(*kernels);
  const auto choice = method_row("ebm_bb").choose(networks.kind, Preset::code);
  const auto data = make_up_data(profiled, networks, choice->training());
  const auto method = choice->make(profiled,
                                   {.energy = [&] { return network_of("E", energy_layers(networks)); },
                                    .generator = [&] { return network_of("G", generator_layers(networks)); }},
                                   *data, nullptr);
  method->initialize();
  method->iterate();
  const double peak = measure_peak(*kernels);
  profiled.forget();
  for (int i = 0; i < iterations; ++i) method->iterate();
  const Buffer<float> number(*kernels, 1);
  std::printf("A launch and a wait take %.1f us here, which are in each range and product below.\n\n",
              1e3 * milliseconds(*kernels, [&] { kernels->zero(number.data(), sizeof(float)); }));
  print_phases(profiled.root(), iterations, peak);
  print_layers(profiled.root(), iterations, peak);
}

}  // namespace ebm::bench
