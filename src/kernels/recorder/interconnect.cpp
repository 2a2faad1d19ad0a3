// SPDX-License-Identifier: MIT
#include "kernels/recorder/interconnect.h"

#include <algorithm>
#include <bit>

#include "core/error.h"

namespace ebm {

namespace {

/// (n - 1) / n.
double all_but_one(int64_t n) {
  return static_cast<double>(n - 1) / static_cast<double>(n);
}

struct Paths {
  const Interconnect& on;
  double slowest, hops_of_tree;

  explicit Paths(const Interconnect& on)
      : on(on),
        slowest(on.nodes == 1  ? on.inside.bandwidth
                : on.gpus == 1 ? on.between.bandwidth
                               : std::min(on.inside.bandwidth, on.between.bandwidth)),
        hops_of_tree(
            hops(on.gpus - 1, static_cast<int64_t>(std::bit_width(static_cast<uint64_t>(on.nodes - 1))))) {}

  double hops(int64_t inside, int64_t between) const {
    return static_cast<double>(inside) * on.inside.hop_seconds +
           static_cast<double>(between) * on.between.hop_seconds;
  }
  /// Once round the ring, to all others.
  double ring(double bytes) const {
    return all_but_one(on.ranks()) * bytes / slowest + hops(on.ranks() - on.nodes, on.nodes - 1);
  }
  double all_reduce(double bytes) const {
    const double trees = 2 * bytes / slowest + 2 * hops_of_tree;
    return on.nodes > 1 ? std::min(2 * ring(bytes), trees) : 2 * ring(bytes);
  }
  double compressed(double bytes) const {
    if (on.nodes == 1) return 2 * ring(bytes / 2);
    const double between = all_but_one(on.nodes) * (bytes / 2) / on.between.bandwidth + hops(0, on.nodes - 1);
    if (on.gpus == 1) return 2 * between;
    return 2 * (all_but_one(on.gpus) * bytes / on.inside.bandwidth + hops(on.gpus - 1, 0) + between);
  }
};

}  // namespace

double Interconnect::seconds(const Collective& call) const {
  if (call.kind == Collective::Kind::none || ranks() == 1) return 0;
  const Paths paths(*this);
  const auto bytes = static_cast<double>(call.bytes);
  switch (call.kind) {
    case Collective::Kind::all_reduce:
      return call_seconds +
             (call.travel == Type::bfloat16 ? paths.compressed(bytes) : paths.all_reduce(bytes));
    case Collective::Kind::all_gather:
      return call_seconds + std::min(paths.ring(bytes), paths.all_reduce(bytes));
    case Collective::Kind::none:
      break;
  }
  throw Error("unknown collective");
}

}  // namespace ebm
