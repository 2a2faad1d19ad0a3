// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <vector>

#include "kernels/cpu/threads.h"
#include "kernels/kernels.h"

namespace ebm::cpu {

/// Products and convolutions of bfloat16 on the CPU: of the same numbers in float32, whose results are
/// rounded. So they are what a GPU computes but for the order of sums, and slower than float32: here bfloat16
/// is for trying what a GPU will do.
class Expanded {
 public:
  explicit Expanded(Threads& threads) : threads_(threads) {}

  /// The `count` numbers of x as float32: x itself, or a copy in `place`, which is good until the next one
  /// there.
  enum Place { first, second, result };
  const float* operand(ConstArray x, int64_t count, Place place);
  /// Where y's numbers are to be computed, and what puts them into y afterwards.
  float* output(Array y, int64_t count);
  void finish(Array y, int64_t count);

 private:
  float* memory(Place place, int64_t count);

  Threads& threads_;
  std::array<std::vector<float>, 3> memory_;  // they only grow
};

}  // namespace ebm::cpu
