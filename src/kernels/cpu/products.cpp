// SPDX-License-Identifier: MIT
// oneDNN has two ways to a product. Its sgemm is the fastest for a b and a^T b and for everything small; its
// matmul primitive is 1.5 times faster for a large a b^T (docs/performance.md). Hence the choice in run().
#include "kernels/cpu/products.h"

#include <dnnl.hpp>
#include <map>
#include <tuple>

namespace ebm::cpu {

namespace {

/// A product of so many multiply-adds keeps more than one thread busy; waking threads for less costs more
/// than it saves.
constexpr int64_t large_product = 16 * 1024 * 1024;

int64_t leading_dimension(Transpose transpose, int64_t rows, int64_t columns) {
  return transpose == Transpose::no ? columns : rows;
}

}  // namespace

struct Products::Matmuls {
  using Shape = std::tuple<int64_t, int64_t, int64_t, bool>;  // m, n, inner, accumulate
  struct Prepared {
    dnnl::matmul primitive;
    dnnl::memory a, b, c;
  };

  /// c = a b^T (+ c), prepared once for each shape.
  Prepared& prepared(const Gemm& g) {
    const Shape shape{g.m, g.n, g.inner, g.beta != 0};
    const auto found = cache.find(shape);
    if (found != cache.end()) return found->second;
    using Desc = dnnl::memory::desc;
    constexpr auto f32 = dnnl::memory::data_type::f32;
    const Desc a({g.m, g.inner}, f32, dnnl::memory::dims{g.inner, 1});
    const Desc b({g.inner, g.n}, f32, dnnl::memory::dims{1, g.inner});
    const Desc c({g.m, g.n}, f32, dnnl::memory::dims{g.n, 1});
    dnnl::primitive_attr attributes;
    if (g.beta != 0) {
      dnnl::post_ops accumulate;
      accumulate.append_sum(1.0f);
      attributes.set_post_ops(accumulate);
    }
#if DNNL_VERSION_MAJOR >= 3
    const dnnl::matmul::primitive_desc descriptor(engine, a, b, c, attributes);
#else
    const dnnl::matmul::primitive_desc descriptor(dnnl::matmul::desc(a, b, c), attributes, engine);
#endif
    return cache
        .emplace(shape, Prepared{dnnl::matmul(descriptor), dnnl::memory(a, engine, nullptr),
                                 dnnl::memory(b, engine, nullptr), dnnl::memory(c, engine, nullptr)})
        .first->second;
  }

  dnnl::engine engine{dnnl::engine::kind::cpu, 0};
  dnnl::stream stream{engine};
  std::map<Shape, Prepared> cache;
};

Products::Products() : matmuls_(std::make_unique<Matmuls>()) {}
Products::~Products() = default;

void Products::run(const Gemm& g) {
  const bool matmul = g.transpose_a == Transpose::no && g.transpose_b == Transpose::yes && g.alpha == 1 &&
                      (g.beta == 0 || g.beta == 1) && g.m * g.n * g.inner >= large_product;
  try {
    if (matmul) {
      auto& p = matmuls_->prepared(g);
      p.a.set_data_handle(const_cast<float*>(g.a));
      p.b.set_data_handle(const_cast<float*>(g.b));
      p.c.set_data_handle(g.c);
      p.primitive.execute(matmuls_->stream,
                          {{DNNL_ARG_SRC, p.a}, {DNNL_ARG_WEIGHTS, p.b}, {DNNL_ARG_DST, p.c}});
    } else {
      const auto letter = [](Transpose t) { return t == Transpose::yes ? 'T' : 'N'; };
      const auto status = dnnl::sgemm(letter(g.transpose_a), letter(g.transpose_b), g.m, g.n, g.inner,
                                      g.alpha, g.a, leading_dimension(g.transpose_a, g.m, g.inner), g.b,
                                      leading_dimension(g.transpose_b, g.inner, g.n), g.beta, g.c, g.n);
      if (status != dnnl::status::success)
        throw dnnl::error(static_cast<dnnl_status_t>(status), "sgemm failed");
    }
  } catch (const dnnl::error& error) {
    throw Error("oneDNN refused a product of " + std::to_string(g.m) + "x" + std::to_string(g.inner) +
                " by " + std::to_string(g.inner) + "x" + std::to_string(g.n) + ": " + error.what());
  }
}

}  // namespace ebm::cpu
