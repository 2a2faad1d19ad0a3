// SPDX-License-Identifier: MIT
// make bench, or build/bin/bench --benchmark_filter=toy. EBM_DEVICE=cpu|cuda:N chooses the device. bench
// --profile, or --profile=stacked: where the time of an iteration on CIFAR-10 or StackedMNIST goes.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "bench.h"

namespace ebm::bench {

namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Seconds that `count` calls take, from the first one's start to the last one's end on the device.
double time_some(Kernels& kernels, int count, const std::function<void()>& call) {
  kernels.synchronize();
  const auto start = Clock::now();
  for (int i = 0; i < count; ++i) call();
  kernels.synchronize();
  return seconds_since(start);
}

std::string device_name() {
  const char* name = std::getenv("EBM_DEVICE");
  return name != nullptr && *name != '\0' ? name : "auto";
}

/// The most memory that this process has had, in MB.
double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    double kilobytes = 0;
    if (word == "VmHWM:" && status >> kilobytes) return kilobytes / 1024;
  }
  throw Error("/proc/self/status has no VmHWM");
}

/// Prints the peak memory of a process that does one iteration.
void first_iteration(const std::string& name) {
  const auto kernels = open_kernels(device_name());
  name == "toy" ? first_iteration_toy(*kernels) : first_iteration_images(*kernels, name);
  kernels->synchronize();
  std::printf("%.1f\n", peak_megabytes());
}

int run(int argc, char** argv) {
  const std::string option = argc == 2 ? argv[1] : "";
  if (option.starts_with(first_iteration_option)) {
    first_iteration(option.substr(std::string(first_iteration_option).size()));
    return 0;
  }
  if (option.starts_with(profile_option)) {
    const size_t equals = option.find('=');
    profile_images(device_name(), equals == std::string::npos ? "cifar10" : option.substr(equals + 1));
    return 0;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  const auto kernels = open_kernels(device_name());
  kernels->tune_convolutions(
      {.name = {}, .text = {}, .keep = [](const std::string&) {}});  // as training does
  const Bench bench{*kernels, measure_peak(*kernels)};
  benchmark::AddCustomContext("device", kernels->description());
  benchmark::AddCustomContext("peak GFLOP/s", std::to_string(bench.peak * 1e-9));
  register_toy(bench);
  register_images(bench);
  register_start_up();
  register_lobpcg(bench);
  register_layers(bench);
  register_image_data(bench);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace

double time_calls(benchmark::State& state, const Bench& bench, const Work& work,
                  const std::function<void()>& call) {
  call();  // what is made at the first call is made now
  const auto graph = bench.kernels.capture(call);
  constexpr double long_call = 0.1;  // seconds: the wait does not count beside it
  const int together = time_some(bench.kernels, 1, [&] { graph->launch(); }) > long_call ? 1 : 10;
  double seconds = 0;
  while (state.KeepRunningBatch(together)) {
    const double some = time_some(bench.kernels, together, [&] { graph->launch(); });
    state.SetIterationTime(some);
    seconds += some;
  }
  const double each = seconds / static_cast<double>(state.iterations());
  if (work.flops > 0) {
    state.counters["GFLOP/s"] = work.flops / each * 1e-9;
    state.counters["of_peak"] = work.flops / each / bench.peak;
  }
  if (work.bytes > 0) state.counters["GB/s"] = work.bytes / each * 1e-9;
  return each;
}

double milliseconds(Kernels& kernels, const std::function<void()>& call) {
  std::vector<double> times(11);
  for (double& time : times) time = time_some(kernels, 1, call) * 1e3;
  std::nth_element(times.begin(), times.begin() + 5, times.end());
  return times[5];
}

double measure_peak(Kernels& kernels) {
  const int64_t n = kernels.is_cuda() ? 4096 : 2048;
  const Tensor a(kernels, n, flat(n)), b(kernels, n, flat(n)), c(kernels, n, flat(n));
  const Buffer<uint64_t> iteration(kernels, 1);
  for (const Tensor* factor : {&a, &b}) {  // zeros take less power, and so less time
    kernels.noise(
        {.distribution = Distribution::normal, .seed = 1, .stream = 1, .iteration = iteration.data()},
        *factor);
  }
  double fastest = 1e300;
  for (int i = 0; i < 10; ++i) {
    fastest =
        std::min(fastest, time_some(kernels, 1, [&] {
                   kernels.gemm({.m = n, .n = n, .inner = n, .a = a.data(), .b = b.data(), .c = c.data()});
                 }));
  }
  return 2.0 * static_cast<double>(n * n * n) / fastest;
}

double memory_of_first_iteration(const std::string& name) {
  const std::string self = std::filesystem::read_symlink("/proc/self/exe").string();
  const std::string command = "'" + self + "' " + first_iteration_option + name;
  FILE* child = popen(command.c_str(), "r");
  double megabytes = 0;
  const bool read = child != nullptr && std::fscanf(child, "%lf", &megabytes) == 1;
  if (child == nullptr || pclose(child) != 0 || !read) throw Error(command + " failed");
  return megabytes;
}

}  // namespace ebm::bench

int main(int argc, char** argv) {
  try {
    return ebm::bench::run(argc, argv);
  } catch (const ebm::Error& error) {
    std::fprintf(stderr, "bench: %s\n", error.what());
    return error.exit_status();
  }
}
