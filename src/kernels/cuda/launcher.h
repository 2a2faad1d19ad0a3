// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cuda/check.h"
#include "kernels/cuda/context.h"
#include "kernels/formulas/formula.h"

namespace ebm::cuda {

/// How a GPU runs a formula. The kernels and the members' definitions are in launcher.cuh.
class Launcher {
 public:
  explicit Launcher(const Context& context) : context_(context) {
    check(cudaMemsetAsync(arrived_.data(), 0, arrived_bytes, context.stream()), "cudaMemsetAsync");
  }

  template <class Formula>
  void launch(const Formula& formula);

 private:
  template <class Stored, class Formula>
  void elements(const Formula& f);
  /// One thread, or several turns of it, for each (row, i), i < `across`.
  template <class Formula>
  void spread(const Formula& f, int64_t across, void (*kernel)(Formula));
  template <class Stored, class Formula>
  void columns(const Formula& f);
  template <class Formula>
  void teams(const Formula& f);

  // Sums of segments of rows, while a `columns` formula runs. It never grows: a recorded graph holds its
  // address.
  static constexpr int64_t partial_doubles = 128 * 1024;
  static constexpr int64_t max_summing_blocks = 1024;
  // A counter for each block of columns, which are up to 8 times as narrow where an array is not aligned.
  static constexpr size_t arrived_bytes = 8 * max_summing_blocks * sizeof(unsigned);

  const Context& context_;
  DeviceBlock partial_{partial_doubles * sizeof(double)};
  DeviceBlock arrived_{arrived_bytes};
};

}  // namespace ebm::cuda
