// SPDX-License-Identifier: MIT
#include "runs/sample_game.h"

#include "data/image_data.h"
#include "data/toy.h"
#include "models/toy.h"

namespace ebm {

SampleGame::SampleGame(Kernels& kernels, const SampleGameOptions& wanted) {
  const auto stream = static_cast<uint32_t>(Stream::data);
  const auto chosen = [&](GameOptions options) {
    if (wanted.batch > 0) options.batch = wanted.batch;
    options.precision = wanted.precision;
    return options;
  };
  GameOptions options;
  if (wanted.program == "toy_bb") {
    constexpr int64_t hidden = 100;
    const int64_t width = wanted.width > 0 ? wanted.width : hidden;
    options = chosen(toy_options(wanted.method, wanted.preset));
    const auto scale = wanted.preset == Preset::code ? OutputScale::learned : OutputScale::none;
    energy_ = std::make_unique<Network>(kernels, toy_energy(width, scale));
    generator_ = std::make_unique<Network>(kernels, toy_generator(2, width));
    data_ = std::make_unique<ToyData>(kernels, ToyDataset::gaussians25, options.batch, options.seed, stream);
  } else {
    const ImageExperiment& experiment = image_experiment(wanted.program);
    ImageConfig config;
    config.width = wanted.width > 0 ? wanted.width : experiment.width;
    config.energy_norm = wanted.energy_norm;
    const ImageNetworkOptions networks = network_options(config, experiment);
    options = chosen(image_options(experiment.networks, wanted.method, wanted.preset));
    energy_ = std::make_unique<Network>(kernels, image_energy(networks));
    generator_ = std::make_unique<Network>(kernels, image_generator(networks));
    data_ = make_synthetic_images(kernels, image_shape(networks), options.batch, options.seed, stream);
  }
  game_ = std::make_unique<Game>(kernels, *energy_, *generator_, *data_, options);
}

}  // namespace ebm
