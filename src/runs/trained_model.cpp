// SPDX-License-Identifier: MIT
#include "runs/trained_model.h"

#include "data/shapes.h"
#include "layers/noisy_output.h"
#include "runs/run_config.h"
#include "runs/toy_run.h"
#include "sampling/noisy_sampler.h"
#include "train/state.h"

namespace ebm {

namespace {

constexpr const char* kind_name = "network_kind";

NetworkOptions usual_networks(NetworkKind kind) {
  switch (kind) {
    case NetworkKind::toy:
      return toy_networks();
    case NetworkKind::mlp:
      return mlp_networks();
    case NetworkKind::dcgan:
      return dcgan_networks();
    case NetworkKind::resnet:
      break;
  }
  return resnet_networks();
}

/// Of a checkpoint that is older than the option: by the program that wrote it, each of which had one kind.
std::optional<NetworkKind> kind_before_it_was_recorded(const std::string& program) {
  if (program == "mnist_bb") return NetworkKind::mlp;
  if (program == "cifar10_bb") return NetworkKind::dcgan;
  if (program == "animeface_bb") return NetworkKind::resnet;
  if (program == "toy_bb") return NetworkKind::toy;
  return std::nullopt;
}

}  // namespace

void record_network_kind(Options& options, NetworkOptions& networks) {
  options.add_choice(kind_name, &networks.kind, {{name_of(networks.kind, network_names), networks.kind}},
                     "those of this experiment");
}

void add_network_choices(Options& options, NetworkOptions& networks) {
  options.add_choice("energy_activation", &networks.energy_curve, choices(activation_names),
                     "in the place of the energy's own, which bend at a point");
  options.add_choice("generator_activation", &networks.generator_curve, choices(activation_names),
                     "likewise in the generator");
  if (networks.kind != NetworkKind::toy) return;
  options.add("energy_depth", &networks.energy_depth, "hidden layers of the energy", {1, 64});
  options.add("generator_depth", &networks.generator_depth, "hidden layers of the generator", {1, 64});
  options.add_choice("generator", &networks.generator, choices(generator_names),
                     "Table 6's, which may fold the plane, or a flow, which is one to one");
  options.add("couplings", &networks.couplings, "of a flow: layers", {1, 64});
  options.add("coupling_width", &networks.coupling_width, "of a flow: hidden layers of its nets", {1, 65536});
  options.add("coupling_steps", &networks.coupling_steps, "of a flow: smooth steps of each layer", {1, 256});
}

std::vector<IdleOption> idle_choices(const NetworkOptions& networks) {
  std::vector<IdleOption> idle;
  const auto add = [&](std::initializer_list<const char*> names, const char* with) {
    for (const char* name : names) idle.push_back({name, with});
  };
  const bool toy = networks.kind == NetworkKind::toy;
  if (networks.family != NetworkFamily::shared) {
    add({"energy_activation", "generator_activation"}, "--networks own");
    if (toy)
      add({"energy_depth", "generator_depth", "generator", "couplings", "coupling_width", "coupling_steps"},
          "--networks own");
  } else if (toy && networks.generator == GeneratorShape::flow) {
    add({"generator_activation", "generator_depth"}, "--generator flow");
  } else if (toy) {
    add({"couplings", "coupling_width", "coupling_steps"}, "--generator mlp");
  }
  return idle;
}

std::filesystem::path checkpoint_of(const std::string& given) {
  const std::filesystem::path path(given);
  if (!exists(path)) throw Error("there is no '" + given + "'; give a run's folder or a checkpoint");
  if (!is_directory(path)) return path;
  const auto checkpoint = newest_checkpoint(path);
  if (!checkpoint)
    throw Error(given + " has no checkpoints/iteration-N.h5; give a run's folder or a checkpoint");
  return *checkpoint;
}

TrainedModel any_trained_model(const std::string& config, const std::string& source) {
  const std::string program = Options::program_of(config);
  const auto peek = [&](Options& options) { options.peek_config_text(config, source); };
  NetworkKind kind{};
  Options first(program, "");
  first.add_choice(kind_name, &kind, choices(network_names), "");
  peek(first);
  const auto found = first.was_given(kind_name) ? std::optional(kind) : kind_before_it_was_recorded(program);
  if (!found)
    throw Error(source + " holds no networks of images; give a checkpoint of an experiment on images");

  NetworkOptions networks = usual_networks(*found);
  RunConfig run;
  choose_method(run, networks.kind, program, peek);
  const bool of_points = networks.kind == NetworkKind::toy;
  bool stacked = false;
  std::string data, held_out, checksum;
  ToyDataset toy{};
  Options options(program, "");
  options.add("latent", &networks.latent, "");
  options.add(of_points ? "hidden" : "width", &networks.width, "");
  run.choice->suggest(networks);
  add_network_choices(options, networks);
  options.add("stacked", &stacked, "");
  options.add("data", &data, "");
  options.add("held_out", &held_out, "");
  options.add("data_checksum", &checksum, "");
  options.add_choice("energy_norm", &networks.energy_norm, choices(energy_norm_names), "");
  if (of_points) options.add_choice("dataset", &toy, choices(toy_dataset_names), "");
  declare_training(options, run.training());
  run.choice->declare(options);
  declare_optimiser(options, run.training());
  peek(options);
  if (stacked) networks.channels = 3;
  run.choice->adapt(networks);
  const std::string averaged = run.training().optimiser.ema > 0 ? "ema/" : "";
  const std::string noisy = run.choice->noisy_arrays();
  return {.method = run.method,
          .preset = run.preset,
          .seed = run.training().seed,
          .networks = networks,
          .generator = averaged + run.choice->generator_arrays(),
          .energy = averaged + "energy/",
          .noisy_generator = noisy.empty() ? "" : averaged + noisy,
          .toy = of_points ? std::optional(toy) : std::nullopt,
          .data = data,
          .held_out = held_out,
          .shapes = checksum == shapes_checksum};
}

void require_images(const TrainedModel& model, const std::string& source) {
  if (model.toy)
    throw Error(source + " holds no networks of images; give a checkpoint of an experiment on images");
}

TrainedModel trained_model(const std::string& config, const std::string& source) {
  TrainedModel model = any_trained_model(config, source);
  require_images(model, source);
  return model;
}

TrainedSampler::TrainedSampler(Kernels& kernels, const Hdf5File& checkpoint, const TrainedModel& model,
                               const std::optional<uint64_t>& noise_seed)
    : generator_(kernels, generator_layers(model.networks)) {
  constexpr int64_t chunk = 64;  // rows at a time
  read_network(checkpoint, kernels, generator_, model.generator);
  if (!noise_seed) {
    sampler_ = std::make_unique<NetworkSampler>(kernels, generator_, chunk);
    return;
  }
  if (model.noisy_generator.empty())
    throw UsageError("the generator of " + model.method + " has no noise; give no --noise");
  noisy_.emplace(
      kernels, std::make_unique<NoisyOutput>(Sequential::Child{"g", generator_layers(model.networks)}, 0.0f));
  read_network(checkpoint, kernels, *noisy_, model.noisy_generator);
  constexpr uint32_t stream = 64;  // apart from those of latent points
  sampler_ = std::make_unique<NoisySampler>(kernels, *noisy_, chunk, NoiseStream{*noise_seed, stream});
}

}  // namespace ebm
