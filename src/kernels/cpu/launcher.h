// SPDX-License-Identifier: MIT
// How the CPU runs a formula: OpenMP threads over rows or columns, SIMD inside.
//
// Every sum is taken in an order that depends on the sizes alone, never on the number of threads.
#pragma once

#include <omp.h>

#include <algorithm>
#include <vector>

#include "kernels/formulas/formula.h"

namespace ebm::cpu {

/// Below this many elements a second thread costs more (waking it) than it saves.
inline constexpr int64_t parallel_elements = 32 * 1024;

inline bool worth_threads(int64_t elements) {
  return elements >= parallel_elements && omp_get_max_threads() > 1;
}

/// One thread that plays a whole team.
struct Team {
  template <class F>
  double sum(int64_t n, F f) const {
    double total = 0;
#pragma omp simd reduction(+ : total)
    for (int64_t i = 0; i < n; ++i) total += f(i);
    return total;
  }
  template <class F>
  void each(int64_t n, F f) const {
#pragma omp simd
    for (int64_t i = 0; i < n; ++i) f(i);
  }
  template <class F>
  void single(F f) const {
    f();
  }
};

class Launcher {
 public:
  template <class Formula>
  void launch(const Formula& formula) {
    if constexpr (Formula::pattern == Pattern::map) {
      map(formula);
    } else if constexpr (Formula::pattern == Pattern::columns) {
      columns(formula);
    } else {
      teams(formula);
    }
  }

 private:
  template <class Formula>
  static void map_block(const Formula f, int64_t first_row, int64_t last_row, int64_t first_column,
                        int64_t last_column) {
    for (int64_t row = first_row; row < last_row; ++row) {
#pragma omp simd
      for (int64_t column = first_column; column < last_column; ++column) f(row, column);
    }
  }

  template <class Formula>
  void map(const Formula& f) {
    if (!worth_threads(f.rows * f.columns)) {
      map_block(f, 0, f.rows, 0, f.columns);
      return;
    }
    const int64_t threads = omp_get_max_threads();
#pragma omp parallel for schedule(static)
    for (int64_t part = 0; part < threads; ++part) {
      if (f.rows >= threads) {
        map_block(f, f.rows * part / threads, f.rows * (part + 1) / threads, 0, f.columns);
      } else {
        map_block(f, 0, f.rows, f.columns * part / threads, f.columns * (part + 1) / threads);
      }
    }
  }

  static constexpr int64_t block_columns = 16;   // columns summed side by side in vector registers
  static constexpr int64_t segment_rows = 4096;  // rows summed in one go; segments are added in order

  /// Sums of columns first .. first + count (count <= block_columns) over rows first_row .. last_row.
  template <class Formula, class S>
  static void column_block(const Formula f, int64_t first_row, int64_t last_row, int64_t first, int64_t count,
                           S* out) {
    constexpr int terms = sizeof(S) / sizeof(double);
    double sums[terms][block_columns] = {};
    if (count == block_columns) {
      for (int64_t row = first_row; row < last_row; ++row) {
#pragma omp simd
        for (int64_t c = 0; c < block_columns; ++c) {
          const S t = f.term(row, first + c);
          for (int k = 0; k < terms; ++k) sums[k][c] += t.of[k];
        }
      }
    } else {
      for (int64_t row = first_row; row < last_row; ++row) {
        for (int64_t c = 0; c < count; ++c) {
          const S t = f.term(row, first + c);
          for (int k = 0; k < terms; ++k) sums[k][c] += t.of[k];
        }
      }
    }
    for (int64_t c = 0; c < count; ++c) {
      for (int k = 0; k < terms; ++k) out[c].of[k] = sums[k][c];
    }
  }

  template <class Formula>
  void columns(const Formula& f) {
    using S = decltype(f.term(0, 0));
    const int64_t blocks = (f.columns + block_columns - 1) / block_columns;
    const int64_t segments = std::max<int64_t>(1, (f.rows + segment_rows - 1) / segment_rows);
    // Partial sums [segment][column]; the buffer only ever grows, so that an iteration allocates nothing
    // after the first.
    const size_t needed = static_cast<size_t>(segments * f.columns) * (sizeof(S) / sizeof(double));
    if (partial_.size() < needed) partial_.resize(needed);
    S* partial = reinterpret_cast<S*>(partial_.data());

    const auto sum_task = [&](int64_t task) {
      const int64_t segment = task / blocks, first = task % blocks * block_columns;
      column_block(f, segment * segment_rows, std::min(f.rows, (segment + 1) * segment_rows), first,
                   std::min(block_columns, f.columns - first), partial + segment * f.columns + first);
    };
    if (worth_threads(f.rows * f.columns)) {
#pragma omp parallel for schedule(static)
      for (int64_t task = 0; task < segments * blocks; ++task) sum_task(task);
    } else {
      for (int64_t task = 0; task < segments * blocks; ++task) sum_task(task);
    }
    for (int64_t column = 0; column < f.columns; ++column) {
      S total = partial[column];
      for (int64_t segment = 1; segment < segments; ++segment) {
        for (size_t k = 0; k < sizeof(S) / sizeof(double); ++k) {
          total.of[k] += partial[segment * f.columns + column].of[k];
        }
      }
      f.finish(column, total);
    }
  }

  template <class Formula>
  void teams(const Formula& f) {
    if (worth_threads(f.rows * f.work()) && f.rows > 1) {
#pragma omp parallel for schedule(static)
      for (int64_t row = 0; row < f.rows; ++row) f(Team{}, row);
    } else {
      for (int64_t row = 0; row < f.rows; ++row) f(Team{}, row);
    }
  }

  std::vector<double> partial_;
};

}  // namespace ebm::cpu
