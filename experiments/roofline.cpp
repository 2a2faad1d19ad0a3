// SPDX-License-Identifier: MIT
// What an iteration on images costs on a GPU at least, by the GPU's ceilings (its floor), and what it will probably
// take, by the rates that kernels reached on an H200 (its forecast). No GPU is needed (docs/performance.md, "A model of
// the time").
//
//   ./experiments/roofline --device-file tests/devices/h100.json
//   ./experiments/roofline --device-file tests/devices/h100.json --gpus 8 --nodes 64    forecasts of many GPUs
#include <fmt/core.h>

#include "io/program.h"
#include "kernels/recorder/time_model.h"
#include "runs/scaling_forecast.h"

namespace {

using namespace ebm;

enum class Choice { all, cifar10, animeface };

constexpr Names<Float32Convolutions, 2> float32_names{
    {{"library", Float32Convolutions::library}, {"tiles", Float32Convolutions::tiles}}};

struct Config {
  std::string device_file;
  Choice experiment = Choice::all;
  SampleRunOptions run;
  Float32Convolutions float32 = Float32Convolutions::library;
  double launch_microseconds = 1;
  int64_t dearest = 10;
  int64_t gpus = 1, nodes = 1;
  // Of NCCL's own model of a ring in its protocol LL128 (src/graph/tuning.cc).
  double call_microseconds = 10, hop_microseconds = 1.9, network_hop_microseconds = 4;
  double network_gigabits = 400;
};

Options declare_options(Config& config) {
  Options options("roofline",
                  "Prints what an iteration of an experiment on images costs on a GPU: FLOP, bytes and "
                  "launches of each phase, "
                  "the least time that the GPU's ceilings allow, and a forecast by measured rates.");
  options.add("device_file", &config.device_file, "JSON with the GPU's peaks (tests/devices)");
  options.add_choice("experiment", &config.experiment,
                     {{"all", Choice::all}, {"cifar10", Choice::cifar10}, {"animeface", Choice::animeface}},
                     "whose iteration");
  options.add_choice("method", &config.run.method, method_choices(NetworkKind::dcgan), "of training");
  options.add_choice("preset", &config.run.preset, choices(preset_names), "of the method's constants");
  options.add("batch", &config.run.batch, "images of an iteration; 0: the experiment's", {0, 1 << 20});
  options.add_choice("precision", &config.run.precision, choices(precision_names), "of training");
  options.add_choice("jacobian", &config.run.jacobian, choices(jacobian_names), "of the bounds");
  options.add_choice("float32_convolutions", &config.float32, choices(float32_names),
                     "who computes those of fp32, in the forecast");
  options.add("launch_microseconds", &config.launch_microseconds,
              "of each launch of a graph, assumed in the floor", {0, 1e6});
  options.add("dearest", &config.dearest, "kinds of launches that are listed", {0, 1000});
  options.group(
      "Several GPUs, a process each: forecasts for a node of 1, 2, ... GPUs, then for 2, 4, ... nodes");
  options.add("gpus", &config.gpus, "of a node, at most", {1, 1024});
  options.add("nodes", &config.nodes, "at most", {1, 65536});
  options.add("network_gigabits", &config.network_gigabits, "a second from a node to others, each way",
              positive);
  options.add("call_microseconds", &config.call_microseconds, "of each collective call, assumed", {0, 1e6});
  options.add("hop_microseconds", &config.hop_microseconds, "from a GPU to one of its node, assumed",
              {0, 1e6});
  options.add("network_hop_microseconds", &config.network_hop_microseconds, "from node to node, assumed",
              {0, 1e6});
  return options;
}

/// What Table 5 of the paper says of training on a 12 GB Titan.
struct PaperRun {
  Choice experiment;
  const char* method;
  double hours, iterations;
};
constexpr PaperRun paper_runs[] = {
    {Choice::cifar10, "wgan_0gp", 4, 100000},   {Choice::cifar10, "ebm_0gp", 15, 200000},
    {Choice::cifar10, "ebm_bb", 20, 200000},    {Choice::animeface, "wgan_0gp", 13, 100000},
    {Choice::animeface, "ebm_0gp", 38, 100000}, {Choice::animeface, "ebm_bb", 40, 100000}};

double percent(double part, double whole) {
  return whole > 0 ? 100 * part / whole : 0;
}

void print_cost(const ModelledCost& cost, const ModelledCost* forecast) {
  const PhaseCounts& counts = cost.counts;
  print(fmt::format("  {:<30} {:>8} {:>9.2f} {:>9.1f} {:>9.1f} {:>8.3f} {:>6.0f} %{}\n", counts.phase,
                    counts.launches, counts.flop * 1e-9, static_cast<double>(counts.bytes_read) * 1e-6,
                    static_cast<double>(counts.bytes_written) * 1e-6, cost.seconds * 1e3,
                    percent(cost.product_seconds, cost.seconds),
                    forecast == nullptr ? "" : fmt::format(" {:>9.3f}", forecast->seconds * 1e3)));
}

ModelledCost sum_of(const TimeModel& model, const std::vector<Launch>& launches) {
  ModelledCost all;
  for (const Launch& launch : launches) all.add(model, launch);
  all.counts.phase = "all, one after another";
  return all;
}

/// Each phase, and all, by the floor and, where the device says enough, by the forecast.
void print_phases(const TimeModel& floor, const TimeModel& forecast, const std::vector<Launch>& launches) {
  const bool both = forecast.forecast.has_value();
  print(fmt::format("  {:<30} {:>8} {:>9} {:>9} {:>9} {:>8} {:>8}{}\n", "phase", "launches", "GFLOP",
                    "MB read", "MB writ.", "ms least", "products",
                    both ? fmt::format(" {:>9}", "forecast") : ""));
  const std::vector<ModelledCost> least = cost_by_phase(floor, launches),
                                  likely = cost_by_phase(forecast, launches);
  for (size_t i = 0; i < least.size(); ++i) print_cost(least[i], both ? &likely[i] : nullptr);
  const ModelledCost likely_sum = sum_of(forecast, launches);
  print_cost(sum_of(floor, launches), both ? &likely_sum : nullptr);
  print(fmt::format("  the iteration, branches side by side: {:.3f} ms", 1e3 * floor.seconds(launches)));
  print(both ? fmt::format(" at least; forecast {:.2f} ms\n", 1e3 * forecast.seconds(launches)) : "\n");
}

constexpr double worth = 0.05;  // of an iteration's time: what compression must save

/// A line of the forecasts: the same batch for each GPU, and one batch divided. Whether compression is worth it.
bool print_forecast(const TimeModel& model, const SampleRunOptions& options, const ScalingForecast& one) {
  const int64_t gpus = model.links.ranks();
  SampleRunOptions weak = options, compressed = options, strong = options;
  weak.batch = compressed.batch = one.batch * gpus;
  strong.batch = one.batch;
  compressed.gradient_travel = Type::bfloat16;
  const ScalingForecast same = forecast_scaling(model, weak), half = forecast_scaling(model, compressed);
  std::string line =
      fmt::format("  {:>5} x {:<4} {:>7.1f} {:>8.3f} {:>8.3f} {:>8.3f} {:>9.0f} {:>5.0f} % {:>9.3f}",
                  model.links.nodes, model.links.gpus, static_cast<double>(same.ranks.gathered_bytes) * 1e-3,
                  1e3 * same.ranks.seconds, 1e3 * same.ranks.exposed_seconds, 1e3 * same.seconds,
                  same.images_per_second(), percent(one.seconds, same.seconds), 1e3 * half.seconds);
  if (can_share(one.batch, gpus)) {
    const ScalingForecast divided = forecast_scaling(model, strong);
    line += fmt::format(" {:>7} {:>8.3f} {:>9.0f} {:>5.0f} %", divided.batch_of_gpu, 1e3 * divided.seconds,
                        divided.images_per_second(),
                        percent(one.seconds, divided.seconds * static_cast<double>(gpus)));
  }
  print(line + "\n");
  return half.seconds <= (1 - worth) * same.seconds;
}

void print_forecasts(const Config& config, TimeModel model, const SampleRunOptions& options) {
  const ScalingForecast one = forecast_scaling(model, options);
  model.links.gpus = 2;
  const RankCost two = forecast_scaling(model, options).ranks;
  print(
      fmt::format("  gradients and statistics of {:.1f} MB are summed in {} calls, {} arrays of a few "
                  "numbers a sample gathered\n",
                  static_cast<double>(two.summed_bytes) * 1e-6, two.sums, two.gathers));
  print(fmt::format("  {:<12} {:>7} {:>8} {:>8} {:>8} {:>9} {:>7} {:>9} | batch divided\n", "nodes x GPUs",
                    "kB gath.", "ms comm.", "exposed", "ms iter.", "images/s", "effic.", "bfloat16"));
  std::string where;
  const auto line = [&](int64_t nodes, int64_t gpus) {
    model.links.nodes = nodes;
    model.links.gpus = gpus;
    if (print_forecast(model, options, one)) where += fmt::format(" {} x {},", nodes, gpus);
  };
  for (int64_t gpus = 1; gpus < config.gpus; gpus *= 2) line(1, gpus);
  for (int64_t nodes = 1; nodes <= config.nodes; nodes *= 2) line(nodes, config.gpus);
  if (!where.empty()) where.back() = '\n';
  print(where.empty() ? "  --gradient-compression bfloat16 saves less than 5 % everywhere: leave it out\n"
                      : "  --gradient-compression bfloat16 saves 5 % or more of an iteration on" + where);
}

void print_experiment(const Config& config, const TimeModel& model, Choice experiment) {
  SampleRunOptions options = config.run;
  options.networks = experiment == Choice::cifar10 ? dcgan_networks() : resnet_networks();
  const char* program = experiment == Choice::cifar10 ? "cifar10_bb" : "animeface_bb";
  const auto recorder = make_recorder();
  SampleRun sample(*recorder, options);
  const std::vector<Launch> launches = recorder->record([&] { sample.method().iterate(); });

  print(fmt::format("\n{}, {}, batch {}, {}, Jacobian {}\n", program, options.method,
                    sample.method().training().batch, name_of(options.precision, precision_names),
                    name_of(options.jacobian, jacobian_names)));
  TimeModel likely = model;
  if (model.device.describes_processors()) likely.forecast = Forecast{.float32 = config.float32};
  print_phases(model, likely, launches);
  for (const PaperRun& run : paper_runs) {
    if (run.experiment == experiment && options.method == run.method)
      print(
          fmt::format("  the paper's run on a 12 GB Titan: {:.0f} h for {:.0f} iterations, {:.0f} ms each\n",
                      run.hours, run.iterations, run.hours * 3600e3 / run.iterations));
  }
  const std::vector<ModelledCost> kinds = cost_by_kind(likely, launches);
  for (size_t i = 0; i < std::min(kinds.size(), static_cast<size_t>(config.dearest)); ++i) {
    print(fmt::format("  {:>6.3f} ms in {} x {}\n", kinds[i].seconds * 1e3, kinds[i].counts.launches,
                      kinds[i].counts.phase));
  }
  if (config.gpus * config.nodes > 1) print_forecasts(config, model, options);
}

TimeModel model_of(const Config& config) {
  const DeviceCeilings device = read_device_file(config.device_file);
  if (config.gpus > 1 && device.link_bandwidth == 0)
    throw Error(config.device_file +
                " has no \"linkBytesPerSecond\" from GPU to GPU; add it from the GPU's data sheet");
  return {.device = device,
          .launch_seconds = config.launch_microseconds * 1e-6,
          .links = {.inside = {device.link_bandwidth, config.hop_microseconds * 1e-6},
                    .between = {config.network_gigabits * 1e9 / 8, config.network_hop_microseconds * 1e-6},
                    .call_seconds = config.call_microseconds * 1e-6}};
}

int roofline(int argc, char** argv) {
  Config config;
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  if (config.device_file.empty()) throw UsageError("no --device-file; give one of tests/devices");
  const TimeModel model = model_of(config);
  const DeviceCeilings& device = model.device;
  print(fmt::format("{}: {:.1f} TFLOP/s in float32, {:.1f} in TF32, {:.0f} GB/s; {} us a launch\n",
                    device.name, device.fp32_flops * 1e-12, device.tf32_flops * 1e-12,
                    device.memory_bandwidth * 1e-9, config.launch_microseconds));
  for (const Choice experiment : {Choice::cifar10, Choice::animeface}) {
    if (config.experiment == Choice::all || config.experiment == experiment)
      print_experiment(config, model, experiment);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return run_program("roofline", [&] { return roofline(argc, argv); });
}
