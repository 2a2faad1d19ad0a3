// SPDX-License-Identifier: MIT
// The numbers of one iteration, on the device: columns of run.h5, progress lines, what must be finite.
#pragma once

#include <string>
#include <vector>

#include "kernels/kernels.h"

namespace ebm {

/// What becomes of a number beside its column in run.h5: `quiet` nothing, `shown` stands in progress lines,
/// `loss` too, and a run stops where it is NaN or Inf.
enum class NumberRole { quiet, shown, loss };

class Numbers {
 public:
  explicit Numbers(Kernels& kernels) : kernels_(kernels), block_(kernels, 1) {}

  struct Entry {
    std::string name;
    NumberRole role;
  };

  /// The next number; where a method's formulas write it. Throws Error when there is no room for more.
  float* add(const std::string& name, NumberRole role);
  const std::vector<Entry>& entries() const { return entries_; }
  /// Becomes 1 when a parameter becomes NaN or Inf, and stays so.
  int32_t* not_finite() { return &block_.data()->not_finite; }

  /// What a readback copies to the host.
  const void* block() const { return block_.data(); }
  static constexpr int64_t bytes() { return sizeof(Block); }
  /// A copy of block(): the numbers in the order of entries().
  struct Values {
    std::vector<float> numbers;
    bool not_finite;
  };
  Values values_of(const void* host_block) const;
  /// Waits for the device.
  Values download() const;

 private:
  static constexpr size_t most = 31;
  struct Block {
    float numbers[most];
    int32_t not_finite;
  };

  Kernels& kernels_;
  Buffer<Block> block_;
  std::vector<Entry> entries_;
};

}  // namespace ebm
