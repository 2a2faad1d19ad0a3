// SPDX-License-Identifier: MIT
// The game of the paper: one iteration is a step of the energy E against an upper bound of the negative
// log-likelihood, then a step of the generator G against a lower bound (docs/method.md, "One iteration").
// EBM-BB, EBM-0GP and WGAN-0GP are choices of the two bounds (train/method.h).
#pragma once

#include <memory>
#include <optional>

#include "bounds/lower_bound.h"
#include "bounds/upper_bound.h"
#include "data/data_source.h"

namespace ebm {

struct AdamOptions {
  double beta1 = 0, beta2 = 0.9, epsilon = 1e-8;
};

/// Whose latent points the generator's entropy term uses: those of the energy step (the authors' image code)
/// or its own.
enum class EntropyPoints { energy, generator };

struct GameOptions {
  int64_t batch = 200;
  uint64_t seed = 1;
  std::optional<LowerBoundOptions> lower;  ///< none: a GAN without entropy term
  UpperBoundOptions upper;
  double entropy_weight = 1;
  EntropyPoints entropy_points = EntropyPoints::generator;
  double lr_energy = 2e-4, lr_generator = 2e-4;
  AdamOptions adam;
  Precision precision =
      Precision::training;  ///< of all but the parameters and the Jacobian of the lower bound
};

/// The numbers of one iteration, on the device; means over the batch.
struct IterationScalars {
  float energy_real, energy_fake, penalty, loss_energy;
  float entropy, entropy_factor, share_good, share_floored;
  float loss_generator;
  int32_t not_finite;  ///< a parameter became NaN or Inf
};

/// Noise streams of a run: each purpose has its own, so that adding one changes no other.
enum class Stream : uint32_t {
  data = 1,  // and 2
  z = 3,
  v0 = 4,
  p0 = 5,
  alpha = 6,
  range_probe = 7,
  z_generator = 8,
  v0_generator = 9,
  p0_generator = 10,
  range_probe_generator = 11,
  evaluation = 16,       // to 31
  initial_energy = 256,  // and upwards, one for each parameter
  initial_generator = 4096
};

/// Where the game's random numbers come from. The game brings Philox noise of its own; a replay puts recorded
/// draws here.
class NoiseSource {
 public:
  virtual ~NoiseSource() = default;
  virtual void fill(Stream stream, Distribution distribution, View out) = 0;
};

class Game {
 public:
  /// Makes all buffers. `energy`, `generator`, `data` and `noise` (null: Philox) must outlive the game.
  /// Throws Error on shapes that do not fit.
  Game(Kernels& kernels, Network& energy, Network& generator, DataSource& data, const GameOptions& options,
       NoiseSource* noise = nullptr);

  /// Host side, before the work of iteration `iteration` (counted from 0) is queued: the data source may send
  /// it what it will draw. Throws Error when data cannot be read.
  void prepare(int64_t iteration) { data_.prepare(static_cast<uint64_t>(iteration)); }
  /// Queues one iteration: it allocates nothing, copies nothing to the host, waits for nothing.
  void iterate();
  /// The two halves, for those who look in between. generator_step ends the iteration.
  void energy_step() {
    energy_forward();
    energy_backward();
  }
  void generator_step() {
    generator_forward();
    generator_backward();
  }

  /// Draws both networks' initial parameters from the seed.
  void initialize();

  /// On the device: the number of iterations done, and Adam's steps of E and G.
  Buffer<uint64_t>& iteration() { return iteration_; }
  Buffer<int64_t>& steps() { return steps_; }
  const IterationScalars* scalars() const { return scalars_.data(); }

  const GameOptions& options() const { return options_; }
  Kernels& kernels() { return kernels_; }
  Network& energy() { return energy_; }
  Network& generator() { return generator_; }
  /// After energy_step, for a look at it: evaluates the lower bound at the step's z where the step itself
  /// took J v0 alone.
  void complete_energy_step();
  LowerBound* lower() { return lower_.get(); }  ///< null without entropy and bidirectional penalty
  UpperBound& upper() { return *upper_; }

  /// The draws of the last iteration (B x d; empty where none was drawn).
  struct Draws {
    Tensor z, v0, p0, alpha, e;
    Tensor z_generator, v0_generator, p0_generator, e_generator;
  };
  const Draws& draws() const { return draws_; }
  ConstView generator_energies() const { return generator_energies_; }  ///< E(G(z_generator)), B x 1

 private:
  bool needs_probe() const;
  bool evaluates_at_energy_step() const;
  bool evaluates_at_generator_step() const;
  void make_draws();
  void draw(Stream stream, Distribution distribution, const Tensor& out);
  void draw_for_energy_step();
  void draw_for_generator_step();
  void entropy_gradient(View z_bar);
  void finish_lower_bound();

  // The halves' halves. energy_backward and generator_forward concern one network each.
  void energy_forward();
  void energy_backward();
  void generator_forward();
  void generator_backward();
  void adam(Network& network, double lr, int64_t index);

  Kernels& kernels_;
  Network &energy_, &generator_;
  DataSource& data_;
  NoiseSource* noise_;
  GameOptions options_;

  std::unique_ptr<LowerBound> lower_;
  std::unique_ptr<UpperBound> upper_;
  std::unique_ptr<Trace> generator_trace_, energy_trace_;  // batch statistics; E on the generator's samples

  Draws draws_;
  Tensor z_score_;                                     // grad_z of the entropy value
  Tensor samples_, samples_bar_, generator_energies_;  // the generator step's
  Tensor shares_;                                      // 1/B, B times
  Buffer<uint64_t> iteration_;
  Buffer<int64_t> steps_;
  Buffer<float> adam_schedule_;
  Buffer<IterationScalars> scalars_;
};

}  // namespace ebm
