// SPDX-License-Identifier: MIT
// The toy experiment: toy/METHOD/PRESET is one iteration at the paper's sizes (Tables 6 and 11), start_up the
// time of a whole process from its start to the end of its first iteration.

#include <chrono>
#include <memory>
#include <string>

#include "bench.h"
#include "runs/sample_run.h"

namespace ebm::bench {

namespace {

constexpr int64_t batch = 200, hidden = 100;

/// Batch-passes of the last iteration: B rows forwards, backwards to the input, or into the weights'
/// gradient.
double passes(Method& method, const char* learner) {
  return static_cast<double>(method.learner(learner).network().passes().total()) / static_cast<double>(batch);
}

/// Products of one batch-pass through layers 2-100-100-2 (or 1).
double flops_per_pass() {
  return 2.0 * static_cast<double>(batch) * static_cast<double>(hidden * hidden + 4 * hidden);
}

void iterate(benchmark::State& state, const Bench& bench, const char* name, Preset preset) {
  SampleRun toy(bench.kernels, {.networks = toy_networks(), .method = name, .preset = preset});
  Method& method = toy.method();
  method.initialize();
  method.iterate();
  const double energy = passes(method, "energy"), generator = passes(method, "generator");
  time_calls(state, bench, {.flops = (energy + generator) * flops_per_pass()}, [&] { method.iterate(); });
  state.counters["passes_E"] = energy;
  state.counters["passes_G"] = generator;
}

void start_up(benchmark::State& state) {
  double megabytes = 0;
  for (auto _ : state) {
    const auto start = std::chrono::steady_clock::now();
    megabytes = memory_of_first_iteration("toy");
    state.SetIterationTime(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  state.counters["MB"] = megabytes;
}

}  // namespace

void first_iteration_toy(Kernels& kernels) {
  SampleRun toy(kernels, {.networks = toy_networks()});
  toy.method().initialize();
  toy.method().iterate();
}

void register_toy(const Bench& bench) {
  for (const MethodRow& row : methods()) {
    for (const auto& [preset_name, preset] : preset_names) {
      benchmark::RegisterBenchmark((std::string("toy/") + row.name + "/" + preset_name).c_str(),
                                   [=, name = row.name, preset = preset](benchmark::State& state) {
                                     iterate(state, bench, name, preset);
                                   })
          ->UseManualTime()
          ->Unit(benchmark::kMillisecond);
    }
  }
}

void register_start_up() {
  benchmark::RegisterBenchmark("start_up", start_up)->UseManualTime()->Unit(benchmark::kMillisecond);
}

}  // namespace ebm::bench
