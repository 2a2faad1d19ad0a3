// SPDX-License-Identifier: MIT
#include "train/draws.h"

namespace ebm {

Draw Draws::add(const std::string& name, Stream stream, Distribution distribution, const Shape& shape) {
  entries_.push_back({.name = name,
                      .stream = stream,
                      .distribution = distribution,
                      .rows = shape.rows,
                      .values = Tensor(kernels_, shape.rows * shape.steps, shape.features)});
  return Draw(entries_.back());
}

void Draws::fill(const Draw& draw) {
  if (draw.empty()) return;
  const Draw::Entry& entry = *draw.entry_;
  if (noise_ != nullptr) return noise_->fill(entry.name, entry.distribution, entry.values);
  kernels_.noise({entry.distribution, seed_, static_cast<uint32_t>(entry.stream), iteration_}, entry.values);
}

ConstView Draws::find(const std::string& name) const {
  for (const Draw::Entry& entry : entries_) {
    if (entry.name == name) return entry.values;
  }
  return {};
}

}  // namespace ebm
