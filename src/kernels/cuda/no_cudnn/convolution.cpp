// SPDX-License-Identifier: MIT
// Stands in for cudnn/ in a build without cuDNN's headers.
#include "kernels/cuda/convolution.h"

namespace ebm::cuda {

namespace {

[[noreturn]] void refuse() {
  throw Error(
      "this build has no convolutions on GPUs, because cudnn.h was not there; install cuDNN 9 with its "
      "headers "
      "and build again with `make`, or use --device cpu");
}

}  // namespace

class Convolutions::State {};

Convolutions::Convolutions(const Context&) {}
Convolutions::~Convolutions() = default;

void Convolutions::tune(std::shared_ptr<PlanChoices>) {}

void Convolutions::run(const ConvolutionForward&) {
  refuse();
}
void Convolutions::run(const ConvolutionBackwardData&) {
  refuse();
}
ConstArray Convolutions::run(const ConvolutionBackwardWeight&) {
  refuse();
}

bool Convolutions::plan_missing() {
  return false;
}
void Convolutions::forget_missing() noexcept {}

}  // namespace ebm::cuda
