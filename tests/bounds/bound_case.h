// SPDX-License-Identifier: MIT
// The cases that the tests of lower bounds run on, and what the oracle makes of them sample by sample.
#pragma once

#include <string>
#include <vector>

#include "bounds/bounds_fixture.h"

namespace ebm::test {

struct BoundCase {
  static constexpr int64_t batch = 5, hidden = 11;

  std::string name;
  EntropyBoundOptions options;
  int64_t d;
  Output output;
  int64_t D = d + 1;

  int64_t range() const { return D; }
  bool preconditioned() const { return options.preconditioning == Preconditioning::running_gram; }
};
inline std::ostream& operator<<(std::ostream& out, const BoundCase& bound) {
  return out << bound.name;
}

/// Every kind of bound and path of it, with and without a curved layer in the generator.
std::vector<BoundCase> bound_cases();

struct ExpectedBound {
  reference::Network generator;
  Rows z, v0, p0;
  std::vector<Rows> e = {};  ///< range probes: as many rounds as make the preconditioner act
  double condition = 1;
  std::vector<reference::EntropySample> samples = {};
  std::vector<reference::SampleGradient> gradients = {};
  std::vector<double> log_s1 = {};
  Rows jv0 = {};

  std::vector<double> values() const;
  /// The gradient of the sum over all samples but one (-1: over all).
  std::vector<double> parameter_gradient(int64_t without = -1) const;
  std::vector<double> z_gradient() const;
};

ExpectedBound expected_bound(const BoundCase& bound, const reference::Network& generator);
/// With a generator of random numbers.
ExpectedBound expected_bound(const BoundCase& bound);

}  // namespace ebm::test
