// SPDX-License-Identifier: MIT
// Every map of every layer: layer/NAME/MAP.
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bench.h"
#include "layers/batch_norm.h"
#include "layers/leaky_relu.h"
#include "layers/linear.h"
#include "layers/network.h"
#include "layers/prelu.h"
#include "layers/tanh.h"

namespace ebm::bench {

namespace {

enum class Map { forward, jvp, vjp, vjp_of_jvp, vjp_shared };
constexpr std::pair<const char*, Map> maps[] = {{"forward", Map::forward},
                                                {"jvp", Map::jvp},
                                                {"vjp", Map::vjp},
                                                {"vjp_of_jvp", Map::vjp_of_jvp},
                                                {"vjp_shared", Map::vjp_shared}};

struct Case {
  std::string name;
  int64_t batch;
  std::function<std::unique_ptr<Layer>()> make;
  Work (*work)(Map map, double rows, double in, double out);
  Statistics statistics = Statistics::running;
};

/// A product for the rows that pass the layer forwards, for those that pass backwards, and for those that
/// count in the weights' gradient.
Work linear_work(Map map, double rows, double in, double out) {
  const double products = map == Map::forward || map == Map::jvp ? 1 : map == Map::vjp_of_jvp ? 4 : 2;
  return {.flops = 2 * products * rows * in * out};
}

/// The arrays that a map reads or writes: x, y; x, x_dot, y_dot; x, y_bar, x_bar; ...
Work elementwise_work(Map map, double rows, double in, double) {
  const double arrays = map == Map::forward ? 2 : map == Map::vjp_of_jvp ? 6 : map == Map::vjp_shared ? 4 : 3;
  return {.bytes = 4 * arrays * rows * in};
}

/// A layer with one tangent a sample, all its gradients wanted.
class LayerRun {
 public:
  LayerRun(Kernels& kernels, const Case& which)
      : batch_(which.batch),
        network_(kernels, which.make()),
        trace_(network_.make_trace({.batch = batch_, .statistics = which.statistics, .tangents = 1})),
        x_(kernels, 2 * batch_, network_.input()),
        y_(kernels, 2 * batch_, network_.output()),
        x_bar_(kernels, 2 * batch_, network_.input()),
        y_bar_(kernels, 2 * batch_, network_.output()),
        weights_(kernels, batch_, flat(1)) {
    network_.initialize(1, 0);
    const Buffer<uint64_t> iteration(kernels, 1);
    kernels.noise({Distribution::normal, 1, 1000, iteration.data()}, x_);
    kernels.noise({Distribution::normal, 1, 1001, iteration.data()}, y_bar_);
    kernels.noise({Distribution::normal, 1, 1002, iteration.data()}, weights_);
    network_.forward_jvp(*trace_, {value(x_), tangent(x_)}, {value(y_), tangent(y_)});
  }

  const Network& network() const { return network_; }

  void call(Map map) {
    switch (map) {
      case Map::forward:
        return network_.forward(*trace_, value(x_), value(y_));
      case Map::jvp:
        return network_.jvp(*trace_, tangent(x_), tangent(y_));
      case Map::vjp:
        return network_.vjp(*trace_, value(y_bar_), value(x_bar_), Gradient::overwrite);
      case Map::vjp_of_jvp:
        return network_.vjp_of_jvp(*trace_, {value(y_bar_), tangent(y_bar_)},
                                   {value(x_bar_), tangent(x_bar_)}, Gradient::overwrite);
      case Map::vjp_shared:
        return network_.vjp_shared(*trace_, value(y_bar_), {weights_.data(), weights_.data()}, value(x_bar_),
                                   Gradient::overwrite);
    }
  }

 private:
  View value(const Tensor& t) const { return t.row_range(0, batch_); }
  View tangent(const Tensor& t) const { return t.row_range(batch_, batch_); }

  int64_t batch_;
  Network network_;
  std::unique_ptr<Trace> trace_;
  Tensor x_, y_, x_bar_, y_bar_;  // values, then tangents
  Tensor weights_;
};

std::vector<Case> cases() {
  const auto linear = [](int64_t in, int64_t out, int64_t batch) {
    return Case{"linear_" + std::to_string(in) + "_" + std::to_string(out), batch,
                [=] { return std::make_unique<Linear>(in, out); }, linear_work};
  };
  constexpr int64_t toy = 200;
  const Features hidden = flat(100);
  return {
      linear(2, 100, toy),
      linear(100, 100, toy),
      linear(100, 2, toy),
      linear(2352, 2000, 64),
      {"prelu_100", toy, [=] { return std::make_unique<PreluLayer>(hidden); }, elementwise_work},
      {"leaky_relu_100", toy, [=] { return std::make_unique<LeakyReluLayer>(hidden, 0.2f); },
       elementwise_work},
      {"tanh_100", toy, [=] { return std::make_unique<TanhLayer>(hidden); }, elementwise_work},
      {"batch_norm_100_running", toy, [=] { return std::make_unique<BatchNorm>(hidden); }, elementwise_work},
      {"batch_norm_100_batch", toy, [=] { return std::make_unique<BatchNorm>(hidden); }, elementwise_work,
       Statistics::batch}};
}

void run(benchmark::State& state, const Bench& bench, const Case& which, Map map) {
  LayerRun layer(bench.kernels, which);
  const double rows = static_cast<double>(which.batch),
               in = static_cast<double>(layer.network().input().size()),
               out = static_cast<double>(layer.network().output().size());
  time_calls(state, bench, which.work(map, rows, in, out), [&] { layer.call(map); });
}

}  // namespace

void register_layers(const Bench& bench) {
  for (const Case& which : cases()) {
    const bool shares = which.make()->piecewise_linear(which.statistics);
    for (const auto& [name, map] : maps) {
      if (map == Map::vjp_shared && !shares) continue;
      benchmark::RegisterBenchmark(("layer/" + which.name + "/" + name).c_str(),
                                   [=, map = map](benchmark::State& state) { run(state, bench, which, map); })
          ->UseManualTime()
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

}  // namespace ebm::bench
