// SPDX-License-Identifier: MIT
#pragma once

#include <optional>

#include "kernels/formulas/toy_data.h"
#include "kernels/kernels.h"

namespace ebm {

/// Where the data points of an iteration come from.
class DataSource {
 public:
  virtual ~DataSource() = default;
  virtual const Features& features() const = 0;
  /// That of its points, where it is known.
  virtual std::optional<ToyDensity> density() const { return std::nullopt; }
  /// Host side: called before the work of iteration `iteration` is queued (its graph launched), each time, so
  /// that a source may send ahead what draw() will find on the device. Throws Error when data cannot be read.
  virtual void prepare(uint64_t /*iteration*/) {}
  /// Queues the batch of iteration *iteration (on the device) into x: B x features. Waits for nothing.
  virtual void draw(const uint64_t* iteration, View x) = 0;
};

/// Throws Error unless x is a batch of so many rows of these features.
inline void require_batch(View x, int64_t batch, const Features& features) {
  if (x.rows == batch && x.features == features) return;
  throw Error("a batch of " + to_string(x) + " was asked of a source of " + std::to_string(batch) +
              " rows of " + to_string(features) + "; make both alike");
}

}  // namespace ebm
