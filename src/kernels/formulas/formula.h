// SPDX-License-Identifier: MIT
// What a formula is.
//
// A formula is a struct with named arguments (pointers into device memory and sizes) and the mathematics of
// ONE element, column or row. Kernels::run(formula) runs it over all of them; src/kernels/cpu compiles it
// with g++, src/kernels/cuda with nvcc, so each formula of this project is written once. Its `pattern` says
// how it is run:
//
//   elements f(e)                            the value of element e of f.output(), rows x columns: a pure
//                                            function, which may read that element's old value
//   columns  f.term(e) -> Sums<N>            summed over the rows in float64, then f.finish(column, sums). Or
//                                            -> SumsAndElement, whose element goes to f.output(), if that is
//                                            not null
//   map      f(row, column)                  anything else for each (row, column) on its own, in any order
//   teams    f(team, row)                    a team of threads does a row together:
//                                            team.sum(n, g) -> double, team.sums(n, g) -> Sums<N> (all get
//                                            them), team.each(n, g), team.single(g); what a team wrote is
//                                            seen by the whole team after the call. f.work() is about the
//                                            length of its loops
//
// arrays(uses) tells what a launch reads and writes (kernels/arrays.h), all rows together.
//
// Every formula has `rows` and `columns` (teams: rows only). All orders of summation are fixed: the same
// input gives the same bits, whatever the batch around a row.
//
// `e` is an ElementOf (element.h), or neighbours of a row at once (pack.h): then its values are of as many
// numbers each. f.aligned() names the arrays that are read or written through e.
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

enum class Pattern { elements, columns, map, teams };

/// N sums of each column that a `columns` formula gathers, in float64.
template <int N, class T = double>
struct Sums {
  T of[N];
};
template <class T, class... More>
Sums(T, More...) -> Sums<1 + sizeof...(More), T>;

/// What a `columns` formula that writes its elements in the same pass makes of one.
template <class S, class Value>
struct SumsAndElement {
  S sums;
  Value element;
};
template <class S, class Value>
SumsAndElement(S, Value) -> SumsAndElement<S, Value>;

/// The sums among what a term is.
template <int N, class T>
EBM_HD const Sums<N, T>& sums_of(const Sums<N, T>& term) {
  return term;
}
template <class S, class Value>
EBM_HD const S& sums_of(const SumsAndElement<S, Value>& term) {
  return term.sums;
}

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
