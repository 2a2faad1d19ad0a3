// SPDX-License-Identifier: MIT
#pragma once

#include "core/error.h"

namespace ebm {

/// Two of the ranks that would meet have the same GPU. All ranks throw it.
class GpuOfTwo : public Error {
 public:
  using Error::Error;
};

}  // namespace ebm
