// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/kernels.h"

namespace ebm {

/// Where the data points of an iteration come from.
class DataSource {
 public:
  virtual ~DataSource() = default;
  virtual const Features& features() const = 0;
  /// Queues the batch of iteration *iteration (on the device) into x: B x features. Waits for nothing.
  virtual void draw(const uint64_t* iteration, View x) = 0;
};

}  // namespace ebm
