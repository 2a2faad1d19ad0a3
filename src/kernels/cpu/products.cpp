// SPDX-License-Identifier: MIT
// Small products have their own kernel (small_product.h). For the others oneDNN has two ways: its sgemm, and
// its matmul primitive, which is faster for a b^T (docs/performance.md). Both run on one thread here: a
// product is cut beforehand, by its sizes alone, because oneDNN's own cuts, and with them the rounding,
// depend on the number of threads.
#include "kernels/cpu/products.h"

#include <dnnl_debug.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <dnnl.hpp>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/cpu/block.h"
#include "kernels/cpu/one_thread.h"
#include "kernels/cpu/small_product.h"

namespace ebm::cpu {

namespace {

int64_t multiply_adds(const Gemm& g) {
  return g.m * g.n * g.inner;
}

/// In elements of a formula: 120 multiply-adds, or one element to read or write.
int64_t work(const Gemm& g) {
  return std::max(multiply_adds(g) / 120, std::max(g.m, g.n) * std::max(std::min(g.m, g.n), g.inner));
}

/// The parts of a product that threads share: panels of c's rows, or of its columns, in units that fill oneDNN's
/// kernels.
struct Panels {
  bool rows;
  int64_t unit;
  Parts units;

  int64_t count() const { return units.count; }
  Block of(const Block& whole, int64_t i) const {
    const Slice range = units[i];
    const auto within = [&](int64_t extent) {
      return Slice{range.first * unit, std::min(range.last * unit, extent)};
    };
    return rows ? whole.rows(within(whole.m)) : whole.columns(within(whole.n));
  }
};

/// Of a product with a kernel of its own: rows of c, or columns if they are more.
Panels small_panels(const Gemm& g) {
  return {.rows = g.m >= g.n, .unit = 1, .units = cut(std::max(g.m, g.n), work(g), 48)};
}

/// Of a product for oneDNN likewise, but a sum over the rows of a and b, c = a^T b, has panels of rows also where
/// columns are more: oneDNN then packs narrow pieces of a, and runs 1.3 to 1.5 times as fast. Columns come in
/// multiples of 48, three vectors of 16, some 200 at once: for each panel it packs all of a anew
/// (docs/performance.md).
Panels panels_of(const Gemm& g) {
  constexpr int64_t many_rows = 192, vectors = 48, usual_columns = 240, vector_rows = 8;
  const bool sums_rows = g.transpose_a == Transpose::yes;
  if (g.m >= (sums_rows ? std::min(g.n, many_rows) : g.n)) {
    const int64_t unit = sums_rows ? vector_rows : 1;
    return {.rows = true, .unit = unit, .units = cut((g.m + unit - 1) / unit, work(g), 48 / unit)};
  }
  const int64_t units = (g.n + vectors - 1) / vectors;
  const int64_t fours = (g.n + 4 * usual_columns - 1) / (4 * usual_columns);
  const int64_t most = std::min({units, work(g) / work_of_a_part, max_parts});
  return {.rows = false,
          .unit = vectors,
          .units = {units, std::clamp<int64_t>(4 * fours, 1, std::max<int64_t>(most, 1))}};
}

dnnl_status_t sgemm(const Block& b) {
  const auto letter = [](Transpose t) { return t == Transpose::yes ? 'T' : 'N'; };
  return dnnl_sgemm(letter(b.transpose_a), letter(b.transpose_b), b.m, b.n, b.inner, b.alpha, b.a, b.stride_a,
                    b.b, b.stride_b, b.beta, b.c, b.stride_c);
}

/// What oneDNN leaves of a block.
void add_bias(const Block& b) {
  const AddBias formula{.rows = b.bias_rows, .columns = b.n, .bias = b.bias, .y = b.c, .slope = b.slope};
  for (int64_t row = 0; row < b.bias_rows; ++row) {
#pragma omp simd
    for (int64_t column = 0; column < b.n; ++column) {
      const Element e{row, column, b.stride_c};
      e.write(formula.y, formula(e));
    }
  }
}

dnnl_status_t run_block(const Block& block) {
  if (is_small_product(block)) {
    small_product(block);
    return dnnl_success;
  }
  const dnnl_status_t status = sgemm(block);
  add_bias(block);
  return status;
}

/// c = a b^T (+ c) for blocks of one shape.
class Matmul {
 public:
  Matmul(const Block& block, const dnnl::engine& engine) : stream_(engine) {
    using Desc = dnnl::memory::desc;
    constexpr auto f32 = dnnl::memory::data_type::f32;
    const Desc a({block.m, block.inner}, f32, dnnl::memory::dims{block.stride_a, 1});
    const Desc b({block.inner, block.n}, f32, dnnl::memory::dims{1, block.stride_b});
    const Desc c({block.m, block.n}, f32, dnnl::memory::dims{block.stride_c, 1});
    dnnl::primitive_attr attributes;
    if (block.beta != 0) {
      dnnl::post_ops accumulate;
      accumulate.append_sum(1.0f);
      attributes.set_post_ops(accumulate);
    }
#if DNNL_VERSION_MAJOR >= 3
    primitive_ = dnnl::matmul({engine, a, b, c, attributes});
#else
    primitive_ = dnnl::matmul({dnnl::matmul::desc(a, b, c), attributes, engine});
#endif
    a_ = dnnl::memory(a, engine, nullptr);
    b_ = dnnl::memory(b, engine, nullptr);
    c_ = dnnl::memory(c, engine, nullptr);
  }

  static bool suits(const Gemm& g) {
    return g.transpose_a == Transpose::no && g.transpose_b == Transpose::yes && g.alpha == 1 &&
           (g.beta == 0 || g.beta == 1) && !is_small_product(Block(g));
  }

  dnnl_status_t run(const Block& block) {
    a_.set_data_handle(const_cast<float*>(block.a));
    b_.set_data_handle(const_cast<float*>(block.b));
    c_.set_data_handle(block.c);
    const std::array<dnnl_exec_arg_t, 3> arguments{
        {{DNNL_ARG_SRC, a_.get()}, {DNNL_ARG_WEIGHTS, b_.get()}, {DNNL_ARG_DST, c_.get()}}};
    const dnnl_status_t status =
        dnnl_primitive_execute(primitive_.get(), stream_.get(), arguments.size(), arguments.data());
    add_bias(block);
    return status;
  }

 private:
  dnnl::stream stream_;
  dnnl::matmul primitive_;
  dnnl::memory a_, b_, c_;
};

[[noreturn]] void refuse(const Gemm& g, const std::string& why) {
  throw Error("oneDNN refused a product of " + std::to_string(g.m) + "x" + std::to_string(g.inner) + " by " +
              std::to_string(g.inner) + "x" + std::to_string(g.n) + ": " + why);
}

void check(dnnl_status_t status, const Gemm& g) {
  if (status != dnnl_success) refuse(g, dnnl_status2str(status));
}

}  // namespace

struct Products::Matmuls {
  using Shape = std::tuple<int64_t, int64_t, int64_t, bool>;  // m, n, inner, accumulate

  /// One for each part, made at the first product of a shape.
  template <class PartOf>
  std::vector<Matmul>& of(const Gemm& g, int64_t parts, const PartOf& part) try {
    std::vector<Matmul>& made = cache[{g.m, g.n, g.inner, g.beta != 0}];
    for (int64_t i = std::ssize(made); i < parts; ++i) made.emplace_back(part(i), engine);
    return made;
  } catch (const dnnl::error& error) {
    refuse(g, error.what());
  }

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  std::map<Shape, std::vector<Matmul>> cache;
};

Products::Products(Threads& threads) : threads_(threads), matmuls_(std::make_unique<Matmuls>()) {}
Products::~Products() = default;

void Products::run(const Gemm& g) {
  const OneThread guard;
  constexpr int64_t small = 16 * 1024;
  const bool sums_rows =
      g.transpose_a == Transpose::yes && g.transpose_b == Transpose::no && g.m * g.n <= small;
  const Parts summands = cut(g.inner, work(g), 32);
  if (sums_rows && summands.count > 1) {
    sum_of_parts(g, summands);
  } else {
    rows_or_columns(g, Block(g));
  }
}

void Products::run(const Gemm& g, const AddBias& then) {
  const OneThread guard;
  rows_or_columns(g, Block(g, then));
}

void Products::run(const Gemm& first, const Batch& batch) {
  const OneThread guard;
  std::atomic<dnnl_status_t> status = dnnl_success;
  threads_.run(batch.count, [&](int64_t i) {
    Block block(first);
    block.a += i * batch.step_a;
    block.b += i * batch.step_b;
    block.c += i * batch.step_c;
    const dnnl_status_t result = sgemm(block);
    if (result != dnnl_success) status = result;
  });
  check(status, first);
}

void Products::rows_or_columns(const Gemm& g, const Block& whole) {
  if (is_small_product(whole)) {
    const Panels panels = small_panels(g);
    return threads_.start(panels.count(), [=](int64_t i) { small_product(panels.of(whole, i)); });
  }
  const Panels panels = panels_of(g);
  const auto part = [=](int64_t i) { return panels.of(whole, i); };
  Matmul* const matmuls = Matmul::suits(g) ? matmuls_->of(g, panels.count(), part).data() : nullptr;
  std::atomic<dnnl_status_t> status = dnnl_success;
  threads_.run(panels.count(), [&](int64_t i) {
    const dnnl_status_t result = matmuls != nullptr ? matmuls[i].run(part(i)) : run_block(part(i));
    if (result != dnnl_success) status = result;
  });
  check(status, g);
}

/// a^T b with a small c, a sum over the rows of a and b: a thread sums those that it wrote itself, and has in
/// its cache.
void Products::sum_of_parts(const Gemm& g, const Parts& parts) {
  const Block whole(g);
  const int64_t size = g.m * g.n;
  if (std::ssize(partial_) < parts.count * size) {
    threads_.wait();
    partial_.resize(static_cast<size_t>(parts.count * size));
  }
  float* const partial = partial_.data();
  std::atomic<dnnl_status_t> status = dnnl_success;
  threads_.run(parts.count, [&](int64_t i) {
    const dnnl_status_t result = run_block(whole.summands(parts[i], partial + i * size));
    if (result != dnnl_success) status = result;
  });
  check(status, g);
  const Parts pieces = cut(size, parts.count * size);
  const float beta = g.beta;
  float* const c = whole.c;
  threads_.start(pieces.count, [=](int64_t piece) {
    const Slice range = pieces[piece];
    for (int64_t p = 0; p < parts.count; ++p) {
      const float* const more = partial + p * size;
      const float keep = p > 0 ? 1 : beta;
      if (keep == 0) {
        std::copy(more + range.first, more + range.last, c + range.first);
      } else {
#pragma omp simd
        for (int64_t i = range.first; i < range.last; ++i) c[i] = keep * c[i] + more[i];
      }
    }
  });
}

}  // namespace ebm::cpu
