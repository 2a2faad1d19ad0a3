// SPDX-License-Identifier: MIT
// The options of an experiment on images (runs/image_run.h).
#include "data/image_file.h"
#include "data/shapes.h"
#include "runs/image_run.h"
#include "runs/trained_model.h"

namespace ebm {

namespace {

constexpr const char* data_folder = "data";  // where prepare_data writes

std::string default_out(const ImageConfig& config, const ImageExperiment& experiment) {
  const RunConfig& run = config.run;
  return std::string("runs/") + experiment.name + (config.stacked ? "_stacked" : "") +
         (config.synthetic ? "_synthetic" : "") + "_" + run.method + "_" + name_of(run.preset, preset_names) +
         "_" + std::to_string(run.training().seed);
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

void add_data_options(Options& options, ImageConfig& config, const ImageExperiment& experiment) {
  options.group("Data (files of images, as prepare_data writes them)");
  if (experiment.stacked_iterations > 0)
    options.add("stacked", &config.stacked, "StackedMNIST: three digits as red, green and blue");
  options.add("data", &config.data, "images to train on", Scope::placement);
  options.add("data_checksum", &config.data_checksum, "theirs; a run goes on with the same images");
  options.add("held_out", &config.held_out,
              "images whose energies are measured, or '' (default: the test or valid split beside --data, "
              "where it is there)",
              Scope::placement);
  options.add("download", &config.download, "get the experiment's own data where they are missing",
              Scope::placement);
  options.add("synthetic", &config.synthetic,
              "images of ten shapes in ten colours that are made up, instead of files; held-out ones too");
  options.add_choice("flips", &config.flips, {{"none", Flips::none}, {"horizontal", Flips::horizontal}},
                     "images are mirrored at random");
}

void add_network_options(Options& options, ImageConfig& config) {
  NetworkOptions& networks = config.networks;
  const bool mlp = networks.kind == NetworkKind::mlp;
  const Interval<int64_t> width{mlp ? 8 : 1, 65536};  // the narrowest layers of Table 7 have an eighth of it
  options.group("Networks");
  record_network_kind(options, networks);
  options.add("latent", &networks.latent, "dimensions of z, d", {1, 65536});
  options.add("width", &networks.width, mlp ? "of the widest layers" : "channels of the narrowest layers",
              width);
  if (networks.kind == NetworkKind::resnet) {
    options.add_choice("energy_norm", &networks.energy_norm, choices(energy_norm_names),
                       "batch norm in the energy: Table 9 has it, the paper's text and the code go without");
  }
  add_network_choices(options, networks);
}

}  // namespace

NetworkOptions ImageConfig::image_networks() const {
  NetworkOptions result = networks;
  if (stacked) result.channels = 3;
  return result;
}

Options declare_image_options(ImageConfig& config, const ImageExperiment& experiment) {
  Options options(experiment.program, experiment.description);
  config.flips = experiment.flips;
  config.networks = experiment.networks;
  config.networks.width = usual_width(config.run, experiment.networks);
  config.run.choice->suggest(config.networks);
  config.run.schedule = {
      .iterations = experiment.iterations, .log_every = 20, .checkpoint_every = 1000, .eval_every = 1000};
  add_data_options(options, config, experiment);
  add_network_options(options, config);
  add_run_options(options, config.run);
  options.group("Evaluation");
  options.add("grid", &config.grid, "images on each side of a sample grid", {1, 100}, Scope::placement);
  options.add("held_out_images", &config.held_out_images, "how many of --held-out, at most", {1, 1 << 30},
              Scope::placement);
  options.add("jacobian_points", &config.jacobian_points,
              "latent points where the generator's Jacobian is measured exactly; 0: none", {0, 4096},
              Scope::placement);
  options.add("shape_samples", &config.shape_samples, "of G, whose modes --synthetic counts", {1, 1 << 24},
              Scope::placement);
  config.entropy_points = experiment.entropy_points;
  if (experiment.entropy_points > 0) {
    options.add("entropy_points", &config.entropy_points,
                "latent points where estimates of the entropy are compared", {1, 4096}, Scope::placement);
  }
  return options;
}

void resolve_image_defaults(Options& options, ImageConfig& config, const ImageExperiment& experiment) {
  if (config.synthetic) {
    options.set_default("data_checksum", shapes_checksum);
  } else {
    const std::string data = config.stacked ? "stacked_mnist" : experiment.data;
    options.set_default("data", image_file_path(data_folder, data, DataSplit::train).string());
    options.set_default("held_out", held_out_of(config.data, experiment.held_out));
  }
  if (config.stacked) options.set_default("iterations", experiment.stacked_iterations);
  options.set_default("width", usual_width(config.run, experiment.networks));
  if (config.run.out.empty()) options.set_default("out", default_out(config, experiment));
  resolve_run_defaults(options, config.run, idle_choices(adapted(config.networks, config.run)));
}

}  // namespace ebm
