// SPDX-License-Identifier: MIT
// All that trainer, checkpoint, dump and evaluation know of a method: its iteration, and lists of what learns,
// what is drawn, what is counted and what else lasts. The methods themselves are in src/methods.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "data/data_source.h"
#include "sampling/sampler.h"
#include "train/draws.h"
#include "train/learner.h"
#include "train/numbers.h"

namespace ebm {

/// What every method is given.
struct TrainingOptions {
  int64_t batch = 200;  ///< of all ranks together
  int64_t seed = 1;
  Precision precision = Precision::training;      ///< of all but the parameters and the Jacobian of a bound
  Precision jacobian = Precision::full;           ///< of a bound's, where the method has one: full or tf32x3
  int64_t energy_steps = 1, generator_steps = 1;  ///< of an iteration
  double lr_energy = 2e-4, lr_generator = 2e-4;
  OptimiserOptions optimiser;
  Initial initial = Initial::pytorch;
};

/// A rank's rows of a batch of `batch`, which `option` asks for. Throws UsageError unless all ranks have as many.
int64_t rank_batch(int64_t batch, const Communicator* ranks, const char* option = "--batch");

/// The networks of an experiment, as layers.
struct NetworkMakers {
  LayerMaker energy, generator;
  LayerMaker statistics = {};  ///< of MEG: T(x, z)
};

/// Hears of what an iteration computes, under the names of a dump's results/, while it is there.
class Watcher {
 public:
  virtual ~Watcher() = default;
  /// One row a sample. May wait for the device.
  virtual void see(const std::string& name, ConstView values) = 0;
};

/// State of a method besides its learners'.
struct ExtraState {
  std::string name;
  Buffer<double>* values;
  std::function<void()> restored;  ///< called after `values` were written
};

/// A number that is measured of the networks as they are. May wait for the device.
struct Measure {
  std::string name;
  std::function<double()> value;
};

class Method {
 public:
  virtual ~Method() = default;
  Method(const Method&) = delete;
  Method& operator=(const Method&) = delete;

  /// Host side, before the work of iteration `iteration` (counted from 0) is queued: the data source may send
  /// it what it will draw. Throws Error when data cannot be read.
  void prepare(int64_t iteration) { data_.prepare(static_cast<uint64_t>(iteration)); }
  /// Queues one iteration: it allocates nothing, copies nothing to the host, waits for nothing.
  void iterate() { run(nullptr); }
  /// The same iteration, watched: what one step computes is told before another overwrites it.
  void iterate(Watcher& watcher) { run(&watcher); }
  /// Draws all learners' initial parameters from the seed.
  void initialize();

  const std::vector<Learner*>& learners() const { return learners_; }
  /// Throws Error when no learner has that name.
  Learner& learner(const std::string& name) const;
  Numbers& numbers() { return numbers_; }
  const Draws& draws() const { return draws_; }
  virtual std::vector<ExtraState> extra_state() { return {}; }
  /// The number of iterations done, on the device.
  Buffer<uint64_t>& iteration() { return iteration_; }
  /// The data points that the last iteration drew, of all its energy steps.
  ConstView data_points() const { return drawn_; }

  Kernels& kernels() { return kernels_; }
  /// As it was given: its batch is that of all ranks.
  const TrainingOptions& training() const { return given_; }

  /// What the trained model is good for, `chunk` rows at a time, with averaged parameters where there are any.
  virtual std::unique_ptr<Sampler> sampler(int64_t chunk);
  virtual std::unique_ptr<EnergyFunction> energy_function(int64_t chunk);
  /// All that there are: sampler(chunk), which has no name, then others.
  virtual std::vector<NamedSampler> samplers(int64_t chunk);
  /// x = G(z), without noise where the generator has some, of the parameters that sampler() has, as they are now: to
  /// measure its Jacobian. The same network at each call.
  virtual Network& measured_generator() { return learner("generator").evaluated(); }
  /// What a method measures of its own at so many latent points, with as many passes as z has dimensions.
  virtual std::vector<Measure> exact_measures(int64_t /*points*/) { return {}; }

 protected:
  Method(Kernels& kernels, DataSource& data, const TrainingOptions& training, NoiseSource* noise);

  /// The iteration; tells `watcher` (null: nobody) what it computes.
  virtual void run(Watcher* watcher) = 0;

  IterationClock clock() { return {iteration_.data(), numbers_.not_finite()}; }
  /// Draws the data points of all energy steps: into x where there is one step.
  void draw_data(View x);
  /// x = the data points of this step, counted from 0.
  void take_data(int64_t step, View x);
  /// The end of an iteration.
  void count_iteration();
  Communicator* ranks() const { return training_.optimiser.ranks; }
  /// The samples of a batch of all ranks, of which this rank has training_.batch.
  int64_t whole_batch() const { return given_.batch; }

  Kernels& kernels_;
  DataSource& data_;
  TrainingOptions given_, training_;  // training_: of this rank, whose batch is its own rows
  Buffer<uint64_t> iteration_;
  Numbers numbers_;
  Draws draws_;
  Tensor data_points_;              // of all energy steps, where there are several
  ConstView drawn_;                 // where the last iteration drew them
  std::vector<Learner*> learners_;  // the derived class owns them, and lists them in the order of the streams
};

/// Throws Error when these do not fit together: the generator's samples, the data, the energy of one.
void require_fitting(const Network& energy, const Features& samples, const Features& data);

}  // namespace ebm
