// SPDX-License-Identifier: MIT
// Whole iterations of random networks, with what the oracle makes of them.
#pragma once

#include "train/played.h"

namespace ebm::test {

struct OracleNetworks {
  reference::NetworkSpec energy, generator;
  int64_t d;
  Features data;
};

/// Where an iteration starts, and what the oracle makes of it.
struct OracleIteration {
  EbmBbOptions options;
  Features data;
  reference::EbmBbState state;
  reference::EbmBbInputs in;
  ExpectedIteration expected;
};

OracleIteration oracle_iteration(const EbmBbOptions& options, const OracleNetworks& networks);

/// One iteration of these networks, which are those of `start`.
void expect_oracles_iteration(Kernels& kernels, const NetworkMakers& networks, const OracleIteration& start);

}  // namespace ebm::test
