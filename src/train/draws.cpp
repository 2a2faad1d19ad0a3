// SPDX-License-Identifier: MIT
#include "train/draws.h"

#include "parallel/rank_noise.h"

namespace ebm {

Draw Draws::add(const std::string& name, Stream stream, Distribution distribution, const Shape& shape) {
  const RankRows rows = rank_rows(ranks_, shape.rows);
  require_noise_for(rows, shape.features.size());
  entries_.push_back({.name = name,
                      .stream = stream,
                      .distribution = distribution,
                      .rows = rows,
                      .values = Tensor(kernels_, shape.rows * shape.steps, shape.features)});
  return Draw(entries_.back());
}

void Draws::fill(const Draw& draw) {
  if (draw.empty()) return;
  const Draw::Entry& entry = *draw.entry_;
  if (noise_ != nullptr) return noise_->fill(entry.name, entry.distribution, entry.values);
  rank_noise(kernels_, {entry.distribution, seed_, static_cast<uint32_t>(entry.stream), iteration_},
             entry.rows, entry.values);
}

ConstView Draws::find(const std::string& name) const {
  for (const Draw::Entry& entry : entries_) {
    if (entry.name == name) return entry.values;
  }
  return {};
}

}  // namespace ebm
