// SPDX-License-Identifier: MIT
// Inception with weights that are functions of their names and places, as tests/golden/make_inception_goldens.py makes
// them, and as a file of torch.save (the older format, without Python).
#pragma once

#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "layers/network.h"
#include "models/inception.h"

namespace ebm::test {

struct NamedArray {
  std::vector<int64_t> shape;
  std::vector<float> values;
};
using NamedArrays = std::map<std::string, NamedArray>;

/// Numbers in [-1, 1): FNV-1a of the name in the high half, SplitMix64's finaliser, its upper 24 bits.
class NamedNumbers {
 public:
  explicit NamedNumbers(const std::string& name) {
    for (const char c : name) seed_ = (seed_ ^ static_cast<uint8_t>(c)) * 16777619u;
  }
  double operator[](uint64_t i) const {
    uint64_t x = (uint64_t{seed_} << 32) + i;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
    x = x ^ (x >> 31);
    return static_cast<double>(x >> 40) / (1 << 23) - 1;
  }

 private:
  uint32_t seed_ = 2166136261u;
};

inline NamedArray filled(const std::string& name, const std::vector<int64_t>& shape) {
  const auto product = [](auto first, auto last) {
    return std::accumulate(first, last, int64_t{1}, std::multiplies<>());
  };
  NamedArray array{shape, std::vector<float>(static_cast<size_t>(product(shape.begin(), shape.end())))};
  const bool near_one = name.ends_with("bn.weight") || name.ends_with("running_var");
  const double size = near_one ? 0.5 : 0.2;
  const double factor =
      shape.size() > 1 ? std::sqrt(6 / static_cast<double>(product(shape.begin() + 1, shape.end()))) : size;
  const NamedNumbers numbers(name);
  for (size_t i = 0; i < array.values.size(); ++i)
    array.values[i] = static_cast<float>((near_one ? 1 : 0) + factor * numbers[i]);
  return array;
}

/// All arrays of PyTorch's file for these networks.
inline NamedArrays inception_arrays(const InceptionShape& shape) {
  NamedArrays arrays;
  const auto add = [&](const std::string& name, const std::vector<int64_t>& extents) {
    arrays[name] = filled(name, extents);
  };
  Parameters folded;
  inception_features(shape)->declare(folded, "");
  for (const Parameter& p : folded.trainable()) {
    const std::string name = p.name.substr(0, p.name.rfind('.'));
    if (p.name.ends_with(".weight")) {
      add(name + ".conv.weight", p.shape);
    } else {
      for (const char* part : {"weight", "bias", "running_mean", "running_var"})
        add(name + ".bn." + part, p.shape);
    }
  }
  add("fc.weight", {inception_classes, 2048 / shape.narrower});
  add("fc.bias", {inception_classes});
  return arrays;
}

/// What torch.save(..., _use_new_zipfile_serialization=False) would write.
class TorchWriter {
 public:
  std::vector<uint8_t> file(const NamedArrays& arrays) {
    bytes_.clear();
    put("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    put("\x80\x02M\xe9\x03.");
    put("\x80\x02}X");
    text("little_endian");
    put("\x88s.");
    put("\x80\x02}(");
    for (const auto& [name, array] : arrays) tensor(name, array);
    put("u.");
    put("\x80\x02](");
    for (const auto& [name, array] : arrays) {
      put("X");
      text(name);
    }
    put("e.");
    for (const auto& [name, array] : arrays) {
      number<int64_t>(std::ssize(array.values));
      raw(array.values.data(), array.values.size() * sizeof(float));
    }
    return std::move(bytes_);
  }

 private:
  void tensor(const std::string& name, const NamedArray& array) {
    put("X");
    text(name);
    put("ctorch._utils\n_rebuild_tensor_v2\n((X");
    text("storage");
    put("ctorch\nFloatStorage\nX");
    text(name);
    put("X");
    text("cpu");
    put("J");
    number<int32_t>(static_cast<int32_t>(array.values.size()));
    put("NtQK");
    bytes_.push_back(0);
    std::vector<int64_t> strides(array.shape.size(), 1);
    for (size_t i = strides.size(); i-- > 1;) strides[i - 1] = strides[i] * array.shape[i];
    sizes(array.shape);
    sizes(strides);
    put("\x89}tR");
  }
  void sizes(const std::vector<int64_t>& all) {
    put("(");
    for (const int64_t size : all) {
      put("J");
      number<int32_t>(static_cast<int32_t>(size));
    }
    put("t");
  }
  void put(std::string_view operations) { bytes_.insert(bytes_.end(), operations.begin(), operations.end()); }
  void text(const std::string& text) {
    number<uint32_t>(static_cast<uint32_t>(text.size()));
    put(text);
  }
  template <class T>
  void number(T value) {
    raw(&value, sizeof(T));
  }
  void raw(const void* from, size_t count) {
    const auto* const first = static_cast<const uint8_t*>(from);
    bytes_.insert(bytes_.end(), first, first + count);
  }

  std::vector<uint8_t> bytes_;
};

}  // namespace ebm::test
