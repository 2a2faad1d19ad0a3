// SPDX-License-Identifier: MIT
// How the CPU runs a formula: threads share the rows (or columns), SIMD inside.
//
// Every sum is taken in an order that depends on the sizes alone, never on the number of threads.
#pragma once

#include <algorithm>
#include <type_traits>
#include <vector>

#include "kernels/cpu/parts.h"
#include "kernels/cpu/threads.h"
#include "kernels/formulas/element.h"

namespace ebm::cpu {

/// One thread that plays a whole team. Very short loops go without SIMD: its preparations take several times
/// as long as they do.
struct Team {
  using Elements = Element;
  static constexpr int64_t short_loop = 8;

  template <class F>
  double sum(int64_t n, F f) const {
    double total = 0;
    if (n < short_loop) {
      for (int64_t i = 0; i < n; ++i) total += f(i);
    } else {
#pragma omp simd reduction(+ : total)
      for (int64_t i = 0; i < n; ++i) total += f(i);
    }
    return total;
  }
  template <class F>
  auto sums(int64_t n, F f) const {
    decltype(f(n)) all;
    constexpr int terms = sizeof(all) / sizeof(double);
#pragma GCC unroll 8
    for (int k = 0; k < terms; ++k) all.of[k] = sum(n, [=](int64_t i) { return f(i).of[k]; });
    return all;
  }
  template <class F>
  void each(int64_t n, F f) const {
    if (n < short_loop) {
      for (int64_t i = 0; i < n; ++i) f(i);
    } else {
#pragma omp simd
      for (int64_t i = 0; i < n; ++i) f(i);
    }
  }
  template <class F>
  void single(F f) const {
    f();
  }
};

class Launcher {
 public:
  explicit Launcher(Threads& threads) : threads_(threads) {}

  template <class Formula>
  void launch(const Formula& formula) {
    if constexpr (Formula::pattern == Pattern::elements || Formula::pattern == Pattern::map) {
      map(formula);
    } else if constexpr (Formula::pattern == Pattern::columns) {
      columns(formula);
    } else {
      teams(formula);
    }
  }

 private:
  // The loops take their formula by value: then the compiler knows that no store changes it.

  template <class Stored, class Formula>
  static void map_block(const Formula f, Slice rows, Slice columns) {
    for (int64_t row = rows.first; row < rows.last; ++row) {
#pragma omp simd
      for (int64_t column = columns.first; column < columns.last; ++column) {
        if constexpr (Formula::pattern == Pattern::elements) {
          const ElementOf<Stored> e{row, column, f.columns};
          e.write(f.output(), f(e));
        } else {
          f(row, column);
        }
      }
    }
  }

  template <class Formula>
  void map(const Formula& f) {
    const bool tall = f.rows >= f.columns;
    const Parts parts = cut(tall ? f.rows : f.columns, f.rows * f.columns);
    by_type(f, [&]<class Stored>(Stored) {
      threads_.start(parts.count, [=](int64_t i) {
        tall ? map_block<Stored>(f, parts[i], {0, f.columns}) : map_block<Stored>(f, {0, f.rows}, parts[i]);
      });
    });
  }

  /// sums[term][c] += the terms of `count` rows, one after the other.
  template <class Stored, int count, int terms, class Formula, int64_t width>
  static void add_rows(const Formula f, int64_t row, Slice columns, double (&sums)[terms][width]) {
#pragma GCC ivdep  // omp simd would keep each Sums in memory
    for (int64_t column = columns.first; column < columns.last; ++column) {
      const int64_t c = column - columns.first;
      const ElementOf<Stored> first{row, column, f.columns};
      decltype(f.term(first)) t[count];  // all rows' before the first is written: no load waits for a store
#pragma GCC unroll 4
      for (int r = 0; r < count; ++r) t[r] = f.term(ElementOf<Stored>{row + r, column, f.columns});
#pragma GCC unroll 4
      for (int r = 0; r < count; ++r) {
        if constexpr (requires { t[r].element; }) {
          if (present(f.output()))
            ElementOf<Stored>{row + r, column, f.columns}.write(f.output(), t[r].element);
        }
        for (int k = 0; k < terms; ++k) sums[k][c] += sums_of(t[r]).of[k];
      }
    }
  }

  /// out[term][column] = sum over `rows` of the terms.
  template <class Stored, int terms, class Formula>
  static void sum_rows(const Formula f, Slice rows, double* out) {
    constexpr int64_t width = 128;  // columns summed side by side, in the cache nearest to the core
    for (int64_t first = 0; first < f.columns; first += width) {
      const int64_t count = std::min(width, f.columns - first);
      double sums[terms][width] = {};
      int64_t row = rows.first;
      for (; row + 4 <= rows.last; row += 4) add_rows<Stored, 4>(f, row, {first, first + count}, sums);
      for (; row < rows.last; ++row) add_rows<Stored, 1>(f, row, {first, first + count}, sums);
      for (int k = 0; k < terms; ++k) std::copy_n(sums[k], count, out + k * f.columns + first);
    }
  }

  /// partial[0] += the partial sums of the other segments, and the formula's last step.
  template <class S, class Formula>
  static void finish_columns(const Formula f, int64_t segments, double* const partial) {
    constexpr int terms = sizeof(S) / sizeof(double);
    const int64_t count = terms * f.columns;
    for (int64_t segment = 1; segment < segments; ++segment) {
      const double* const more = partial + segment * count;
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) partial[i] += more[i];
    }
#pragma GCC ivdep  // omp simd would keep each S in memory
    for (int64_t column = 0; column < f.columns; ++column) {
      S total;
      for (int k = 0; k < terms; ++k) total.of[k] = partial[k * f.columns + column];
      f.finish(column, total);
    }
  }

  template <class Formula>
  void columns(const Formula& f) {
    using S = std::remove_cvref_t<decltype(sums_of(f.term(Element{})))>;
    constexpr int terms = sizeof(S) / sizeof(double);
    const Parts segments = cut(f.rows, f.rows * f.columns, 8);
    // Partial sums [segment][term][column]; the buffer only ever grows, so that an iteration allocates
    // nothing after the first.
    const size_t needed = static_cast<size_t>(segments.count * terms * f.columns);
    if (partial_.size() < needed) partial_.resize(needed);
    double* const partial = partial_.data();
    by_type(f, [&]<class Stored>(Stored) {
      threads_.run(segments.count, [&](int64_t segment) {
        sum_rows<Stored, terms>(f, segments[segment], partial + segment * terms * f.columns);
      });
    });
    finish_columns<S>(f, segments.count, partial);
  }

  template <class Formula>
  static void team_rows(const Formula f, Slice rows) {
    for (int64_t row = rows.first; row < rows.last; ++row) f(Team{}, row);
  }

  template <class Formula>
  void teams(const Formula& f) {
    constexpr int64_t start = 32;  // what a row costs by itself, in elements
    const Parts parts = cut(f.rows, f.rows * (f.work() + start));
    threads_.start(parts.count, [=](int64_t i) { team_rows(f, parts[i]); });
  }

  Threads& threads_;
  std::vector<double> partial_;
};

}  // namespace ebm::cpu
