// SPDX-License-Identifier: MIT
// What the order of recorded launches (kernels/recorder/recorder.h) must be like.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/view.h"
#include "kernels/recorder/recorder.h"

namespace ebm::test {

/// A set of addresses, as disjoint intervals.
class AddressSet {
 public:
  void add(uintptr_t begin, uintptr_t end);
  void remove(uintptr_t begin, uintptr_t end);
  bool contains(uintptr_t begin, uintptr_t end) const;
  bool meets(uintptr_t begin, uintptr_t end) const;

  template <class T>
  void add(const T* array, int64_t count) {
    const auto begin = reinterpret_cast<uintptr_t>(array);
    add(begin, begin + static_cast<uintptr_t>(count) * sizeof(T));
  }
  void add(const AddressSet& other) {
    for (const auto& [begin, end] : other.intervals_) add(begin, end);
  }
  void add(ConstView view) { add(view.data, view.size()); }

 private:
  std::map<uintptr_t, uintptr_t> intervals_;  // begin: end
};

/// One line for each array of one branch of a fork that the other branch writes.
std::vector<std::string> conflicts(const std::vector<Launch>& launches);

/// One line for each array that is read before anything wrote it, unless it lies in `known`.
std::vector<std::string> unwritten_reads(const std::vector<Launch>& launches, AddressSet known);

/// What was written before the launches, and they do not write.
AddressSet constants(const Recorder& recorder, const std::vector<Launch>& launches);

}  // namespace ebm::test
