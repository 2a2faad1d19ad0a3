// SPDX-License-Identifier: MIT
// The state of a training run as named arrays, as checkpoints and dumps hold it (docs/formats.md):
//   LEARNER/NAME                                       parameters and running statistics (PyTorch's names and shapes)
//   adam/LEARNER/{exp_avg,exp_avg_sq}/NAME, adam/LEARNER/step
//   ema/LEARNER/NAME                                   of a learner whose parameters have an average
// and what else a method has (Method::extra_state: bound/state).
#pragma once

#include <string>
#include <vector>

#include "io/hdf5_file.h"
#include "train/method.h"

namespace ebm {

/// One array of float32 on the device under its name and shape. Files hold PyTorch's order, which is not the
/// order in memory where images are concerned: write_arrays and read_state translate.
struct NamedArray {
  std::string name;
  std::vector<int64_t> shape;
  View view;
  ChannelsLast order = {};
};

/// Views of a network's parameters and running statistics, their names behind `prefix`.
std::vector<NamedArray> network_arrays(const Network& network, const std::string& prefix);

/// Views of what a learner has: its gradients, named as its parameters; all of its state.
std::vector<NamedArray> gradient_arrays(const Learner& learner);
std::vector<NamedArray> state_arrays(const Learner& learner);

/// Writes arrays under `prefix` ("" or "before/" ...). Waits for the device. Throws Error.
void write_arrays(Hdf5File& file, Kernels& kernels, const std::string& prefix,
                  const std::vector<NamedArray>& arrays);

/// What becomes of numbers that are NaN or Inf: a dump shows them, a checkpoint holds none.
enum class NotFinite { written, refused };

/// A number of the state is NaN or Inf, and was refused.
class StateNotFinite : public Error {
 public:
  explicit StateNotFinite(const std::string& array)
      : Error("a value of " + array + " is not a finite number"), array_(array) {}
  const std::string& array() const { return array_; }

 private:
  std::string array_;
};

/// Writes the whole state under `prefix`, the number of iterations done excepted. Throws StateNotFinite.
void write_state(Hdf5File& file, Method& method, const std::string& prefix, NotFinite not_finite);

/// Reads the parameters and running statistics of a network, whose names in the file begin with `prefix`
/// ("energy/"). Throws Error naming what is missing or misshapen, before anything changes.
void read_network(const Hdf5File& file, Kernels& kernels, Network& network, const std::string& prefix);

/// Reads it back from under `prefix`. Everything is read and checked before anything changes. Throws Error
/// naming what is missing, misshapen or not finite.
void read_state(const Hdf5File& file, Method& method, const std::string& prefix = "");

}  // namespace ebm
