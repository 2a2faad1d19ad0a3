// SPDX-License-Identifier: MIT
#include "train/time_model.h"

#include <algorithm>
#include <array>

namespace ebm {

namespace {

double bytes(const Launch& launch) {
  return static_cast<double>(launch.bytes_read() + launch.bytes_written());
}

/// What launches ask of a device's parts, in seconds, if each could be used alone.
struct Demand {
  double memory = 0, fp32 = 0, tf32 = 0;
  std::array<double, 2> branch{};  // one launch after another

  void add(const TimeModel& model, const Launch& launch) {
    const bool full = launch.precision == Precision::full;
    memory += bytes(launch) / model.device.memory_bandwidth;
    (full ? fp32 : tf32) += launch.flop / (full ? model.device.fp32_flops : model.device.tf32_flops);
    branch.at(static_cast<size_t>(launch.branch)) += model.seconds(launch);
  }
  double seconds() const { return std::max({memory, fp32, tf32, branch[0], branch[1]}); }
};

std::string outer_phase_of(const Launch& launch) {
  return outer_phase(launch);
}

std::string kind(const Launch& launch) {
  return outer_phase(launch) + ": " + launch.name + (launch.shape.empty() ? "" : " of " + launch.shape);
}

std::vector<ModelledCost> cost_by(std::string (*group)(const Launch&), const TimeModel& model,
                                  const std::vector<Launch>& launches) {
  std::vector<ModelledCost> costs;
  for (const Launch& launch : launches) {
    const std::string name = group(launch);
    auto found =
        std::find_if(costs.begin(), costs.end(), [&](const auto& c) { return c.counts.phase == name; });
    if (found == costs.end()) found = costs.insert(costs.end(), {.counts = {.phase = name}});
    found->add(model, launch);
  }
  return costs;
}

}  // namespace

double TimeModel::seconds(const Launch& launch) const {
  const double peak = launch.precision == Precision::full ? device.fp32_flops : device.tf32_flops;
  return std::max(launch.flop / peak, bytes(launch) / device.memory_bandwidth) + launch_seconds;
}

double TimeModel::seconds(const std::vector<Launch>& launches) const {
  double sum = 0;
  for (auto next = launches.begin(); next != launches.end();) {
    const auto end =
        std::find_if(next, launches.end(), [&](const Launch& l) { return l.fork != next->fork; });
    Demand demand;
    for (auto launch = next; launch != end; ++launch) demand.add(*this, *launch);
    sum += next->fork == 0 ? demand.branch[0] : demand.seconds();
    next = end;
  }
  return sum;
}

void ModelledCost::add(const TimeModel& model, const Launch& launch) {
  counts.add(launch);
  seconds += model.seconds(launch);
  if (launch.kind == LaunchKind::product) product_seconds += model.seconds(launch);
}

std::vector<ModelledCost> cost_by_phase(const TimeModel& model, const std::vector<Launch>& launches) {
  return cost_by(outer_phase_of, model, launches);
}

std::vector<ModelledCost> cost_by_kind(const TimeModel& model, const std::vector<Launch>& launches) {
  std::vector<ModelledCost> costs = cost_by(kind, model, launches);
  std::stable_sort(costs.begin(), costs.end(),
                   [](const auto& a, const auto& b) { return a.seconds > b.seconds; });
  return costs;
}

}  // namespace ebm
