// SPDX-License-Identifier: MIT
// What a formula is.
//
// A formula is a struct with named arguments (pointers into device memory and sizes) and the mathematics of
// ONE element, column or row. Kernels::run(formula) runs it over all of them; src/kernels/cpu compiles it
// with g++, src/kernels/cuda with nvcc, so each formula of this project is written once. Its `pattern` says
// how it is run:
//
//   map      f(row, column)                  every element on its own, in any order
//   columns  f.term(row, column) -> Sums<N>  summed over the rows in float64, then f.finish(column, sums).
//                                            term() may write its own element: each is visited exactly once
//   teams    f(team, row)                    a team of threads does a row together:
//                                            team.sum(n, g) -> double (all get it), team.each(n, g),
//                                            team.single(g); what a team wrote is seen by the whole team
//                                            after the call. f.work() is about the length of its loops
//
// arrays(uses) tells what a launch reads and writes (kernels/arrays.h), all rows together.
//
// Every formula has `rows` and `columns` (teams: rows only). All orders of summation are fixed: the same
// input gives the same bits, whatever the batch around a row.
#pragma once

#include <cmath>
#include <cstdint>

#ifdef __CUDACC__
#define EBM_HD __host__ __device__
#define EBM_DEVICE __device__
#else
#define EBM_HD
#define EBM_DEVICE
#endif

namespace ebm {

enum class Pattern { map, columns, teams };

/// N float64 sums that a `columns` formula gathers for each column.
template <int N>
struct Sums {
  double of[N];
};

/// out = value, or out += value.
enum class Write { overwrite, accumulate };

/// a / b and a % b of numbers below 2^32: a GPU takes many times as long for 64 bits.
EBM_HD inline int64_t quotient32(int64_t a, int64_t b) {
  return static_cast<uint32_t>(a) / static_cast<uint32_t>(b);
}
EBM_HD inline int64_t remainder32(int64_t a, int64_t b) {
  return static_cast<uint32_t>(a) % static_cast<uint32_t>(b);
}

/// Neither NaN nor Inf.
EBM_HD inline bool is_finite(double x) {
  return fabs(x) <= 1.7976931348623157e308;
}

EBM_HD inline void write(float& out, float value, Write mode) {
  out = mode == Write::accumulate ? out + value : value;
}

}  // namespace ebm
