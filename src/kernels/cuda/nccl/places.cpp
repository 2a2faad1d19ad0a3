// SPDX-License-Identifier: MIT
#include "kernels/cuda/nccl/places.h"

#include <cuda_runtime_api.h>

#include <cstring>
#include <numeric>

#include "core/node.h"
#include "kernels/cuda/check.h"
#include "kernels/gpu_of_two.h"

namespace ebm::cuda {

namespace {

/// As it goes from rank to rank.
struct Travelling {
  char gpu[16], node[64];
};

std::string text_of(const char* bytes, size_t capacity) {
  return {bytes, strnlen(bytes, capacity)};
}

std::vector<RankGroup> nodes_of(const std::vector<RankPlace>& places) {
  std::vector<RankGroup> nodes;
  for (size_t rank = 0; rank < places.size(); ++rank) {
    const auto same_node = [&](const RankGroup& group) {
      return places[static_cast<size_t>(group.ranks.front())].node == places[rank].node;
    };
    auto found = nodes.begin();
    while (found != nodes.end() && !same_node(*found)) ++found;
    if (found == nodes.end()) found = nodes.insert(found, RankGroup{});
    found->ranks.push_back(static_cast<int64_t>(rank));
  }
  return nodes;
}

}  // namespace

RankPlace own_place(int device) {
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, device), "cudaGetDeviceProperties");
  return {.gpu = std::string(properties.uuid.bytes, sizeof properties.uuid.bytes), .node = node_identity()};
}

std::vector<RankPlace> all_places(HostRanks& hosts, const RankPlace& own) {
  std::vector<Travelling> blocks(static_cast<size_t>(hosts.size()));
  Travelling& mine = blocks[static_cast<size_t>(hosts.rank())];
  mine = {};
  own.gpu.copy(mine.gpu, sizeof mine.gpu);
  own.node.copy(mine.node, sizeof mine.node - 1);
  hosts.all_gather(blocks.data(), sizeof(Travelling));
  std::vector<RankPlace> places;
  for (const Travelling& block : blocks) {
    const RankPlace place{.gpu = std::string(block.gpu, sizeof block.gpu),
                          .node = text_of(block.node, sizeof block.node)};
    for (size_t other = 0; other < places.size(); ++other) {
      if (places[other].gpu != place.gpu || places[other].node != place.node) continue;
      throw GpuOfTwo(
          "processes " + std::to_string(other) + " and " + std::to_string(places.size()) +
          " have the same GPU; start as many processes on a node as it has GPUs, with --device cuda or "
          "auto, give each one of its own in CUDA_VISIBLE_DEVICES, or use --device cpu");
    }
    places.push_back(place);
  }
  return places;
}

RankGroup group_of_all(const HostRanks& hosts) {
  RankGroup all{.ranks = std::vector<int64_t>(static_cast<size_t>(hosts.size())), .own = hosts.rank()};
  std::iota(all.ranks.begin(), all.ranks.end(), 0);
  return all;
}

RankGroups groups_of(const std::vector<RankPlace>& places, int64_t rank) {
  const std::vector<RankGroup> nodes = nodes_of(places);
  RankGroups groups;
  bool alike = nodes.size() > 1;
  for (const RankGroup& node : nodes) {
    alike = alike && node.size() == nodes.front().size();
    for (int64_t i = 0; i < node.size(); ++i)
      if (node.ranks[static_cast<size_t>(i)] == rank) groups.inside = {.ranks = node.ranks, .own = i};
  }
  if (!alike) {
    groups.inside = {.ranks = {rank}};
    groups.between = {.ranks = std::vector<int64_t>(places.size()), .own = rank};
    std::iota(groups.between.ranks.begin(), groups.between.ranks.end(), 0);
    return groups;
  }
  for (const RankGroup& node : nodes) {
    const int64_t same_place = node.ranks[static_cast<size_t>(groups.inside.own)];
    if (same_place == rank) groups.between.own = groups.between.size();
    groups.between.ranks.push_back(same_place);
  }
  return groups;
}

}  // namespace ebm::cuda
