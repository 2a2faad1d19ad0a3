// SPDX-License-Identifier: MIT
// A network and what makes it learn: the only place where parameters change.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "layers/network.h"
#include "parallel/communicator.h"

namespace ebm {

struct AdamOptions {
  double beta1 = 0, beta2 = 0.9, epsilon = 1e-8;
};

struct OptimiserOptions {
  AdamOptions adam;
  double weight_decay = 0;        ///< times the parameters is added to their gradients, as in PyTorch's Adam
  RateSchedule schedule;          ///< of the learning rate (kernels/formulas/adam.h)
  double clip_gradient_norm = 0;  ///< the longest gradient of a learner, ||g||_2; 0: any
  double ema = 0;                 ///< decay of the parameters' exponential moving average; 0: none
  Communicator* ranks = nullptr;  ///< that share each batch and learn the same; null: one
  bool sync_batch_norm = false;   ///< batch statistics are of all ranks' rows, not of each rank's own
  Type gradient_travel = Type::float32;  ///< how gradients go from rank to rank
};

/// Makes the layers of a network; twice where its parameters have an average, which is a network of its own.
using LayerMaker = std::function<std::unique_ptr<Layer>()>;

/// Where an iteration is, on the device.
struct IterationClock {
  const uint64_t* iteration;  ///< counted from 0
  int32_t* not_finite;        ///< raised when a parameter becomes NaN or Inf
};

class Learner {
 public:
  /// `name` is that of its arrays in files: NAME/..., adam/NAME/..., ema/NAME/...; `lr` Adam's rate.
  Learner(Kernels& kernels, std::string name, const LayerMaker& layers, double lr,
          const OptimiserOptions& options);

  const std::string& name() const { return name_; }
  Network& network() { return network_; }
  const Network& network() const { return network_; }
  /// The network to measure and to draw samples with: that of the averaged parameters, where there is one.
  Network& evaluated() { return average_ != nullptr ? *average_ : network_; }
  const Network* average() const { return average_.get(); }  ///< or null

  /// Draws the initial parameters from noise streams stream, stream + 1, ... of `seed`; nothing learnt yet.
  void initialize(uint64_t seed, uint32_t stream, Initial initial);
  /// Keeps a parameter of the network between these numbers, from the next step on.
  void limit(const Parameter& parameter, float low, float high);
  /// The step that the gradients ask for: their sum over all ranks, clipping, the rate of this iteration,
  /// Adam, limits, the average. Where there are several ranks the sum takes the gradients' place: the loss is
  /// that of the whole batch, and a rank's gradient what its own rows contribute.
  void step(const IterationClock& clock);
  /// Running statistics that ranks moved by batches of their own become their mean over all ranks, in the
  /// average's network too: so all ranks are in one state. To be called when all of an iteration is done.
  void share_statistics();
  /// Running statistics of the average's network, if there is one, become those of the network.
  void copy_statistics();

  /// Adam's running means of g and g^2, laid out as the parameters' flat buffer, and the number of its steps.
  View first_moments() const { return flat_view(first_moments_); }
  View second_moments() const { return flat_view(second_moments_); }
  Buffer<int64_t>& steps() { return steps_; }

  double lr() const { return lr_; }
  const OptimiserOptions& options() const { return options_; }

 private:
  static View flat_view(const Buffer<float>& buffer) { return {buffer.data(), 1, flat(buffer.size())}; }
  bool shares_batches() const { return options_.ranks != nullptr && options_.ranks->size() > 1; }
  void copy(ConstView from, View to);
  const float* clip();
  void follow();

  Kernels& kernels_;
  std::string name_;
  Network network_;
  std::unique_ptr<Network> average_;
  double lr_;
  OptimiserOptions options_;
  std::vector<ClampParameter> limits_;

  Buffer<float> first_moments_, second_moments_;
  Buffer<int64_t> steps_;     // 1
  Buffer<float> schedule_;    // 2, of AdamSchedule
  Buffer<float> rank_share_;  // 1 / (number of ranks), where their statistics differ
  Buffer<double> partial_norms_;
  Buffer<float> clip_;  // the factor
};

}  // namespace ebm
