// SPDX-License-Identifier: MIT
#pragma once

#include "core/error.h"

namespace ebm {

/// What is wrong with bytes of a format: a reason, for who knows the file's name (unusable() in
/// input_file.h).
class FormatError : public Error {
 public:
  using Error::Error;
};

}  // namespace ebm
