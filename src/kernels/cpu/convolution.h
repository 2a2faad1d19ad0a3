// SPDX-License-Identifier: MIT
#pragma once

#include <memory>

#include "kernels/cpu/products.h"
#include "kernels/cpu/threads.h"
#include "kernels/kernels.h"

namespace ebm::cpu {

/// Convolutions through oneDNN, narrow ones and those with kernel 4 and stride 2 through products. Keeps what
/// a shape needs from one call to the next: after the first call of a shape, another allocates nothing.
class Convolutions {
 public:
  Convolutions(Threads& threads, Products& products);
  ~Convolutions();
  Convolutions(const Convolutions&) = delete;
  Convolutions& operator=(const Convolutions&) = delete;

  /// Throw Error if oneDNN refuses the convolution.
  void run(const ConvolutionForward& pass);
  void run(const ConvolutionBackwardData& pass);
  void run(const ConvolutionBackwardWeight& pass);

 private:
  struct Cache;
  std::unique_ptr<Cache> cache_;
};

}  // namespace ebm::cpu
