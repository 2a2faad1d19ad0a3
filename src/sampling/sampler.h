// SPDX-License-Identifier: MIT
// What a trained model is good for, outside of training: samples, and energies of points. All that measures
// and pictures know of a method.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "layers/network.h"

namespace ebm {

/// Makes samples of latent points.
class Sampler {
 public:
  virtual ~Sampler() = default;
  virtual const Features& latent() const = 0;
  virtual const Features& output() const = 0;
  /// The sample of each row of `latents` (N x d): N x features. Waits for the device.
  virtual std::vector<float> samples(const std::vector<float>& latents) = 0;
};

/// One of several samplers of a model: what follows `_` in the names of its measures and pictures; none for
/// the first.
struct NamedSampler {
  std::string name;
  std::unique_ptr<Sampler> sampler;

  std::string named(const std::string& what) const { return name.empty() ? what : what + "_" + name; }
};

class EnergyFunction {
 public:
  virtual ~EnergyFunction() = default;
  virtual const Features& input() const = 0;
  /// E of each row of `points` (N x features): N. Waits for the device.
  virtual std::vector<float> energies(const std::vector<float>& points) = 0;
};

/// A network in use: with running statistics, in true float32, `chunk` rows at a time.
class NetworkInUse {
 public:
  /// `network` must outlive it.
  NetworkInUse(Kernels& kernels, Network& network, int64_t chunk);
  const Network& network() const { return network_; }
  std::vector<float> operator()(const std::vector<float>& rows);

 private:
  Network& network_;
  std::unique_ptr<Trace> trace_;
  Tensor x_, y_;
};

/// x = G(z).
class NetworkSampler final : public Sampler {
 public:
  NetworkSampler(Kernels& kernels, Network& generator, int64_t chunk)
      : generator_(kernels, generator, chunk) {}
  const Features& latent() const override { return generator_.network().input(); }
  const Features& output() const override { return generator_.network().output(); }
  std::vector<float> samples(const std::vector<float>& latents) override { return generator_(latents); }

 private:
  NetworkInUse generator_;
};

class NetworkEnergy final : public EnergyFunction {
 public:
  NetworkEnergy(Kernels& kernels, Network& energy, int64_t chunk) : energy_(kernels, energy, chunk) {}
  const Features& input() const override { return energy_.network().input(); }
  std::vector<float> energies(const std::vector<float>& points) override { return energy_(points); }

 private:
  NetworkInUse energy_;
};

}  // namespace ebm
