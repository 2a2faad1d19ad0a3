// SPDX-License-Identifier: MIT
#include "evaluate/image_values.h"

#include <algorithm>

namespace ebm {

std::vector<float> image_values(const ImageFile& file, int64_t first, int64_t count) {
  std::vector<uint8_t> bytes(static_cast<size_t>(count * file.info().shape.size()));
  file.read_images(first, bytes);
  if (count >= file.info().count) {
    ContentCheck check(file);
    check.add(bytes);
    check.finish();
  }
  std::vector<float> values(bytes.size());
  std::transform(bytes.begin(), bytes.end(), values.begin(),
                 [](uint8_t byte) { return 2 * static_cast<float>(byte) / 255 - 1; });
  return values;
}

}  // namespace ebm
