// SPDX-License-Identifier: MIT
#include "kernels/cuda/tiled.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "kernels/cuda/alignment.h"

namespace ebm::cuda {

namespace {

constexpr int64_t least_capability = 80, access_bytes = 16, access = 4;  // elements of an access
constexpr int64_t splits[] = {1, 2, 4, 8, 16};

template <class Kernel>
class Ways {
 public:
  Ways(const ProductSize& size, int64_t max_workspace, const Context& context)
      : size_(size), max_workspace_(max_workspace), context_(context) {}

  /// `bytes(split)`: of workspace, below 0 where it cannot.
  template <class Bytes>
  void add(const Kernel& kernel, const Bytes& bytes) {
    for (const int64_t split : splits) {
      if (split > 1 && size_.inner < split * kernel.tile.depth) return;
      const int64_t workspace = bytes(split);
      if (workspace < 0 || workspace > max_workspace_) continue;
      const double flop = busiest_flop(size_, kernel.tile, split, context_.processors());
      found_.push_back({flop, {&kernel, split, workspace}});
    }
  }
  std::vector<TiledWay<Kernel>> sorted() && {
    std::stable_sort(found_.begin(), found_.end(), [](const Found& a, const Found& b) {
      return std::pair(a.flop, a.way.split) < std::pair(b.flop, b.way.split);
    });
    std::vector<TiledWay<Kernel>> ways;
    for (const Found& found : found_) ways.push_back(found.way);
    return ways;
  }

 private:
  struct Found {
    double flop;
    TiledWay<Kernel> way;
  };
  ProductSize size_;
  int64_t max_workspace_;
  const Context& context_;
  std::vector<Found> found_;
};

bool runs_tiles(const Context& context) {
  return context.compute_capability() >= least_capability;
}

}  // namespace

std::vector<TiledWay<TiledConvolution>> ways_to(ConvolutionPass pass, const ConvolutionShape& shape,
                                                Precision precision, int64_t alignment, int64_t max_workspace,
                                                const Context& context) {
  if (alignment % access_bytes != 0 || !runs_tiles(context)) return {};
  Ways<TiledConvolution> ways(product_size(pass, shape), max_workspace, context);
  for (const TiledConvolution& kernel : tiled_convolutions()) {
    if (kernel.pass == pass && kernel.precision == precision)
      ways.add(kernel, [&](int64_t split) { return kernel.workspace_bytes(shape, split); });
  }
  return std::move(ways).sorted();
}

std::vector<TiledWay<TiledProduct>> ways_to(const Gemm& g, int64_t max_workspace, const Context& context) {
  const bool whole = g.n % access == 0 && g.inner % access == 0 && g.inner > 0 &&
                     common_alignment(g.a.address, g.b.address, g.c.address) % access_bytes == 0;
  const bool plain = g.a.type == Type::float32 && g.c.type == Type::float32 && g.transpose_a == Transpose::no;
  if (!whole || !plain || !runs_tiles(context)) return {};
  Ways<TiledProduct> ways(product_size(g), max_workspace, context);
  for (const TiledProduct& kernel : tiled_products()) {
    if (kernel.transpose_b == g.transpose_b)
      ways.add(kernel, [&](int64_t split) { return kernel.workspace_bytes(g, split); });
  }
  return std::move(ways).sorted();
}

void require_tf32x3(const Context& context) {
  if (const char* const why = why_no_tiles()) throw Error(why);
  if (runs_tiles(context)) return;
  throw Error(context.description() +
              " has no TF32: 3xTF32 needs compute capability 8.0 or later; use --jacobian fp32");
}

}  // namespace ebm::cuda
