// SPDX-License-Identifier: MIT
#include "train/numbers.h"

namespace ebm {

float* Numbers::add(const std::string& name, NumberRole role) {
  if (entries_.size() == most)
    throw Error("there is no room for the number '" + name + "'; make Numbers::most larger");
  entries_.push_back({name, role});
  return block_.data()->numbers + (entries_.size() - 1);
}

Numbers::Values Numbers::values_of(const void* host_block) const {
  const Block& block = *static_cast<const Block*>(host_block);
  return {{block.numbers, block.numbers + entries_.size()}, block.not_finite != 0};
}

Numbers::Values Numbers::download() const {
  const std::vector<Block> host = block_.download();
  return values_of(host.data());
}

}  // namespace ebm
