// SPDX-License-Identifier: MIT
#include "runs/run_config.h"

#include <cstdio>
#include <utility>
#include <vector>

#include "io/atomic_file.h"
#include "kernels/library_search.h"

namespace ebm {

namespace {

/// The list of `names`, as Options takes it.
template <class Choice, size_t N>
std::vector<std::pair<std::string, Choice>> choices(const Names<Choice, N>& names) {
  return {names.begin(), names.end()};
}

std::vector<std::pair<std::string, std::optional<LowerBoundKind>>> lower_bound_choices() {
  std::vector<std::pair<std::string, std::optional<LowerBoundKind>>> list{{"none", std::nullopt}};
  for (const auto& [name, kind] : lower_bound_names) list.emplace_back(name, kind);
  return list;
}

constexpr Interval<double> beta_range{0, 0.999999};

void add_bound_options(Options& options, RunConfig& config) {
  GameOptions& game = config.game;
  options.group("Bounds (defaults depend on --method and --preset)");
  options.add_choice("lower_bound", &config.lower_bound, lower_bound_choices(),
                     "of the generator's entropy (eq. 9, 10)");
  options.add("lobpcg_iterations", &config.lower.lobpcg_iterations, "steps of LOBPCG", {0, 10000});
  options.add_choice("lobpcg_direction", &config.lower.direction, choices(direction_names),
                     "LOBPCG's third basis vector: its own, or that of the authors' code");
  options.add("slq_pairs", &config.lower.lanczos_pairs, "Lanczos steps of --lower-bound slq",
              {1, most_lanczos_pairs});
  options.add_choice("preconditioner", &config.lower.preconditioning, choices(preconditioning_names),
                     "of LOBPCG and Lanczos");
  options.add_choice("upper_bound", &game.upper.kind, choices(upper_bound_names),
                     "what the energy minimises (eq. 15), or a zero-centred gradient penalty");
  options.add("penalty_weight", &game.upper.weight, "its weight", not_negative);
  options.add_choice("penalty_normaliser", &game.upper.normaliser, choices(normaliser_names),
                     "divides each squared residual: nothing, d, ||v0|| or ||v0||^2");
  options.add("hinge", &game.upper.hinge, "zeta of eq. 20", any_number);
  options.add_choice("penalty_backward", &game.upper.backward, choices(pair_backward_names),
                     "one backward signal for E and E' where E allows it, or separate ones");
  options.add("entropy_weight", &game.entropy_weight, "of the entropy in the generator's loss", not_negative);
  options.add_choice("entropy_z", &game.entropy_points, choices(entropy_points_names),
                     "whose latent points the generator's entropy term uses");
}

void add_optimiser_options(Options& options, RunConfig& config) {
  GameOptions& game = config.game;
  options.group("Optimiser (defaults depend on --preset)");
  options.add("lr_energy", &game.lr_energy, "Adam's rate for the energy", not_negative);
  options.add("lr_generator", &game.lr_generator, "Adam's rate for the generator", not_negative);
  options.add("adam_beta1", &game.adam.beta1, "decay of the mean gradient", beta_range);
  options.add("adam_beta2", &game.adam.beta2, "decay of the mean squared gradient", beta_range);
  options.add("adam_epsilon", &game.adam.epsilon, "added to the root of the mean square", positive);
}

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

/// Has the fastest convolutions measured, once for a folder: a run that goes on takes the same.
void tune_convolutions(Kernels& kernels, const RunFolder& folder) {
  const std::filesystem::path path = folder.convolution_plans();
  kernels.tune_convolutions({.name = path.string(),
                             .text = text_in(path),
                             .keep = [path](const std::string& text) { write_file(path, text); }});
}

}  // namespace

GameOptions RunConfig::game_options() const {
  GameOptions options = game;
  options.seed = static_cast<uint64_t>(seed);
  options.lower.reset();
  if (lower_bound) {
    options.lower = lower;
    options.lower->kind = *lower_bound;
  }
  return options;
}

void require_full_rank(const Layer& generator, const GameOptions& options, const WidthOptions& names) {
  if (!options.lower) return;
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

void add_run_options(Options& options, RunConfig& config) {
  options.add_version_details(describe_cuda_half);
  options.group("What is trained");
  options.add_choice("method", &config.method, choices(method_names),
                     "bidirectional bounds, or entropy and gradient penalty, or penalty alone");
  options.add_choice("preset", &config.preset, choices(preset_names),
                     "the constants of the paper's text and Table 11, or of the authors' code");
  options.add("batch", &config.game.batch, "samples per iteration, B", {2, 1 << 20});
  options.add("seed", &config.seed, "of all random numbers", {0, INT64_MAX});
  options.add_choice(
      "precision", &config.game.precision, choices(precision_names),
      "tf32: products and convolutions on a GPU; bf16: activations too, on any device; the bounds' "
      "Jacobian and the parameters are always fp32");
  options.add("deterministic", &config.deterministic,
              "the same bits each time on a GPU too: no choice of convolutions by their speed");
  add_bound_options(options, config);
  add_optimiser_options(options, config);
  add_placement_options(options, config);
}

void set_game_defaults(Options& options, const GameOptions& defaults) {
  const LowerBoundOptions lower = defaults.lower.value_or(LowerBoundOptions{});
  const UpperBoundOptions& upper = defaults.upper;
  options.set_default("batch", defaults.batch);
  options.set_default("lower_bound", defaults.lower ? name_of(lower.kind, lower_bound_names) : "none");
  options.set_default("lobpcg_iterations", lower.lobpcg_iterations);
  options.set_default("lobpcg_direction", name_of(lower.direction, direction_names));
  options.set_default("upper_bound", name_of(upper.kind, upper_bound_names));
  options.set_default("penalty_weight", upper.weight);
  options.set_default("penalty_normaliser", name_of(upper.normaliser, normaliser_names));
  options.set_default("hinge", upper.hinge);
  options.set_default("entropy_weight", defaults.entropy_weight);
  options.set_default("entropy_z", name_of(defaults.entropy_points, entropy_points_names));
  options.set_default("lr_energy", defaults.lr_energy);
  options.set_default("lr_generator", defaults.lr_generator);
  options.set_default("adam_beta1", defaults.adam.beta1);
  options.set_default("adam_beta2", defaults.adam.beta2);
  options.set_default("adam_epsilon", defaults.adam.epsilon);
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

std::vector<NameValue> run_environment(int argc, const char* const* argv, const Kernels& kernels) {
  std::vector<NameValue> all = environment(argc, argv, kernels.host_threads());
  all.push_back({"device", kernels.description()});
  std::string files;
  for (const std::string& file : opened_cuda_libraries()) files += (files.empty() ? "" : ", ") + file;
  all.push_back({"gpu_libraries", kernels.is_cuda() ? files : "none"});
  return all;
}

RunEnd run_training(Game& game, Evaluation& evaluation, const RunFolder& folder, const std::string& name,
                    const RunConfig& run, const Options& options, const std::vector<NameValue>& environment,
                    const std::optional<CheckpointInfo>& resumed) {
  if (!run.deterministic) tune_convolutions(game.kernels(), folder);
  if (!resumed) game.initialize();
  Trainer trainer(game, evaluation, folder,
                  {.name = name,
                   .config = options.to_toml(),
                   .environment = environment,
                   .method = run.method,
                   .preset = run.preset},
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
