// SPDX-License-Identifier: MIT
// Python's pickles as far as files of weights need them (protocol 2, pickletools.py): numbers, texts, tuples,
// lists, dictionaries, and calls, which are kept as what they are and never made. Nothing in a pickle can run
// anything.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "data/format_error.h"

namespace ebm {

struct PickleValue;
using PickleRef = const PickleValue*;

/// None.
struct PickleNone {};
/// "module name" of a function or class.
struct PickleGlobal {
  std::string name;
};
/// A tuple or a list.
struct PickleSequence {
  std::vector<PickleRef> items;
};
struct PickleDict {
  std::vector<std::pair<PickleRef, PickleRef>> items;  ///< in the order of the file
};
/// A function that Python would call, and its tuple of arguments.
struct PickleCall {
  std::string function;
  PickleRef arguments;
};
/// What the file keeps beside the pickle, by its name.
struct PicklePersistent {
  PickleRef id;
};

struct PickleValue {
  std::variant<PickleNone, bool, int64_t, double, std::string, PickleGlobal, PickleSequence, PickleDict,
               PickleCall, PicklePersistent>
      value;

  template <class T>
  const T* get_if() const {
    return std::get_if<T>(&value);
  }
};

class Pickle {
 public:
  /// Reads the pickle that `bytes` begin with. Globals must be among `known` ("collections OrderedDict"); a
  /// call of collections OrderedDict without arguments becomes a dictionary, and what is set on one besides
  /// its items is left out. Throws FormatError, which names what is not known.
  Pickle(std::span<const uint8_t> bytes, std::span<const std::string_view> known);

  const PickleValue& root() const { return *root_; }
  /// The bytes that it takes.
  size_t size() const { return size_; }

 private:
  friend class Unpickler;
  std::deque<PickleValue> values_;
  PickleRef root_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ebm
