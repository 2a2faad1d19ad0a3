// SPDX-License-Identifier: MIT
// How a GPU runs a formula: one kernel for each pattern of formula.h.
//
// Every sum is taken in an order that depends on the sizes alone. Nothing divides by a size: the indices come
// from a grid of two dimensions, whose blocks are as wide as the columns (up to 32 or 256), so that
// neighbours in a warp read neighbours in memory for narrow and for wide arrays alike. Where the number of
// columns allows it, a thread takes the neighbours that fill 16 bytes, in one access.
#pragma once

#include <algorithm>
#include <bit>
#include <cub/block/block_reduce.cuh>
#include <limits>
#include <type_traits>
#include <typeinfo>

#include "core/error.h"
#include "kernels/cuda/launch.cuh"
#include "kernels/cuda/launcher.h"
#include "kernels/formulas/pack.h"

namespace ebm::cuda {

inline constexpr int block_threads = 256;

/// A block of 256 threads, as wide as `columns` (a power of two, at most `widest`).
inline dim3 block_over(int64_t columns, int64_t widest) {
  const auto width = static_cast<unsigned>(std::bit_ceil(static_cast<uint64_t>(std::min(columns, widest))));
  return {width, block_threads / width};
}

// elements and map

/// work(row, i) for each i < `across` of each row, by all threads of the grid together.
template <class F>
EBM_DEVICE void each_of(int64_t rows, int64_t across, F work) {
  const int64_t row_step = int64_t{gridDim.y} * blockDim.y, step = int64_t{gridDim.x} * blockDim.x;
  // Not unrolled: to count the rounds beforehand takes a 64-bit division, more than most formulas do
  // themselves.
#pragma unroll 1
  for (int64_t row = int64_t{blockIdx.y} * blockDim.y + threadIdx.y; row < rows; row += row_step) {
#pragma unroll 1
    for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < across; i += step) work(row, i);
  }
}

template <class E, class Formula>
__global__ void __launch_bounds__(block_threads, 1) elements_kernel(const Formula f) {
  wait_for_previous_kernel();
  each_of(f.rows, f.columns / E::count, [&](int64_t row, int64_t i) {
    const E e{row, E::count * i, f.columns};
    e.write(f.output(), f(e));
  });
}

template <class Formula>
__global__ void __launch_bounds__(block_threads) map_kernel(const Formula f) {
  wait_for_previous_kernel();
  each_of(f.rows, f.columns, [&](int64_t row, int64_t column) { f(row, column); });
}

template <class Formula>
void Launcher::spread(const Formula& f, int64_t across, void (*kernel)(Formula)) {
  const dim3 block = block_over(across, block_threads);
  const int64_t right = std::min(divide_up(across, block.x), max_blocks);
  const int64_t down = std::min(divide_up(f.rows, block.y), max_blocks / right);
  cuda::launch(context_, dim3(static_cast<unsigned>(right), static_cast<unsigned>(down)), block,
               typeid(Formula).name(), kernel, f);
}

template <class Stored, class Formula>
void Launcher::elements(const Formula& f) {
  constexpr int64_t at_once = Neighbours<Stored>::count;
  if (f.columns % at_once == 0 && f.aligned()) {
    spread(f, f.columns / at_once, elements_kernel<Neighbours<Stored>, Formula>);
  } else {
    spread(f, f.columns, elements_kernel<ElementOf<Stored>, Formula>);
  }
}

// columns

template <int N, class T>
EBM_DEVICE void add(Sums<N, T>& sums, const Sums<N, T>& more) {
  for (int k = 0; k < N; ++k) sums.of[k] = sums.of[k] + more.of[k];
}

/// The sums of column `lane` among those that a thread has taken together.
template <int N>
EBM_DEVICE Sums<N> of_lane(const Sums<N>& sums, int) {
  return sums;
}
template <int N, int n>
EBM_DEVICE Sums<N> of_lane(const Sums<N, Pack<double, n>>& sums, int lane) {
  Sums<N> one;
  for (int k = 0; k < N; ++k) one.of[k] = sums.of[k].of[lane];
  return one;
}

/// The terms of a formula, which writes its elements as it goes.
template <class Formula>
struct Terms {
  Formula f;
  template <class E>
  EBM_DEVICE auto operator()(const E& e) const {
    const auto term = f.term(e);
    if constexpr (requires { term.element; }) {
      if (present(f.output())) e.write(f.output(), term.element);
    }
    return sums_of(term);
  }
};

/// The sum of term(row) over `count` rows from `first` on: each of a block's blockDim.y rows of threads sums every
/// blockDim.y-th of them, and these sums are added pairwise. Those of threadIdx.y == 0 have it, for a column each.
/// Waits for the whole block; `shared` has a number for each of its threads.
template <class S, class Term>
EBM_DEVICE S block_sum(unsigned count, bool inside, S* shared, Term term) {
  const unsigned slot = threadIdx.y * blockDim.x + threadIdx.x;
  S sums{};
  if (inside) {
#pragma unroll 4
    for (unsigned row = threadIdx.y; row < count; row += blockDim.y) add(sums, term(row));
  }
  shared[slot] = sums;
  for (unsigned half = blockDim.y / 2; half > 0; half /= 2) {
    __syncthreads();
    if (threadIdx.y < half) add(shared[slot], shared[slot + half * blockDim.x]);
  }
  return shared[slot];
}

/// Where the blocks of a sum leave what they have of it.
template <class S>
struct Segments {
  int64_t rows;       // of each block
  S* partial;         // gridDim.y x (columns / E::count); null where gridDim.y is 1
  unsigned* arrived;  // gridDim.x: how many blocks have left theirs; 0 before and after
};

/// Whether this block is the last of its columns to come here, which then sees what the others wrote before.
EBM_DEVICE inline bool is_last_of_column(unsigned* arrived) {
  __shared__ bool last;
  __threadfence();
  __syncthreads();
  if (threadIdx.x == 0 && threadIdx.y == 0) {
    last = atomicInc(&arrived[blockIdx.x], gridDim.y - 1) == gridDim.y - 1;  // the last one puts it to 0
  }
  __syncthreads();
  __threadfence();
  return last;
}

/// Sums the terms over rows blockIdx.y * segments.rows and the following segments.rows - 1. The last block of a column to
/// end sums what all have left, in the order of the rows, and hands it to f.finish.
template <class E, class Formula, class S>
__global__ void __launch_bounds__(block_threads, 1)
    columns_kernel(const Formula f, const Segments<S> segments) {
  wait_for_previous_kernel();
  __shared__ S shared[block_threads];
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x, across = f.columns / E::count;
  const int64_t first = int64_t{blockIdx.y} * segments.rows, left = f.rows - first;
  const auto count = static_cast<unsigned>(left < segments.rows ? left : segments.rows);
  const Terms<Formula> terms{f};
  S sums = block_sum(count, i < across, shared, [&](unsigned row) {
    return terms(E{first + row, E::count * i, f.columns});
  });
  if (segments.partial != nullptr) {
    if (threadIdx.y == 0 && i < across) segments.partial[int64_t{blockIdx.y} * across + i] = sums;
    if (!is_last_of_column(segments.arrived)) return;
    sums = block_sum(gridDim.y, i < across, shared,
                     [&](unsigned row) { return segments.partial[int64_t{row} * across + i]; });
  }
  if (threadIdx.y > 0 || i >= across) return;
  for (int lane = 0; lane < E::count; ++lane) f.finish(E::count * i + lane, of_lane(sums, lane));
}

template <class Stored, class Formula>
void Launcher::columns(const Formula& f) {
  constexpr int64_t terms = sizeof(sums_of(f.term(Element{}))) / sizeof(double);
  // A thread sums at least 8 rows, since below it a second step costs more than it saves, and in the second step at
  // most 16.
  constexpr int64_t min_rows = 8, max_partial_rows = 16;
  const int64_t wide = f.columns % Neighbours<Stored>::count == 0 ? Neighbours<Stored>::count : 1;
  // The order of a column's sum is the block's height and the segments: the same for both kernels.
  const dim3 block = block_over(f.columns / wide, 32);
  const int64_t across = divide_up(f.columns / wide, block.x);
  const int64_t max_segments = std::min(
      {max_summing_blocks / across, max_partial_rows * block.y, partial_doubles / (f.columns * terms)});
  const int64_t wanted =
      std::clamp<int64_t>(f.rows / (block.y * min_rows), 1, std::max<int64_t>(1, max_segments));
  const int64_t segment_rows = divide_up(f.rows, wanted);
  const int64_t segments = divide_up(f.rows, segment_rows);
  const auto sum = [&]<class E>(E) {
    using S = std::remove_cvref_t<decltype(Terms<Formula>{f}(E{}))>;
    S* const partial = segments > 1 ? static_cast<S*>(partial_.data()) : nullptr;
    const dim3 grid(static_cast<unsigned>(divide_up(f.columns / E::count, block.x)),
                    static_cast<unsigned>(segments));
    cuda::launch(context_, grid, block, typeid(Formula).name(), columns_kernel<E, Formula, S>, f,
                 Segments<S>{segment_rows, partial, static_cast<unsigned*>(arrived_.data())});
  };
  if (wide > 1 && f.aligned()) {
    sum(Neighbours<Stored>{});
  } else {
    sum(ElementOf<Stored>{});
  }
}

// teams

/// A block of `threads` threads.
template <int threads>
struct Team {
  static constexpr int max_sums = 6;
  using Reduce = cub::BlockReduce<double, threads>;
  struct Shared {
    typename Reduce::TempStorage reduce;
    double sum[max_sums];
  };
  Shared& shared;

  using Elements = Neighbours<float>;

  template <class F>
  EBM_DEVICE double sum(int64_t n, F f) const {
    return sums(n, [&](int64_t i) { return Sums<1>{{f(i)}}; }).of[0];
  }
  template <class F>
  EBM_DEVICE auto sums(int64_t n, F f) const {
    decltype(f(n)) mine{};
    constexpr int terms = sizeof(mine) / sizeof(double);
    static_assert(terms <= max_sums);
    for (int64_t i = threadIdx.x; i < n; i += threads) add(mine, f(i));
    for (int k = 0; k < terms; ++k) {
      const double total = Reduce(shared.reduce).Sum(mine.of[k]);
      if (threadIdx.x == 0) shared.sum[k] = total;
      __syncthreads();
    }
    for (int k = 0; k < terms; ++k) mine.of[k] = shared.sum[k];
    __syncthreads();  // nobody starts the next sum in the same shared memory before all have read this one
    return mine;
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

// As many registers as one block can have: a spill costs more than the blocks that would fit beside it.
template <int threads, class Formula>
__global__ void __launch_bounds__(threads, 1) team_kernel(const Formula f) {
  wait_for_previous_kernel();
  __shared__ typename Team<threads>::Shared shared;
  f(Team<threads>{shared}, int64_t{blockIdx.x});
}

template <class Formula>
void Launcher::teams(const Formula& f) {
  if (f.rows > std::numeric_limits<int>::max()) {
    throw Error(std::to_string(f.rows) + " rows are too many for one launch; use a smaller batch");
  }
  const auto run = [&]<int threads>(void (*kernel)(Formula)) {
    cuda::launch(context_, dim3(static_cast<unsigned>(f.rows)), dim3(threads), typeid(Formula).name(), kernel,
                 f);
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
    if constexpr (Formula::pattern == Pattern::elements) {
      by_type(f, [&]<class Stored>(Stored) { elements<Stored>(f); });
    } else if constexpr (Formula::pattern == Pattern::map) {
      spread(f, f.columns, map_kernel<Formula>);
    } else {
      by_type(f, [&]<class Stored>(Stored) { columns<Stored>(f); });
    }
  }
}

}  // namespace ebm::cuda
