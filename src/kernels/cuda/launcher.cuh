// SPDX-License-Identifier: MIT
// How a GPU runs a formula: one kernel for each pattern of formula.h.
//
// Every sum is taken in an order that depends on the sizes alone. Nothing divides by a size: the indices come
// from a grid of two dimensions, whose blocks are as wide as the columns (up to 32 or 256), so that
// neighbours in a warp read neighbours in memory for narrow and for wide arrays alike.
#pragma once

#include <algorithm>
#include <bit>
#include <cub/block/block_reduce.cuh>
#include <limits>
#include <typeinfo>

#include "core/error.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/launcher.h"

namespace ebm::cuda {

inline constexpr int block_threads = 256;

/// A block of 256 threads, as wide as `columns` (a power of two, at most `widest`).
inline dim3 block_over(int64_t columns, int64_t widest) {
  const auto width = static_cast<unsigned>(std::bit_ceil(static_cast<uint64_t>(std::min(columns, widest))));
  return {width, block_threads / width};
}

// map

template <class Formula>
__global__ void __launch_bounds__(block_threads) map_kernel(const Formula f) {
  const int64_t row_step = int64_t{gridDim.y} * blockDim.y, column_step = int64_t{gridDim.x} * blockDim.x;
  // Not unrolled: to count the rounds beforehand takes a 64-bit division, more than most formulas do
  // themselves.
#pragma unroll 1
  for (int64_t row = int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < f.rows; row += row_step) {
#pragma unroll 1
    for (int64_t column = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; column < f.columns;
         column += column_step) {
      f(row, column);
    }
  }
}

template <class Formula>
void Launcher::map(const Formula& f) {
  const dim3 block = block_over(f.columns, block_threads);
  const int64_t across = std::min(divide_up(f.columns, block.x), most_blocks);
  const int64_t down = std::min(divide_up(f.rows, block.y), most_blocks / across);
  cuda::launch(context_.stream(), dim3(static_cast<unsigned>(across), static_cast<unsigned>(down)), block,
               typeid(Formula).name(), map_kernel<Formula>, f);
}

// columns

/// The sums of segments, summed in turn.
template <class S>
struct PartialSums {
  const S* sums;  // segments x columns
  int64_t columns;

  EBM_DEVICE S term(int64_t segment, int64_t column) const { return sums[segment * columns + column]; }
};

template <class S>
EBM_DEVICE void add(S& sums, const S& more) {
  for (int k = 0; k < static_cast<int>(sizeof(S) / sizeof(double)); ++k) sums.of[k] += more.of[k];
}

/// Sums source.term over rows blockIdx.y * segment_rows and the following segment_rows - 1. Each of a block's
/// blockDim.y rows of threads sums every blockDim.y-th of them; these partial sums are added pairwise. The
/// sums go to partial[blockIdx.y], or to f.finish if `partial` is null.
template <class S, class Formula, class Source>
__global__ void __launch_bounds__(block_threads)
    columns_kernel(const Formula f, const Source source, int64_t rows, int64_t segment_rows, S* partial) {
  const int64_t column = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  const int64_t first = int64_t{blockIdx.y} * segment_rows;
  const auto count = static_cast<unsigned>(rows - first < segment_rows ? rows - first : segment_rows);
  const unsigned slot = threadIdx.y * blockDim.x + threadIdx.x;
  S sums{};
  if (column < f.columns) {
#pragma unroll 4
    for (unsigned row = threadIdx.y; row < count; row += blockDim.y)
      add(sums, source.term(first + row, column));
  }
  __shared__ S shared[block_threads];
  shared[slot] = sums;
  for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half) add(shared[slot], shared[slot + half * blockDim.x]);
  }
  if (threadIdx.y > 0 || column >= f.columns) return;
  if (partial != nullptr) {
    partial[int64_t{blockIdx.y} * f.columns + column] = shared[slot];
  } else {
    f.finish(column, shared[slot]);
  }
}

template <class Formula>
void Launcher::columns(const Formula& f) {
  using S = decltype(f.term(0, 0));
  constexpr int64_t terms = sizeof(S) / sizeof(double);
  constexpr int64_t rows_each =
      8;  // rows that a thread sums at least: below it, a second step costs more than it saves
  constexpr int64_t enough_blocks = 1024;
  const dim3 block = block_over(f.columns, 32);
  const int64_t across = divide_up(f.columns, block.x);
  const int64_t most_segments = std::min(enough_blocks / across, partial_doubles / (f.columns * terms));
  const int64_t wanted =
      std::clamp<int64_t>(f.rows / (block.y * rows_each), 1, std::max<int64_t>(1, most_segments));
  const int64_t segment_rows = divide_up(f.rows, wanted);
  const int64_t segments = divide_up(f.rows, segment_rows);
  const dim3 grid(static_cast<unsigned>(across), static_cast<unsigned>(segments));
  S* const partial = segments > 1 ? static_cast<S*>(partial_.data()) : nullptr;
  cuda::launch(context_.stream(), grid, block, typeid(Formula).name(), columns_kernel<S, Formula, Formula>, f,
               f, f.rows, segment_rows, partial);
  if (segments > 1) {
    cuda::launch(context_.stream(), dim3(static_cast<unsigned>(across)), block, typeid(Formula).name(),
                 columns_kernel<S, Formula, PartialSums<S>>, f, PartialSums<S>{partial, f.columns}, segments,
                 segments, static_cast<S*>(nullptr));
  }
}

// teams

/// A block of `threads` threads.
template <int threads>
struct Team {
  using Reduce = cub::BlockReduce<double, threads>;
  struct Shared {
    typename Reduce::TempStorage reduce;
    double sum;
  };
  Shared& shared;

  template <class F>
  EBM_DEVICE double sum(int64_t n, F f) const {
    double mine = 0;
    for (int64_t i = threadIdx.x; i < n; i += threads) mine += f(i);
    const double total = Reduce(shared.reduce).Sum(mine);
    if (threadIdx.x == 0) shared.sum = total;
    __syncthreads();
    const double all = shared.sum;
    __syncthreads();  // nobody starts the next sum in the same shared memory before all have read this one
    return all;
  }
  template <class F>
  EBM_DEVICE void each(int64_t n, F f) const {
    for (int64_t i = threadIdx.x; i < n; i += threads) f(i);
    __syncthreads();
  }
  template <class F>
  EBM_DEVICE void single(F f) const {
    if (threadIdx.x == 0) f();
    __syncthreads();
  }
};

template <int threads, class Formula>
__global__ void __launch_bounds__(threads) team_kernel(const Formula f) {
  __shared__ typename Team<threads>::Shared shared;
  f(Team<threads>{shared}, int64_t{blockIdx.x});
}

template <class Formula>
void Launcher::teams(const Formula& f) {
  if (f.rows > std::numeric_limits<int>::max()) {
    throw Error(std::to_string(f.rows) + " rows are too many for one launch; use a smaller batch");
  }
  const auto run = [&]<int threads>(void (*kernel)(Formula)) {
    cuda::launch(context_.stream(), dim3(static_cast<unsigned>(f.rows)), dim3(threads),
                 typeid(Formula).name(), kernel, f);
  };
  const int64_t work = f.work();
  if (work <= 64) {
    run.template operator()<32>(team_kernel<32, Formula>);
  } else if (work <= 2048) {
    run.template operator()<128>(team_kernel<128, Formula>);
  } else {
    run.template operator()<512>(team_kernel<512, Formula>);
  }
}

template <class Formula>
void Launcher::launch(const Formula& f) {
  if constexpr (Formula::pattern == Pattern::teams) {
    teams(f);
  } else {
    if (f.columns == 0) return;
    if constexpr (Formula::pattern == Pattern::map) {
      map(f);
    } else {
      columns(f);
    }
  }
}

}  // namespace ebm::cuda
