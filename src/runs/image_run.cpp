// SPDX-License-Identifier: MIT
#include "runs/image_run.h"

#include <cstdio>
#include <optional>

#include "evaluate/image_evaluation.h"
#include "io/program.h"
#include "kernels/formulas/shapes.h"
#include "kernels/library_search.h"
#include "methods/ebm_bb.h"
#include "runs/data.h"
#include "runs/data_files.h"
#include "runs/job.h"
#include "train/follower.h"

namespace ebm {

namespace {

/// The files of a run, open. Neither is there for made up images.
struct ImageFiles {
  std::optional<ImageFile> train, held_out;
};

/// The default file may be missing, one that was asked for must be there: its energies would be NaN without a
/// word. Where there is none, the configuration says so, as a user may: with an empty name.
std::optional<ImageFile> open_held_out(Options& options, const ImageConfig& config) {
  std::error_code ignored;
  const bool there = std::filesystem::exists(config.held_out, ignored);
  if (!there && !options.was_given("held_out")) options.set_default("held_out", "");
  if (config.held_out.empty()) return std::nullopt;
  if (!there) {
    throw Error("there is no '" + config.held_out +
                "' to measure held-out energies of; give another --held-out, or --held-out '' for none");
  }
  return std::optional<ImageFile>(std::in_place, config.held_out);
}

/// Gets the default file, once for all processes.
void provide_data(const Options& options, const ImageConfig& config) {
  if (!config.download || options.was_given("data")) return;
  if (!follows(config.run)) provide_image_file(config.data);
  meet_ranks(config.run.training().optimiser.ranks);
}

ImageFiles open_files(Options& options, ImageConfig& config, const Features& shape) {
  ImageFiles files;
  if (config.synthetic) {
    if (config.data_checksum != shapes_checksum)
      throw Error("the images of --synthetic are " + std::string(shapes_checksum) + ", not " +
                  config.data_checksum + "; give no --data-checksum");
    return files;
  }
  provide_data(options, config);
  try {
    files.train.emplace(config.data);
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; or train on made up images with --synthetic");
  }
  const DatasetInfo& info = files.train->info();
  if (!(info.shape == shape)) {
    throw Error(config.data + " has images of " + to_string(info.shape) + ", these networks are for " +
                to_string(shape) + "; give another --data");
  }
  const std::string& checksum = files.train->checksum();
  options.set_default("data_checksum", checksum);
  if (config.data_checksum != checksum) {
    throw Error(config.data + " holds images with the checksum " + checksum + ", not " +
                config.data_checksum + "; give the same images, or no --data-checksum");
  }
  files.held_out = open_held_out(options, config);
  return files;
}

/// Estimates as the method's own bound makes them, if it has one.
std::optional<EntropyEstimateOptions> estimates_of(const ImageConfig& config, const Method& method) {
  if (config.entropy_points == 0) return std::nullopt;
  EntropyEstimateOptions estimates{.points = config.entropy_points,
                                   .seed = static_cast<uint64_t>(config.run.training().seed)};
  const auto* trained = dynamic_cast<const EbmBb*>(&method);
  if (trained != nullptr && trained->options().lower) {
    estimates.lobpcg_iterations = trained->options().lower->lobpcg_iterations;
    estimates.direction = trained->options().lower->direction;
    estimates.lanczos_pairs = trained->options().lower->lanczos_pairs;
  }
  return estimates;
}

void check_networks(const ImageConfig& config) {
  require_full_rank(*generator_layers(config.image_networks()), *config.run.choice,
                    {.latent = "--latent", .width = "--width"});
}

/// As the run would have it. Files that it would have to get first are not asked.
void print_config(Options& options, ImageConfig& config) {
  check_networks(config);
  std::error_code ignored;
  const bool would_get = config.download && !options.was_given("data");
  if (!would_get || std::filesystem::exists(config.data, ignored))
    open_files(options, config, data_shape(config.image_networks()));
  print(options.to_toml());
}

void say_shapes(const ShapeCoverage& found, int64_t channels) {
  std::printf("shapes: %s of %s modes, KL %.3f nats from uniform, %.0f %% of samples near a mode\n",
              format_count(found.modes).c_str(), format_count(shape_modes(channels)).c_str(), found.kl,
              100 * found.high_quality);
}

int run(const ImageExperiment& experiment, int argc, const char* const* argv, HostRanks* ranks) {
  ImageConfig config;
  choose_method(config.run, experiment.networks.kind, experiment.program,
                [&](Options& first) { first.peek(argc, argv); });
  config.run.take(ranks);
  Options options = declare_image_options(config, experiment);
  options.offer_print_config();
  if (!options.parse(argc, argv)) return 0;
  resolve_image_defaults(options, config, experiment);
  if (options.asked_to_print_config()) {
    print_config(options, config);
    return 0;
  }
  const RunEnd end = run_images(config, options, argc, argv);
  if (end.stop) return report_stop(*end.stop, end.iteration);
  const std::string& out = config.run.out;
  std::printf("done: %s iterations; samples %s/samples.png, metrics %s/run.h5\n",
              format_count(end.iteration).c_str(), out.c_str(), out.c_str());
  return 0;
}

}  // namespace

RunEnd run_images(ImageConfig& config, Options& options, int argc, const char* const* argv) {
  RunConfig& run = config.run;
  const NetworkOptions networks = config.image_networks();
  check_networks(config);
  const ImageFiles files = open_files(options, config, data_shape(networks));

  if (run.hosts != nullptr) require_same(*run.hosts, options.to_toml());
  const RunDevice device = open_run_device(run);
  Kernels* const kernels = device.kernels.get();
  if (kernels->is_cuda())
    open_library(convolution_library);  // run.h5 tells its file; who fails asks for it later
  std::printf("device: %s\n", kernels->description().c_str());
  std::fflush(stdout);
  const auto data = files.train ? make_file_data(*kernels, *files.train, config.flips, run.training())
                                : make_up_data(*kernels, networks, run.training());
  if (follows(run)) return follow_run(*assemble(*kernels, networks, *run.choice, *data), run);
  const RunFolder folder(run.out);  // after the data were read: damaged ones leave no folder
  const auto resumed = resume_point(folder, options);
  const auto method = assemble(*kernels, networks, *run.choice, *data);
  ImageEvaluation evaluation(*method, files.held_out ? &*files.held_out : nullptr,
                             {.grid = config.grid,
                              .held_out_images = config.held_out_images,
                              .jacobian_points = config.jacobian_points,
                              .shape_samples = config.synthetic ? config.shape_samples : 0,
                              .entropy = estimates_of(config, *method)},
                             folder);
  const std::string name = run.method + " on " + (files.train ? files.train->info().name : "shapes");
  const RunEnd end = run_training(*method, evaluation, folder, name, run, options,
                                  run_environment(argc, argv, *kernels, run.hosts), resumed);
  if (evaluation.shapes() && !end.stop) say_shapes(*evaluation.shapes(), networks.channels);
  return end;
}

int run_image_experiment(const ImageExperiment& experiment, int argc, const char* const* argv) {
  return run_job(experiment.program, [&](HostRanks* ranks) { return run(experiment, argc, argv, ranks); });
}

}  // namespace ebm
