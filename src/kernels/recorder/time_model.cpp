// SPDX-License-Identifier: MIT
#include "kernels/recorder/time_model.h"

#include <algorithm>
#include <array>

#include "core/error.h"

namespace ebm {

namespace {

double peak(const DeviceCeilings& device, Precision precision) {
  switch (precision) {
    case Precision::full:
      return device.fp32_flops;
    case Precision::training:
      return device.tf32_flops;
    case Precision::bfloat16:
      return device.bf16_flops;
    case Precision::tf32x3:
      return device.tf32_flops / 3;
  }
  throw Error("unknown precision");
}

double bytes(const Launch& launch) {
  return static_cast<double>(launch.bytes_read() + launch.bytes_written());
}

/// What launches ask of a device's parts, in seconds, if each could be used alone.
struct Demand {
  double memory = 0;
  double float32_units = 0, tensor_cores = 0;
  std::array<double, 2> branch{};  // one launch after another

  void add(const TimeModel& model, const Launch& launch) {
    branch.at(static_cast<size_t>(launch.branch)) += model.seconds(launch);
    if (model.forecast) {  // a kernel that keeps all SMs busy leaves none to another
      memory += model.forecast->memory_seconds(launch, model.device);
      float32_units += model.forecast->busy_seconds(launch, model.device);
      return;
    }
    memory += bytes(launch) / model.device.memory_bandwidth;
    double& unit = launch.precision == Precision::full ? float32_units : tensor_cores;
    unit += launch.flop / peak(model.device, launch.precision);
  }
  double seconds() const { return std::max({memory, float32_units, tensor_cores, branch[0], branch[1]}); }
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
  if (forecast) return std::max(forecast->seconds(launch, device), links.seconds(launch.collective));
  return std::max({launch.flop / peak(device, launch.precision), bytes(launch) / device.memory_bandwidth,
                   links.seconds(launch.collective)}) +
         launch_seconds;
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

RankCost cost_of_ranks(const TimeModel& model, const std::vector<Launch>& launches) {
  RankCost cost;
  std::vector<Launch> others;
  for (const Launch& launch : launches) {
    const Collective& call = launch.collective;
    if (call.kind == Collective::Kind::none) {
      others.push_back(launch);
      continue;
    }
    const bool sum = call.kind == Collective::Kind::all_reduce;
    ++(sum ? cost.sums : cost.gathers);
    (sum ? cost.summed_bytes : cost.gathered_bytes) += call.bytes;
    cost.seconds += model.seconds(launch);
  }
  cost.exposed_seconds = model.seconds(launches) - model.seconds(others);
  return cost;
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
