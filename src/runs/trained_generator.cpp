// SPDX-License-Identifier: MIT
#include "runs/trained_generator.h"

#include <optional>

#include "runs/run_config.h"

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
  return std::nullopt;
}

}  // namespace

void record_network_kind(Options& options, NetworkOptions& networks) {
  options.add_choice(kind_name, &networks.kind, {{name_of(networks.kind, network_names), networks.kind}},
                     "those of this experiment");
}

TrainedGenerator trained_generator(const std::string& config, const std::string& source) {
  const std::string program = Options::program_of(config);
  const auto peek = [&](Options& options) { options.peek_config_text(config, source); };
  NetworkKind kind{};
  Options first(program, "");
  first.add_choice(kind_name, &kind, choices(network_names), "");
  peek(first);
  const auto found = first.was_given(kind_name) ? std::optional(kind) : kind_before_it_was_recorded(program);
  if (!found || *found == NetworkKind::toy)
    throw Error(source + " holds no networks of images; give a checkpoint of an experiment on images");

  NetworkOptions networks = usual_networks(*found);
  RunConfig run;
  choose_method(run, networks.kind, program, peek);
  bool stacked = false;
  Options options(program, "");
  options.add("latent", &networks.latent, "");
  options.add("width", &networks.width, "");
  options.add("stacked", &stacked, "");
  run.choice->declare(options);
  declare_optimiser(options, run.training());
  peek(options);
  if (stacked) networks.channels = 3;
  run.choice->adapt(networks);
  const bool averaged = run.training().optimiser.ema > 0;
  return {networks, (averaged ? "ema/" : "") + run.choice->generator_arrays()};
}

}  // namespace ebm
