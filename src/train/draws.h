// SPDX-License-Identifier: MIT
// What an iteration draws, by name: a dump writes it under inputs/NAME, a replay puts recorded draws in its
// place.
#pragma once

#include <deque>
#include <string>

#include "kernels/kernels.h"
#include "parallel/communicator.h"

namespace ebm {

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
  pairing = 12,
  noise = 13,
  importance = 14,
  posterior = 15,
  evaluation = 16,  // to 31
  averaged_statistics = 32,
  initial_energy = 256,  // and upwards, one for each parameter
  initial_generator = 4096,
  initial_third = 8192  // of a method's third network
};

/// Where the random numbers of an iteration come from. A method brings Philox noise of its own; a replay puts
/// recorded draws here.
class NoiseSource {
 public:
  virtual ~NoiseSource() = default;
  virtual void fill(const std::string& name, Distribution distribution, View out) = 0;
};

/// One draw of an iteration: rows for each of its steps, one step after the other. An empty one, of something
/// that an iteration does not need, gives empty views.
class Draw {
 public:
  Draw() = default;
  bool empty() const { return entry_ == nullptr; }
  ConstView all() const { return empty() ? ConstView() : ConstView(entry_->values); }
  /// The rows of one step, counted from 0.
  ConstView of_step(int64_t step) const {
    if (empty()) return {};
    return entry_->values.row_range(step * entry_->rows.rows, entry_->rows.rows);
  }

 private:
  friend class Draws;
  struct Entry {
    std::string name;
    Stream stream;
    Distribution distribution;
    RankRows rows;
    Tensor values;
  };
  explicit Draw(const Entry& entry) : entry_(&entry) {}

  const Entry* entry_ = nullptr;
};

class Draws {
 public:
  /// `iteration`, on the device, counts the draws. `noise` and `ranks` may be null; all must outlive this.
  Draws(Kernels& kernels, uint64_t seed, const uint64_t* iteration, NoiseSource* noise,
        const Communicator* ranks = nullptr)
      : kernels_(kernels), seed_(seed), iteration_(iteration), noise_(noise), ranks_(ranks) {}

  struct Shape {
    int64_t rows;  ///< of one step, on this rank
    Features features;
    int64_t steps = 1;  ///< of an iteration
  };
  /// N(0, 1), or U(0, 1]. A rank's rows of a batch are the same for any number of ranks. Throws Error where
  /// several ranks cannot share the rows (parallel/rank_noise.h).
  Draw normal(const std::string& name, Stream stream, const Shape& shape) {
    return add(name, stream, Distribution::normal, shape);
  }
  Draw uniform(const std::string& name, Stream stream, const Shape& shape) {
    return add(name, stream, Distribution::uniform, shape);
  }

  /// Draws anew, for all steps of the iteration; an empty one costs nothing.
  void fill(const Draw& draw);

  /// The draw of that name; empty where there is none.
  ConstView find(const std::string& name) const;
  /// All that are not empty, for those who write them down: f(name, values).
  template <class F>
  void each(const F& f) const {
    for (const Draw::Entry& entry : entries_) f(entry.name, ConstView(entry.values));
  }

 private:
  Draw add(const std::string& name, Stream stream, Distribution distribution, const Shape& shape);

  Kernels& kernels_;
  uint64_t seed_;
  const uint64_t* iteration_;
  NoiseSource* noise_;
  const Communicator* ranks_;
  std::deque<Draw::Entry> entries_;  // deque: handles stay valid while it grows
};

}  // namespace ebm
