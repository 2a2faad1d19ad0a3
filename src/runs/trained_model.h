// SPDX-License-Identifier: MIT
// What the configuration in a checkpoint says of the networks that were trained, and those networks in use.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "io/hdf5_file.h"
#include "io/options.h"
#include "kernels/formulas/toy_data.h"
#include "methods/registry.h"
#include "sampling/sampler.h"

namespace ebm {

/// Writes the kind of an experiment's networks into its configuration: an option with one value.
void record_network_kind(Options& options, NetworkOptions& networks);

/// What can be chosen of the methods' shared networks, by their kind: activations, and of points the depths and the
/// generator's shape.
void add_network_choices(Options& options, NetworkOptions& networks);
/// Those of them that have no effect on such networks.
std::vector<IdleOption> idle_choices(const NetworkOptions& networks);

/// The checkpoint that `given` names, or the newest of the run in that folder. Throws Error when there is none.
std::filesystem::path checkpoint_of(const std::string& given);

/// The networks of a run.
struct TrainedModel {
  std::string method;
  Preset preset;
  int64_t seed;
  NetworkOptions networks;
  std::string generator, energy;  ///< what the names of their arrays in the checkpoint begin with
  std::string noisy_generator;    ///< of x = g(h) + s e; "" for a generator without noise
  std::optional<ToyDataset> toy;  ///< the points of the plane, of a run on them
  std::string data;               ///< the file of images that it was trained on, or ""
  std::string held_out;           ///< the file of images whose energies the run measured, or ""
  bool shapes = false;            ///< whether the images are those of data/shapes.h
};

/// That of the run on images whose configuration is `config`, which lies in `source`. Throws Error when it
/// describes no networks of images.
TrainedModel trained_model(const std::string& config, const std::string& source);
/// The same of a run on images or on points of the plane. Throws Error.
TrainedModel any_trained_model(const std::string& config, const std::string& source);
/// Throws Error, which names `source`, unless the model is of images.
void require_images(const TrainedModel& model, const std::string& source);

/// Samples of a checkpoint's generator; those of one with noise are its means, or have noise.
class TrainedSampler final : public Sampler {
 public:
  /// `noise`: only for a generator with noise. Throws Error when the checkpoint has other networks, UsageError
  /// on noise where there is none.
  TrainedSampler(Kernels& kernels, const Hdf5File& checkpoint, const TrainedModel& model,
                 const std::optional<uint64_t>& noise_seed = {});

  const Features& latent() const override { return sampler_->latent(); }
  const Features& output() const override { return sampler_->output(); }
  std::vector<float> samples(const std::vector<float>& latents) override {
    return sampler_->samples(latents);
  }
  /// x = G(z), without noise if there is any.
  Network& generator() { return generator_; }

 private:
  Network generator_;
  std::optional<Network> noisy_;
  std::unique_ptr<Sampler> sampler_;
};

}  // namespace ebm
