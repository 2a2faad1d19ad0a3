// SPDX-License-Identifier: MIT
// LOBPCG on the Jacobian of a generator: lobpcg/B_D_d_K. Counters: the time of one JVP and of one VJP, the
// time of LOBPCG's own kernels an iteration (`own_ms`; `own_of_pass` is its share of a pass), and the passes
// that it asked for: K + 1 JVPs and K VJPs.
#include <memory>
#include <string>
#include <vector>

#include "bench.h"
#include "bounds/generator_jacobian.h"
#include "layers/batch_norm.h"
#include "layers/linear.h"
#include "layers/prelu.h"
#include "linalg/lobpcg.h"
#include "models/toy.h"

namespace ebm::bench {

namespace {

struct Sizes {
  int64_t batch, range, domain, iterations;
};

/// The paper's MLP generator (Table 7), d-500-1000-2000-D; in the plane the toy generator (Table 6).
std::unique_ptr<Layer> generator(const Sizes& sizes) {
  if (sizes.range == 2) return toy_generator(sizes.domain, 100);
  std::vector<std::unique_ptr<Layer>> layers;
  int64_t in = sizes.domain;
  for (const int64_t out : {500, 1000, 2000}) {
    layers.push_back(std::make_unique<Linear>(in, out));
    layers.push_back(std::make_unique<PreluLayer>(flat(out)));
    layers.push_back(std::make_unique<BatchNorm>(flat(out)));
    in = out;
  }
  layers.push_back(std::make_unique<Linear>(in, sizes.range));
  return sequential(std::move(layers));
}

/// An operator whose products cost nothing: what is left is LOBPCG's own time. It leaves the output as it is.
class FreeOperator final : public LinearOperator {
 public:
  explicit FreeOperator(const Sizes& sizes) : sizes_(sizes) {}
  int64_t batch() const override { return sizes_.batch; }
  int64_t domain() const override { return sizes_.domain; }
  int64_t range() const override { return sizes_.range; }
  int64_t max_tangents() const override { return 1; }

 protected:
  void do_apply(ConstView, View) override {}
  void do_apply_adjoint(ConstView, View) override {}

 private:
  Sizes sizes_;
};

void run(benchmark::State& state, const Bench& bench, const Sizes& sizes) {
  Kernels& kernels = bench.kernels;
  Network network(kernels, generator(sizes));
  network.initialize(1, 0);
  GeneratorJacobian jacobian(kernels, network, sizes.batch, 1);
  Lobpcg lobpcg(kernels, sizes.batch, sizes.domain, sizes.range,
                {.iterations = static_cast<int>(sizes.iterations)});
  const Tensor z(kernels, sizes.batch, flat(sizes.domain)), v0(kernels, sizes.batch, flat(sizes.domain)),
      u(kernels, sizes.batch, flat(sizes.range));
  const Buffer<uint64_t> iteration(kernels, 1);
  kernels.noise({Distribution::normal, 1, 1000, iteration.data()}, z);
  kernels.noise({Distribution::normal, 1, 1001, iteration.data()}, v0);
  jacobian.linearize(z);

  time_calls(state, bench, {}, [&] { lobpcg.run(jacobian, v0); });

  jacobian.reset_counts();
  lobpcg.run(jacobian, v0);
  state.counters["JVPs"] = static_cast<double>(jacobian.applications());
  state.counters["VJPs"] = static_cast<double>(jacobian.adjoint_applications());
  const double jvp = milliseconds(kernels, [&] { jacobian.apply(v0, u); });
  const double vjp = milliseconds(kernels, [&] { jacobian.apply_adjoint(u, v0); });
  FreeOperator free_of_cost(sizes);
  const double own =
      milliseconds(kernels, [&] { lobpcg.run(free_of_cost, v0); }) / static_cast<double>(sizes.iterations);
  state.counters["jvp_ms"] = jvp;
  state.counters["vjp_ms"] = vjp;
  state.counters["own_ms"] = own;
  state.counters["own_of_pass"] = own / ((jvp + vjp) / 2);
}

}  // namespace

void register_lobpcg(const Bench& bench) {
  for (const Sizes& sizes : std::vector<Sizes>{{64, 3072, 128, 2},
                                               {64, 3072, 128, 5},
                                               {64, 3072, 128, 10},
                                               {64, 2352, 128, 2},
                                               {64, 12288, 128, 2},
                                               {200, 2, 2, 2},
                                               {256, 3072, 128, 2},
                                               {1, 3072, 128, 2}}) {
    std::string name = "lobpcg";
    for (const int64_t size : {sizes.batch, sizes.range, sizes.domain, sizes.iterations})
      name += (name.size() > 6 ? "_" : "/") + std::to_string(size);
    benchmark::RegisterBenchmark(name.c_str(), [=](benchmark::State& state) { run(state, bench, sizes); })
        ->UseManualTime()
        ->Unit(benchmark::kMillisecond);
  }
}

}  // namespace ebm::bench
