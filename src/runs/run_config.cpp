// SPDX-License-Identifier: MIT
#include "runs/run_config.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "core/launcher.h"
#include "io/atomic_file.h"
#include "kernels/gpu_of_two.h"
#include "kernels/library_search.h"
#include "train/follower.h"

namespace ebm {

namespace {

void add_placement_options(Options& options, RunConfig& config) {
  constexpr Interval<int64_t> count{1, INT64_MAX};
  Schedule& schedule = config.schedule;
  options.group("Where, how long, how often (may change when a run is resumed)");
  options.add("device", &config.device, "auto, cpu, cuda or cuda:N", Scope::placement);
  options.add_folder("out", &config.out, "the run's folder (default: runs/ and a name made of the choices)",
                     Scope::placement);
  options.add("iterations", &schedule.iterations, "of the whole run", count, Scope::placement);
  options.add("log_every", &schedule.log_every, "iterations between rows of run.h5", count, Scope::placement);
  options.add("checkpoint_every", &schedule.checkpoint_every, "iterations between checkpoints", count,
              Scope::placement);
  options.add("keep_checkpoints", &schedule.keep_checkpoints, "the newest that are kept", {1, 1000000},
              Scope::placement);
  options.add("eval_every", &schedule.eval_every, "iterations between evaluations with a picture", count,
              Scope::placement);
  options.add("dump_iteration", &schedule.dump_iteration,
              "writes all of this iteration to OUT/iteration-N.h5; 0: none", {0, INT64_MAX},
              Scope::placement);
}

/// What an earlier start left in the file; nothing if that cannot be read.
std::string text_in(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) return {};
  try {
    const std::vector<uint8_t> bytes = read_file(path);
    return {bytes.begin(), bytes.end()};
  } catch (const Error& error) {
    std::fprintf(stderr, "note: %s; what it held is measured again\n", error.what());
    return {};
  }
}

/// Has the fastest convolutions measured, once for a folder: a run that goes on takes those that lie in `path`. `keep`
/// is given what is to lie there.
void tune_convolutions(Kernels& kernels, const std::filesystem::path& path,
                       std::function<void(const std::string&)> keep) {
  kernels.tune_convolutions({.name = path.string(), .text = text_in(path), .keep = std::move(keep)});
}

void add_method_options(Options& options, RunConfig& config) {
  options.group("What is trained");
  options.add_choice("method", &config.method, method_choices(config.networks),
                     "which method; --help with one shows its options and defaults");
  options.add_choice("preset", &config.preset, choices(preset_names),
                     "the constants of the paper's text and Table 11, of the method's public code, or those "
                     "that train best here");
}

}  // namespace

void choose_method(RunConfig& config, NetworkKind networks, const std::string& program,
                   const std::function<void(Options&)>& peek) {
  config.networks = networks;
  Options options(program, "");
  add_method_options(options, config);
  peek(options);
  config.choice = method_row(config.method).choose(networks, config.preset);
}

NetworkOptions adapted(NetworkOptions networks, const RunConfig& config) {
  config.choice->adapt(networks);
  return networks;
}

int64_t usual_width(const RunConfig& config, NetworkOptions networks) {
  config.choice->suggest(networks);
  return usual_width(adapted(networks, config));
}

void require_full_rank(const Layer& generator, const MethodChoice& choice, const WidthOptions& names) {
  if (!choice.bounds_entropy()) return;
  const int64_t d = generator.input().size();
  const Narrowest least = generator.narrowest({});
  if (d <= least.size) return;
  const std::string size = std::to_string(least.size);
  std::string remedy = names.latent.empty() ? "" : names.latent + " of at most " + size;
  if (least.size < generator.output().size())
    remedy += (remedy.empty() ? "" : ", or ") + std::string("a larger ") + names.width;
  throw UsageError("the entropy of this generator has no lower bound: z has d = " + std::to_string(d) +
                   " dimensions, but only " + size + " pass its narrowest layer, " + least.where +
                   ", so that its Jacobian's smallest singular value is 0; give " + remedy);
}

namespace {

/// What the run in the folder of this name began with, if there is one.
std::optional<int64_t> first_horizon(const std::string& folder) {
  const auto newest = newest_checkpoint(folder);
  if (!newest) return std::nullopt;
  const std::string text = read_checkpoint_info(*newest).config;
  int64_t horizon = 0;
  Options options(Options::program_of(text), "");
  options.add("lr_horizon", &horizon, "");
  options.peek_config_text(text, newest->string());
  if (horizon == 0) return std::nullopt;
  return horizon;
}

/// But a run that began with such an option goes on.
void refuse_idle_options(const Options& options, const RunConfig& config,
                         const std::vector<IdleOption>& list) {
  for (const IdleOption& idle : list) {
    if (!options.is_changed(idle.name) || newest_checkpoint(config.out)) continue;
    throw UsageError("--" + with_dashes(idle.name) + " has no use with " + idle.with + "; leave it out");
  }
}

}  // namespace

void add_run_options(Options& options, RunConfig& config) {
  options.add_version_details(describe_cuda_half);
  options.chosen_by("--method " + config.method);
  add_method_options(options, config);
  declare_training(options, config.training());
  options.add("deterministic", &config.deterministic,
              "the same bits each time on a GPU too: no choice of convolutions by their speed");
  config.choice->declare(options);
  declare_optimiser(options, config.training());
  add_placement_options(options, config);
}

void resolve_run_defaults(const Options& options, RunConfig& config, std::vector<IdleOption> idle) {
  RateSchedule& schedule = config.training().optimiser.schedule;
  config.choice->check();
  const std::vector<IdleOption> of_method = config.choice->idle_options();
  idle.insert(idle.end(), of_method.begin(), of_method.end());
  if (count_of(config.training().optimiser.ranks) == 1)
    idle.push_back({"gradient_compression", "one process"});
  refuse_idle_options(options, config, idle);
  if (schedule.kind != RateSchedule::Kind::constant && schedule.horizon == 0)
    schedule.horizon = first_horizon(config.out).value_or(config.schedule.iterations);
  if (schedule.kind == RateSchedule::Kind::constant && schedule.horizon > 0)
    throw UsageError(
        "--lr-horizon has no use with --lr-schedule constant; give linear or cosine, or --lr-horizon 0");
}

std::optional<CheckpointInfo> resume_point(const RunFolder& folder, const Options& options) {
  const auto newest = newest_checkpoint(folder.path());
  if (!newest) return std::nullopt;
  CheckpointInfo info = read_checkpoint_info(*newest);
  std::string differing;
  for (const std::string& line : options.differences(info.config)) {
    differing += (differing.empty() ? "" : "; ") + line;
  }
  if (!differing.empty()) {
    throw Error(folder.path().string() + " holds another run (" + differing +
                "); give the same options, or another --out");
  }
  return info;
}

namespace {

RunDevice open_device_of_ranks(const std::string& name, HostRanks& hosts) {
  RunDevice device{.kernels = name == "cuda" ? open_gpu_of_place(launcher().local_rank.value_or(0))
                                             : open_kernels(name)};
  device.ranks = device.kernels->meet(hosts);
  return device;
}

/// A GPU for each process; without kernels, on all, where one of them can not have one: then `reason` says why, as far
/// as this process knows.
RunDevice open_gpus_of_ranks(HostRanks& hosts, std::string& reason) {
  reason = why_no_ranks_on_gpus();
  if (hosts.max(reason.empty() ? 0 : 1) != 0) return {};
  RunDevice device;
  try {
    device.kernels = open_gpu_of_place(launcher().local_rank.value_or(0));
  } catch (const Error& error) {
    reason = error.what();
  }
  if (hosts.max(reason.empty() ? 0 : 1) != 0) return {};
  try {
    device.ranks = device.kernels->meet(hosts);
  } catch (const GpuOfTwo& error) {
    reason = error.what();
    return {};
  }
  return device;
}

/// What several processes make of `auto`, all the same.
RunDevice open_auto_of_ranks(HostRanks& hosts) {
  std::string reason;
  RunDevice gpus = open_gpus_of_ranks(hosts, reason);
  if (gpus.kernels != nullptr) return gpus;
  if (hosts.rank() == 0 && gpu_answers()) {  // the user would wonder why it idles
    std::fprintf(stderr, "note: the GPUs are not used: %s\n",
                 reason.empty() ? "another process can have none, or no NCCL" : reason.c_str());
  }
  return open_device_of_ranks("cpu", hosts);
}

}  // namespace

RunDevice open_run_device(RunConfig& run) {
  if (count_of(run.hosts) == 1) return {.kernels = open_kernels(run.device)};
  RunDevice device =
      run.device == "auto" ? open_auto_of_ranks(*run.hosts) : open_device_of_ranks(run.device, *run.hosts);
  if (device.ranks != nullptr) run.training().optimiser.ranks = device.ranks.get();
  return device;
}

bool follows(const RunConfig& run) {
  const Communicator* const ranks = run.training().optimiser.ranks;
  return ranks != nullptr && ranks->rank() > 0;
}

std::vector<NameValue> run_environment(int argc, const char* const* argv, const Kernels& kernels,
                                       const Communicator* ranks) {
  std::vector<NameValue> all = environment(argc, argv, kernels.host_threads());
  all.push_back({"device", kernels.description()});
  std::string files;
  for (const std::string& file : opened_cuda_libraries()) files += (files.empty() ? "" : ", ") + file;
  all.push_back({"gpu_libraries", kernels.is_cuda() ? files : "none"});
  if (count_of(ranks) > 1) all.push_back({"processes", std::to_string(ranks->size())});
  return all;
}

RunEnd follow_run(Method& method, const RunConfig& run) {
  const auto keep_nothing = [](const std::string&) {};  // rank 0 does
  if (!run.deterministic)
    tune_convolutions(method.kernels(), RunFolder::convolution_plans(run.out), keep_nothing);
  return follow(method, run.schedule);
}

RunEnd run_training(Method& method, Evaluation& evaluation, const RunFolder& folder, const std::string& name,
                    const RunConfig& run, const Options& options, const std::vector<NameValue>& environment,
                    const std::optional<CheckpointInfo>& resumed) {
  if (!run.deterministic) {
    const std::filesystem::path plans = folder.convolution_plans();
    tune_convolutions(method.kernels(), plans, [plans](const std::string& text) { write_file(plans, text); });
  }
  if (!resumed) method.initialize();
  Trainer trainer(method, evaluation, folder,
                  {.name = name,
                   .config = options.to_toml(),
                   .environment = environment,
                   .options = options.run_values()},
                  run.schedule, resumed);
  const bool complete = resumed && resumed->iteration >= run.schedule.iterations;
  if (resumed) {
    std::printf("%s %s iteration %s\n", run.out.c_str(), complete ? "is complete at" : "goes on from",
                format_count(resumed->iteration).c_str());
    std::fflush(stdout);
  }
  const RunEnd end = trainer.run();
  if (complete) evaluation.evaluate(end.iteration);
  return end;
}

int report_stop(const StopRequest::Stop& stop, int64_t iteration) {
  std::printf("stopped by %s at iteration %s; the same command goes on from there\n", stop.name.c_str(),
              format_count(iteration).c_str());
  return stop.exit_status();
}

}  // namespace ebm
