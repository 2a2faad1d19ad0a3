// SPDX-License-Identifier: MIT
#pragma once
// StackedMNIST: 128,000 images of three MNIST digits as red, green and blue; 1000 modes.

#include "data/dataset.h"

namespace ebm {

struct StackedMnistOptions {
  int64_t count = 128'000;
  uint32_t seed = 111;
};

/// Channel c of image i is digit image t[i][c], drawn as NumPy does it after numpy.random.seed(seed):
/// t = numpy.random.randint(0, N, size=(count, 3)). With the official MNIST training images this is the data
/// set that MEG and the paper use. The label is the number that the digits make: red the hundreds, green the
/// tens, blue the units.
void stack_mnist(const Dataset& mnist, const StackedMnistOptions& options, ImageSink& sink);

}  // namespace ebm
