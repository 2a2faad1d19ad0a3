// SPDX-License-Identifier: MIT
// Every method with small networks, as ranks train it.
#pragma once

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "methods/ebm_bb_options.h"
#include "train/method.h"

namespace ebm::test {

enum class Norms { none, batch };

/// A method, and how it is made for some ranks.
struct RankCase {
  std::string name;
  std::function<std::unique_ptr<Method>(Kernels&, DataSource&, const TrainingOptions&)> make;
  int64_t energy_steps = 2;
};
inline std::ostream& operator<<(std::ostream& out, const RankCase& of) {
  return out << of.name;
}

std::vector<RankCase> rank_cases();
RankCase ebm_bb_case(const std::string& name, Norms norms, const std::function<void(EbmBbOptions&)>& change);
RankCase dcgan_case();

/// Of batches of 32, shared by `ranks`, with statistics of all of them in batch norms.
TrainingOptions training(const RankCase& of, Communicator* ranks);

/// Parameters, averages, statistics and numbers.
struct Trained {
  std::vector<float> state, numbers;
};

/// Appends a network's parameters and running statistics.
void append(std::vector<float>& to, Kernels& kernels, const Network& network);

/// What some iterations end with, recorded and launched as a run does.
Trained train(const RankCase& of, Kernels& kernels, const TrainingOptions& options, int64_t iterations);

}  // namespace ebm::test
