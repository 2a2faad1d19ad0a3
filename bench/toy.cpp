// SPDX-License-Identifier: MIT
// The toy experiment: toy/METHOD/PRESET is one iteration at the paper's sizes (Tables 6 and 11), start_up the
// time of a whole process from its start to the end of its first iteration.

#include <chrono>
#include <memory>
#include <string>

#include "bench.h"
#include "data/toy.h"
#include "models/toy.h"
#include "train/method.h"

namespace ebm::bench {

namespace {

constexpr int64_t batch = 200, hidden = 100, latent = 2;

class ToyGame {
 public:
  ToyGame(Kernels& kernels, Method method, Preset preset)
      : energy_(kernels,
                toy_energy(hidden, preset == Preset::code ? OutputScale::learned : OutputScale::none)),
        generator_(kernels, toy_generator(latent, hidden)),
        data_(kernels, ToyDataset::gaussians25, batch, 1, static_cast<uint32_t>(Stream::data)),
        game_(kernels, energy_, generator_, data_, toy_options(method, preset)) {
    game_.initialize();
  }
  Game& game() { return game_; }

 private:
  Network energy_, generator_;
  ToyData data_;
  Game game_;
};

/// Batch-passes of the last iteration: B rows forwards, backwards to the input, or into the weights'
/// gradient.
double passes(Network& network) {
  return static_cast<double>(network.passes().total()) / static_cast<double>(batch);
}

/// Products of one batch-pass through layers 2-100-100-2 (or 1).
double flops_per_pass() {
  return 2.0 * static_cast<double>(batch) * static_cast<double>(hidden * hidden + 4 * hidden);
}

void iterate(benchmark::State& state, const Bench& bench, Method method, Preset preset) {
  ToyGame toy(bench.kernels, method, preset);
  toy.game().iterate();
  const double energy = passes(toy.game().energy()), generator = passes(toy.game().generator());
  time_calls(state, bench, {.flops = (energy + generator) * flops_per_pass()}, [&] { toy.game().iterate(); });
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
  ToyGame(kernels, Method::ebm_bb, Preset::paper).game().iterate();
}

void register_toy(const Bench& bench) {
  for (const auto& [method_name, method] : method_names) {
    for (const auto& [preset_name, preset] : preset_names) {
      benchmark::RegisterBenchmark((std::string("toy/") + method_name + "/" + preset_name).c_str(),
                                   [=, method = method, preset = preset](benchmark::State& state) {
                                     iterate(state, bench, method, preset);
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
