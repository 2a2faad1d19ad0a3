// SPDX-License-Identifier: MIT
#include "data/dataset.h"

#include <fmt/format.h>

#include <algorithm>

namespace ebm {

const char* to_string(DataSplit split) {
  switch (split) {
    case DataSplit::train:
      return "train";
    case DataSplit::valid:
      return "valid";
    case DataSplit::test:
      return "test";
    case DataSplit::extra:
      return "extra";
  }
  return "?";
}

DataSplit split_of(const std::string& text) {
  for (const DataSplit split : {DataSplit::train, DataSplit::valid, DataSplit::test, DataSplit::extra}) {
    if (text == to_string(split)) return split;
  }
  throw Error(fmt::format("there is no split '{}'; use train, valid, test or extra", text));
}

void require_split(const std::string& name, DataSplit split, const std::vector<DataSplit>& has) {
  if (std::find(has.begin(), has.end(), split) != has.end()) return;
  std::string list;
  for (const DataSplit one : has) list += (list.empty() ? "" : ", ") + std::string(to_string(one));
  throw Error(fmt::format("{} has no split '{}'; use one of {}", name, to_string(split), list));
}

void Dataset::begin(const DatasetInfo& what) {
  info = what;
  images.clear();
  labels.clear();
}

void Dataset::add(std::span<const uint8_t> pixels, int64_t label) {
  images.insert(images.end(), pixels.begin(), pixels.end());
  labels.push_back(label);
  info.count = std::max(info.count, std::ssize(labels));
}

void Dataset::leave_out(LeftOut, const std::string&) {
  ++info.left_out;
  // Fewer are to come, never fewer than are there: at the end it is their number.
  info.count = std::max(info.count - 1, std::ssize(labels));
}

}  // namespace ebm
