// SPDX-License-Identifier: MIT
// One iteration of EBM-BB, read between its steps, and held against what an oracle says of it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "methods/ebm_bb.h"
#include "reference/ebm_bb.h"
#include "support/networks.h"

namespace ebm::test {

/// What an iteration did to one network; parameters one after the other.
struct PlayedNetwork {
  std::vector<double> before;
  reference::Moments moments_before;
  std::vector<float> gradient, after, exp_avg, exp_avg_sq;
  int64_t steps;
};

struct Played {
  /// Under the names of a dump's results/.
  std::map<std::string, std::vector<float>> results;
  PlayedNetwork energy, generator;
  std::vector<float> running;  ///< the generator's statistics after the iteration
};

/// Runs one iteration.
Played play(EbmBb& ebm_bb);

/// What an oracle says of it.
struct ExpectedIteration {
  std::map<std::string, std::vector<double>> results;
  std::vector<double> energy_gradient, generator_gradient, running;
  /// s_1 < s_2 < ... of J at the points of each sample's vectors: "v", "v_generator".
  std::map<std::string, std::vector<reference::Vector<double>>> spectra;

  double condition() const;  ///< the largest s_d / s_1
};

/// Singular values of J at the rows of z.
std::vector<reference::Vector<double>> spectra_of(const reference::Network& generator,
                                                  const reference::Matrix<double>& z);

/// Results, gradients and statistics agree; Adam made of the gradients what it should.
void expect_iteration(EbmBb& ebm_bb, const Played& played, const ExpectedIteration& expected);

}  // namespace ebm::test
