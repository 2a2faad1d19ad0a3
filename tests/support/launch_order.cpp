// SPDX-License-Identifier: MIT
#include "support/launch_order.h"

namespace ebm::test {

namespace {

std::string in_words(const Launch& launch, size_t array) {
  return launch.name + " (" + launch.phase + "), array " + std::to_string(array) + " of " +
         std::to_string(launch.arrays[array].bytes) + " bytes";
}

bool meet(const ArrayUse& a, const ArrayUse& b) {
  return a.begin < b.end() && b.begin < a.end();
}

void add_conflicts(const Launch& one, const Launch& other, std::vector<std::string>& lines) {
  for (size_t i = 0; i < one.arrays.size(); ++i) {
    for (size_t j = 0; j < other.arrays.size(); ++j) {
      const ArrayUse &a = one.arrays[i], &b = other.arrays[j];
      if ((a.writes() || b.writes()) && meet(a, b))
        lines.push_back(in_words(one, i) + " beside " + in_words(other, j));
    }
  }
}

}  // namespace

void AddressSet::add(uintptr_t begin, uintptr_t end) {
  if (begin >= end) return;
  auto next = intervals_.upper_bound(begin);
  if (next != intervals_.begin() && std::prev(next)->second >= begin) --next;
  while (next != intervals_.end() && next->first <= end) {
    begin = std::min(begin, next->first);
    end = std::max(end, next->second);
    next = intervals_.erase(next);
  }
  intervals_[begin] = end;
}

void AddressSet::remove(uintptr_t begin, uintptr_t end) {
  if (begin >= end) return;
  auto next = intervals_.upper_bound(begin);
  if (next != intervals_.begin()) --next;
  while (next != intervals_.end() && next->first < end) {
    const auto [first, last] = *next;
    if (last <= begin) {
      ++next;
      continue;
    }
    next = intervals_.erase(next);
    if (first < begin) intervals_[first] = begin;
    if (last > end) intervals_[end] = last;
  }
}

bool AddressSet::contains(uintptr_t begin, uintptr_t end) const {
  if (begin >= end) return true;
  const auto next = intervals_.upper_bound(begin);
  return next != intervals_.begin() && std::prev(next)->second >= end;
}

bool AddressSet::meets(uintptr_t begin, uintptr_t end) const {
  const auto next = intervals_.lower_bound(end);
  return begin < end && next != intervals_.begin() && std::prev(next)->second > begin;
}

std::vector<std::string> conflicts(const std::vector<Launch>& launches) {
  std::vector<std::string> lines;
  for (const Launch& one : launches) {
    if (one.fork == 0 || one.branch != 0) continue;
    for (const Launch& other : launches) {
      if (other.fork == one.fork && other.branch == 1) add_conflicts(one, other, lines);
    }
  }
  return lines;
}

std::vector<std::string> unwritten_reads(const std::vector<Launch>& launches, AddressSet known) {
  std::vector<std::string> lines;
  for (const Launch& launch : launches) {
    for (size_t i = 0; i < launch.arrays.size(); ++i) {
      const ArrayUse& use = launch.arrays[i];
      if (use.bytes_read() > 0 && !known.contains(use.begin, use.end())) lines.push_back(in_words(launch, i));
    }
    for (const ArrayUse& use : launch.arrays) {
      if (use.bytes_written() > 0) known.add(use.begin, use.end());
    }
  }
  return lines;
}

AddressSet constants(const Recorder& recorder, const std::vector<Launch>& launches) {
  AddressSet written;
  for (const ArrayUse& block : recorder.written_outside()) written.add(block.begin, block.end());
  for (const Launch& launch : launches) {
    for (const ArrayUse& use : launch.arrays) {
      if (use.writes()) written.remove(use.begin, use.end());
    }
  }
  return written;
}

}  // namespace ebm::test
