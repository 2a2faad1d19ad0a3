// SPDX-License-Identifier: MIT
#pragma once

#include "data/image_file.h"

namespace ebm {

/// Images first, first + 1, ..., `count` of them, as training sees them: 2 byte / 255 - 1. Throws Error.
std::vector<float> image_values(const ImageFile& file, int64_t first, int64_t count);

}  // namespace ebm
