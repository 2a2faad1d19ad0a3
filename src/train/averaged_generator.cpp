// SPDX-License-Identifier: MIT
#include "train/averaged_generator.h"

#include <algorithm>

namespace ebm {

AveragedGenerator::AveragedGenerator(Method& method) : method_(method) {
  const std::vector<Learner*>& learners = method.learners();
  const auto found = std::find_if(learners.begin(), learners.end(),
                                  [](const Learner* learner) { return learner->name() == "generator"; });
  if (found == learners.end() || (*found)->average() == nullptr ||
      !(*found)->network().couples_samples(Statistics::batch))
    return;
  learner_ = *found;
  Network& network = learner_->evaluated();
  const int64_t batch = method.training().batch;  // of all ranks: one computes what any number of them would
  trace_ = network.make_trace(
      {.batch = batch, .statistics = Statistics::batch, .precision = Precision::full, .kept = Kept::nothing});
  z_ = Tensor(method.kernels(), batch, network.input());
  x_ = Tensor(method.kernels(), batch, network.output());
  draw_ = Buffer<uint64_t>(method.kernels(), 1);
}

void AveragedGenerator::settle(int64_t iteration) {
  if (learner_ == nullptr || iteration == settled_) return;
  settled_ = iteration;
  learner_->copy_statistics();
  constexpr int64_t at_once = 4;  // numbers of noise
  const int64_t numbers = (z_.view().size() + at_once - 1) / at_once * at_once;
  for (int64_t i = 0; i < forwards; ++i) {
    method_.kernels().noise({.distribution = Distribution::normal,
                             .seed = static_cast<uint64_t>(method_.training().seed),
                             .stream = static_cast<uint32_t>(Stream::averaged_statistics),
                             .iteration = draw_.data(),
                             .first = i * numbers},
                            z_);
    learner_->evaluated().forward(*trace_, z_, x_);
  }
}

}  // namespace ebm
