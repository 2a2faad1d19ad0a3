// SPDX-License-Identifier: MIT
// Spectral normalisation of a weight (Miyato et al. 2018): in place of W, out x (what an output is made of),
// a layer uses
//   Wb = W / s,   s = u^T W v,   v = W^T u / |W^T u|
// where u is kept beside the parameters. A forward pass with Statistics::batch first moves it by a power
// iteration, u <- W v / |W v|; with Statistics::running it stays. u and v are constants of the derivatives:
//   W_bar = (Wb_bar - <Wb_bar, Wb> u v^T) / s
// A trace has the Wb, s, u and v of its own forward pass.
#pragma once

#include "layers/layer.h"

namespace ebm {

enum class WeightNorm { none, spectral };

class SpectralNorm {
 public:
  /// What one evaluation leaves for its derivatives.
  class State {
   public:
    State(Kernels& kernels, int64_t outputs, int64_t inputs, Type type)
        : u_(kernels, outputs),
          v_(kernels, inputs),
          sigma_(kernels, 1),
          product_(kernels, inputs),
          dots_(kernels, outputs),
          weight_(kernels, outputs, flat(inputs), type) {}
    /// Wb, in the type of the activations.
    ConstArray weight() const { return weight_.view(); }

   private:
    friend class SpectralNorm;
    Buffer<float> u_, v_, sigma_;
    Buffer<float> product_;  // W^T u
    Buffer<double> dots_;    // by output
    Tensor weight_;
  };

  /// Declares u, a running statistic PREFIXweight_u, for `weight`, whose first axis are the outputs.
  SpectralNorm(Parameters& parameters, const std::string& prefix, const Parameter& weight);

  std::unique_ptr<State> make_state(Kernels& kernels, Type type) const;
  void normalize(Kernels& kernels, Statistics statistics, State& state) const;
  /// The weight's gradient (+)= W_bar, from Wb_bar.
  void add_gradient(Kernels& kernels, const State& state, const float* bar, Write mode) const;

 private:
  int64_t outputs() const { return u_.size; }
  int64_t inputs() const { return weight_.size / u_.size; }

  const Parameter& weight_;
  const Parameter& u_;
};

}  // namespace ebm
