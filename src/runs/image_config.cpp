// SPDX-License-Identifier: MIT
#include "runs/image_config.h"

#include "data/image_file.h"

namespace ebm {

namespace {

constexpr int64_t epochs_of_mnist = 60;
constexpr int64_t stacked_iterations = epochs_of_mnist * 128000 / 64;

constexpr ImageExperiment experiments[] = {
    {.program = "mnist_bb",
     .description = "Trains an energy-based model of handwritten digits (Table 7).",
     .networks = ImageNetworks::mlp,
     .width = 2000,
     .data = "mnist",
     .held_out = DataSplit::test,
     .flips = Flips::none,
     .iterations = epochs_of_mnist * 60000 / 64},
    {.program = "cifar10_bb",
     .description = "Trains an energy-based model of images of 32 x 32 pixels (Table 8).",
     .networks = ImageNetworks::dcgan,
     .width = 64,
     .data = "cifar10",
     .held_out = DataSplit::test,
     .flips = Flips::horizontal,
     .iterations = 200000},
    {.program = "animeface_bb",
     .description = "Trains an energy-based model of images of 64 x 64 pixels (Tables 9 and 10).",
     .networks = ImageNetworks::resnet,
     .width = 64,
     .data = "animeface",
     .held_out = DataSplit::valid,
     .flips = Flips::horizontal,
     .iterations = 100000}};

constexpr const char* data_folder = "data";  // where prepare_data writes

std::string name_of_data(const ImageConfig& config, const ImageExperiment& experiment) {
  return config.stacked ? "stacked_mnist" : experiment.data;
}

std::string default_out(const ImageConfig& config, const ImageExperiment& experiment) {
  const RunConfig& run = config.run;
  const std::string program(experiment.program);
  return "runs/" + program.substr(0, program.find('_')) + (config.stacked ? "_stacked" : "") +
         (config.synthetic ? "_synthetic" : "") + "_" + name_of(run.method, method_names) + "_" +
         name_of(run.preset, preset_names) + "_" + std::to_string(run.seed);
}

/// The file beside NAME-train.h5 that has the split `usual`, or else test or valid, whichever is there; "" of
/// data under another name. Where none is there, that of `usual`, which then is not there.
std::string held_out_of(const std::string& data, DataSplit usual) {
  const std::string end = std::string("-") + to_string(DataSplit::train) + ".h5";
  if (!data.ends_with(end)) return "";
  const std::string name = data.substr(0, data.size() - end.size());
  for (const DataSplit split : {usual, DataSplit::test, DataSplit::valid}) {
    const std::string file = name + "-" + to_string(split) + ".h5";
    std::error_code ignored;
    if (std::filesystem::exists(file, ignored)) return file;
  }
  return name + "-" + to_string(usual) + ".h5";
}

}  // namespace

const ImageExperiment& image_experiment(const std::string& program) {
  std::string names;
  for (const ImageExperiment& experiment : experiments) {
    if (program == experiment.program) return experiment;
    names += (names.empty() ? "" : ", ") + std::string(experiment.program);
  }
  throw Error("'" + program + "' is no experiment on images; these are " + names);
}

Options declare_image_options(ImageConfig& config, const ImageExperiment& experiment) {
  constexpr Interval<int64_t> latent{1, 65536};
  const bool mlp = experiment.networks == ImageNetworks::mlp;
  const Interval<int64_t> width{mlp ? 8 : 1, 65536};  // the narrowest layers of Table 7 have an eighth of it
  Options options(experiment.program, experiment.description);
  config.width = experiment.width;
  config.flips = experiment.flips;
  config.run.game = image_options(experiment.networks, config.run.method, config.run.preset);  // for --help
  config.run.schedule = {
      .iterations = experiment.iterations, .log_every = 20, .checkpoint_every = 1000, .eval_every = 1000};
  options.group("Data (files of images, as prepare_data writes them)");
  if (mlp) {
    options.add("stacked", &config.stacked, "StackedMNIST: three digits as red, green and blue");
  }
  options.add("data", &config.data, "images to train on", Scope::placement);
  options.add("data_checksum", &config.data_checksum, "theirs; a run goes on with the same images");
  options.add("held_out", &config.held_out,
              "images whose energies are measured, or '' (default: the test or valid split beside --data, "
              "where it is there)",
              Scope::placement);
  options.add("synthetic", &config.synthetic, "made up images instead of files");
  options.add_choice("flips", &config.flips, {{"none", Flips::none}, {"horizontal", Flips::horizontal}},
                     "images are mirrored at random");
  options.group("Networks");
  options.add("latent", &config.latent, "dimensions of z, d", latent);
  options.add("width", &config.width, mlp ? "of the widest layers" : "channels of the narrowest layers",
              width);
  if (experiment.networks == ImageNetworks::resnet) {
    options.add_choice("energy_norm", &config.energy_norm,
                       {energy_norm_names.begin(), energy_norm_names.end()},
                       "batch norm in the energy: Table 9 has it, the paper's text and the code go without");
  }
  add_run_options(options, config.run);
  options.group("Evaluation");
  options.add("grid", &config.grid, "images on each side of a sample grid", {1, 100}, Scope::placement);
  options.add("held_out_images", &config.held_out_images, "how many of --held-out, at most", {1, 1 << 30},
              Scope::placement);
  return options;
}

void resolve_image_defaults(Options& options, ImageConfig& config, const ImageExperiment& experiment) {
  RunConfig& run = config.run;
  set_game_defaults(options, image_options(experiment.networks, run.method, run.preset));
  const std::string data = name_of_data(config, experiment);
  options.set_default("data", image_file_path(data_folder, data, DataSplit::train).string());
  options.set_default("held_out", held_out_of(config.data, experiment.held_out));
  if (config.stacked) options.set_default("iterations", stacked_iterations);
  if (run.out.empty()) options.set_default("out", default_out(config, experiment));
}

ImageNetworkOptions network_options(const ImageConfig& config, const ImageExperiment& experiment) {
  const bool grey = experiment.networks == ImageNetworks::mlp && !config.stacked;
  return {.kind = experiment.networks,
          .channels = grey ? 1 : 3,
          .latent = config.latent,
          .width = config.width,
          .energy_norm = config.energy_norm};
}

}  // namespace ebm
