// SPDX-License-Identifier: MIT
// MNIST's file format, written.
#pragma once

#include "data/data_fixture.h"

namespace ebm::test {

inline Bytes big_endian(uint32_t n) {
  return {static_cast<uint8_t>(n >> 24), static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
          static_cast<uint8_t>(n)};
}

inline Bytes idx_images(const Dataset& all) {
  Bytes bytes = big_endian(0x803);
  append(bytes, big_endian(static_cast<uint32_t>(all.info.count)));
  append(bytes, big_endian(static_cast<uint32_t>(all.info.shape.height)));
  append(bytes, big_endian(static_cast<uint32_t>(all.info.shape.width)));
  append(bytes, all.images);
  return bytes;
}

inline Bytes idx_labels(const Dataset& all) {
  Bytes bytes = big_endian(0x801);
  append(bytes, big_endian(static_cast<uint32_t>(all.info.count)));
  for (const int64_t label : all.labels) bytes.push_back(static_cast<uint8_t>(label));
  return bytes;
}

}  // namespace ebm::test
