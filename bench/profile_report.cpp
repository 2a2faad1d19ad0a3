// SPDX-License-Identifier: MIT
#include "profile_report.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <tuple>

namespace ebm::bench {

namespace {

/// Ranges below a network's own are its layers.
bool is_network(const RangeNode& node) {
  return node.name == "E" || node.name == "G";
}

struct Against {
  double seconds, floor;
  const char* mark() const { return floor > 0 && seconds > 1.3 * floor ? " *" : ""; }
};

void print_phase(const std::string& name, int depth, double seconds, double flops, int iterations,
                 double peak) {
  const Against cost{seconds / iterations, flops / iterations / peak};
  std::printf("%*s%-*s %8.1f", 2 * depth, "", 30 - 2 * depth, name.c_str(), cost.seconds * 1e3);
  if (flops > 0) {
    std::printf(" %8.2f %8.1f %6.2f%s", flops / iterations * 1e-9, cost.floor * 1e3,
                cost.seconds / cost.floor, cost.mark());
  }
  std::printf("\n");
}

void print_phase_tree(const RangeNode& node, int depth, int iterations, double peak) {
  double rest = node.seconds;
  for (const auto& child : node.children) {
    const bool map = !child->children.empty() && is_network(*child->children.front());
    const std::string name = map ? child->name + " of " + child->children.front()->name : child->name;
    const std::string times =
        child->calls > iterations ? ", " + std::to_string(child->calls / iterations) + "x" : "";
    print_phase(name + times, depth, child->seconds, child->flops, iterations, peak);
    if (!map) print_phase_tree(*child, depth + 1, iterations, peak);
    rest -= child->seconds;
  }
  if (depth > 0 && !node.children.empty()) print_phase("the rest", depth, rest, 0, iterations, peak);
}

/// What calls of one map of one layer have in common; a gradient of the weights makes another one.
using LayerMap = std::tuple<std::string, std::string, int64_t>;  // layer, map, FLOP of a call

struct Calls {
  int64_t count = 0;
  double fastest = 1e300, product_seconds = 0;
  std::string product;
};

void collect(const RangeNode& node, const std::string& layer, const std::string& map,
             std::map<LayerMap, Calls>& found) {
  for (const auto& child : node.children) {
    const bool network = is_network(*child);
    const std::string name = layer.empty() ? (network ? child->name : "") : layer + "." + child->name;
    collect(*child, name, network ? node.name : map, found);
  }
  if (!node.children.empty() || layer.empty()) return;
  Calls& calls = found[{layer, map, static_cast<int64_t>(node.flops / static_cast<double>(node.calls))}];
  calls.count += node.calls;
  calls.fastest = std::min(calls.fastest, node.fastest);
  calls.product_seconds += node.product_seconds;
  calls.product = node.product;
}

}  // namespace

void print_phases(const RangeNode& root, int iterations, double peak) {
  std::printf("The iteration by phase, at a peak of %.0f GFLOP/s\n\n", peak * 1e-9);
  std::printf("%-30s %8s %8s %8s %6s\n", "phase", "ms", "GFLOP", "floor ms", "ratio");
  double seconds = 0;
  for (const auto& child : root.children) seconds += child->seconds;
  print_phase("iteration", 0, seconds, root.flops, iterations, peak);
  print_phase_tree(root, 0, iterations, peak);
}

void print_layers(const RangeNode& root, int iterations, double peak) {
  std::map<LayerMap, Calls> found;
  collect(root, "", "", found);
  std::printf("\nMaps of layers, ms of a call\n\n");
  std::printf("%-11s %-12s %-28s %5s %8s %8s %8s %6s\n", "layer", "map", "product", "calls", "ms", "products",
              "floor", "ratio");
  for (const auto& [key, calls] : found) {
    const auto& [layer, map, flops] = key;
    const Against cost{calls.fastest, static_cast<double>(flops) / peak};
    std::printf("%-11s %-12s %-28s %5ld %8.2f", layer.c_str(), map.c_str(), calls.product.c_str(),
                static_cast<long>(calls.count / iterations), cost.seconds * 1e3);
    if (flops > 0) {
      std::printf(" %8.2f %8.2f %6.2f%s", calls.product_seconds / static_cast<double>(calls.count) * 1e3,
                  cost.floor * 1e3, cost.seconds / cost.floor, cost.mark());
    }
    std::printf("\n");
  }
}

}  // namespace ebm::bench
