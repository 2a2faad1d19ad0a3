// SPDX-License-Identifier: MIT
// Golden files: three consecutive iterations each, computed in float64 by tests/golden/make_toy_goldens.py,
// whose head says what stands where.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "io/hdf5_file.h"
#include "methods/ebm_bb.h"
#include "reference/network.h"
#include "support/recorded.h"

namespace ebm::test {

/// The names of the golden files toy_*.h5, without ".h5"; none where there is no folder of them. The others are
/// read by tests/methods/golden_test.cpp.
std::vector<std::string> golden_names();

/// One iteration of a golden file.
class GoldenIteration {
 public:
  /// Throws Error when the file or the iteration is not there.
  GoldenIteration(const std::string& name, int64_t iteration);

  EbmBbOptions options() const;
  /// The networks' layers, named as in the file.
  NetworkMakers networks() const;
  /// The generator before the iteration, for the oracle.
  reference::Network generator_oracle(const Parameters& parameters) const;

  bool has(const std::string& path) const { return file_.has(group_ + path); }
  /// "inputs/x" ...: float32, as used. A list of numbers is one column.
  reference::Matrix<double> input(const std::string& path) const;
  /// "results/penalty" ...: float64.
  std::vector<double> values(const std::string& path) const;
  /// The arrays folder + NAME of all `parameters` one after the other: "gradients/energy/",
  /// "after/generator/".
  std::vector<double> gathered(const std::string& folder, const std::deque<Parameter>& parameters) const;

  /// Everything that the iteration drew.
  void record(RecordedNoise& noise) const;
  /// Gives `method` the state before the iteration.
  void restore(Method& method) const;

 private:
  std::unique_ptr<Layer> energy() const;
  std::unique_ptr<Layer> generator() const;
  reference::NetworkSpec generator_spec() const;
  int64_t integer(const char* name) const { return file_.read_attribute<int64_t>(group_, name); }
  double number(const char* name) const { return file_.read_attribute<double>(group_, name); }
  std::string text(const char* name) const { return file_.read_attribute<std::string>(group_, name); }

  Hdf5File file_;
  std::string group_;  // "iteration-1/"
};

}  // namespace ebm::test
