// SPDX-License-Identifier: MIT
// oneDNN has two ways to a product: its sgemm, and its matmul primitive, which is faster for a b^T
// (docs/performance.md). Both run on one thread here: the product is cut beforehand, by its sizes alone,
// because oneDNN's own cuts, and with them the rounding, depend on the number of threads.
#include "kernels/cpu/products.h"

#include <dnnl_debug.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <dnnl.hpp>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/cpu/parts.h"

namespace ebm::cpu {

namespace {

/// oneDNN asks OpenMP how many threads it may use: one, while this lives.
class OneThread {
 public:
  OneThread() { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(threads_); }
  OneThread(const OneThread&) = delete;
  OneThread& operator=(const OneThread&) = delete;

 private:
  int threads_ = omp_get_max_threads();
};

/// Multiply-adds.
int64_t work(const Gemm& g) {
  return g.m * g.n * g.inner;
}
constexpr int64_t worth_a_thread = 1'000'000;  // 20 us of one core
constexpr int64_t worth_a_matmul = 100'000;

/// Some rows or columns of a product.
struct Block {
  int64_t m, n;
  const float *a, *b;
  float* c;
};

// From one row in memory to the next.
int64_t stride_a(const Gemm& g) {
  return g.transpose_a == Transpose::no ? g.inner : g.m;
}
int64_t stride_b(const Gemm& g) {
  return g.transpose_b == Transpose::no ? g.n : g.inner;
}

Block some_rows(const Gemm& g, Parts::Range rows) {
  const int64_t a = g.transpose_a == Transpose::no ? rows.first * g.inner : rows.first;
  return {.m = rows.last - rows.first, .n = g.n, .a = g.a + a, .b = g.b, .c = g.c + rows.first * g.n};
}
Block some_columns(const Gemm& g, Parts::Range columns) {
  const int64_t b = g.transpose_b == Transpose::no ? columns.first : columns.first * g.inner;
  return {.m = g.m, .n = columns.last - columns.first, .a = g.a, .b = g.b + b, .c = g.c + columns.first};
}

/// How a product is cut.
struct Cut {
  Parts parts;
  enum class Along { rows, columns } along;

  explicit Cut(const Gemm& g) {
    constexpr int64_t narrow = 4;  // so few columns one by one: two together take sgemm three times as long
    along = g.n <= narrow || g.n > g.m ? Along::columns : Along::rows;
    parts = g.n <= narrow ? Parts{g.n, g.n} : cpu::parts(std::max(g.m, g.n), 48, work(g), worth_a_thread);
  }

  Block block(const Gemm& g, int64_t i) const {
    return along == Along::rows ? some_rows(g, parts[i]) : some_columns(g, parts[i]);
  }
};

dnnl_status_t sgemm(const Gemm& g, const Block& block) {
  const auto letter = [](Transpose t) { return t == Transpose::yes ? 'T' : 'N'; };
  return dnnl_sgemm(letter(g.transpose_a), letter(g.transpose_b), block.m, block.n, g.inner, g.alpha, block.a,
                    stride_a(g), block.b, stride_b(g), g.beta, block.c, g.n);
}

/// c = a b^T (+ c) for a block.
class Matmul {
 public:
  Matmul(const Gemm& g, const Block& block, const dnnl::engine& engine) : stream_(engine) {
    using Desc = dnnl::memory::desc;
    constexpr auto f32 = dnnl::memory::data_type::f32;
    const Desc a({block.m, g.inner}, f32, dnnl::memory::dims{stride_a(g), 1});
    const Desc b({g.inner, block.n}, f32, dnnl::memory::dims{1, stride_b(g)});
    const Desc c({block.m, block.n}, f32, dnnl::memory::dims{g.n, 1});
    dnnl::primitive_attr attributes;
    if (g.beta != 0) {
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

  dnnl_status_t run(const Block& block) {
    a_.set_data_handle(const_cast<float*>(block.a));
    b_.set_data_handle(const_cast<float*>(block.b));
    c_.set_data_handle(block.c);
    const std::array<dnnl_exec_arg_t, 3> arguments{
        {{DNNL_ARG_SRC, a_.get()}, {DNNL_ARG_WEIGHTS, b_.get()}, {DNNL_ARG_DST, c_.get()}}};
    return dnnl_primitive_execute(primitive_.get(), stream_.get(), arguments.size(), arguments.data());
  }

 private:
  dnnl::stream stream_;
  dnnl::matmul primitive_;
  dnnl::memory a_, b_, c_;
};

bool suits_matmul(const Gemm& g, const Cut& cut) {
  return g.transpose_a == Transpose::no && g.transpose_b == Transpose::yes && g.alpha == 1 &&
         (g.beta == 0 || g.beta == 1) && work(g) >= worth_a_matmul && cut.parts.count < g.n;
}

[[noreturn]] void refuse(const Gemm& g, const std::string& why) {
  throw Error("oneDNN refused a product of " + std::to_string(g.m) + "x" + std::to_string(g.inner) + " by " +
              std::to_string(g.inner) + "x" + std::to_string(g.n) + ": " + why);
}

}  // namespace

struct Products::Matmuls {
  using Shape = std::tuple<int64_t, int64_t, int64_t, bool>;  // m, n, inner, accumulate

  /// One for each part, made at the first product of a shape.
  std::vector<Matmul>& of(const Gemm& g, const Cut& cut) try {
    std::vector<Matmul>& made = cache[{g.m, g.n, g.inner, g.beta != 0}];
    for (int64_t i = std::ssize(made); i < cut.parts.count; ++i)
      made.emplace_back(g, cut.block(g, i), engine);
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
  const Cut cut(g);
  Matmul* const matmuls = suits_matmul(g, cut) ? matmuls_->of(g, cut).data() : nullptr;
  std::atomic<dnnl_status_t> status = dnnl_success;
  threads_.run(cut.parts.count, [&](int64_t i) {
    const Block block = cut.block(g, i);
    const dnnl_status_t result = matmuls != nullptr ? matmuls[i].run(block) : sgemm(g, block);
    if (result != dnnl_success) status = result;
  });
  if (status != dnnl_success) refuse(g, dnnl_status2str(status));
}

}  // namespace ebm::cpu
