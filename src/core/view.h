// SPDX-License-Identifier: MIT
// Shapes and views: the alphabet of every array in this project.
//
// An array holds `rows` samples; a sample has the features H x W x C (NHWC in memory) or just F (then H = W =
// 1, C = F). Tangents are more rows: k tangents of B samples are k*B rows, tangent-major: row t*B + b is
// tangent t of sample b.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <type_traits>

#include "core/bfloat16.h"

namespace ebm {

/// An extent in the plane: of an image, a window, a step.
struct Extent {
  int64_t height, width;
  bool operator==(const Extent&) const = default;
};

inline Extent square(int64_t side) {
  return {side, side};
}

/// The shape of one sample: H x W x C, or F as 1 x 1 x F.
struct Features {
  int64_t height = 1;
  int64_t width = 1;
  int64_t channels = 0;

  int64_t size() const { return height * width * channels; }
  int64_t pixels() const { return height * width; }
  Extent plane() const { return {height, width}; }
  bool operator==(const Features&) const = default;
};

inline Features flat(int64_t features) {
  return {.height = 1, .width = 1, .channels = features};
}

inline std::string to_string(const Features& f) {
  return std::to_string(f.height) + "x" + std::to_string(f.width) + "x" + std::to_string(f.channels);
}

/// The place of number `count` of an array that begins at `data`.
template <class T>
T* offset(T* data, int64_t count, Type type) {
  using Byte = std::conditional_t<std::is_const_v<T>, const unsigned char, unsigned char>;
  return reinterpret_cast<T*>(reinterpret_cast<Byte*>(data) + count * size_of(type));
}

/// A non-owning, contiguous rows x features block of device memory. Cheap to copy; an empty view means
/// "absent". `data` is where it begins, whatever `type` its numbers have: what may be bfloat16 is passed on
/// as an Array.
template <class T>
struct BasicView {
  T* data = nullptr;
  int64_t rows = 0;
  Features features;
  Type type = Type::float32;

  int64_t columns() const { return features.size(); }
  int64_t size() const { return rows * features.size(); }
  int64_t bytes() const { return size() * size_of(type); }
  bool empty() const { return data == nullptr; }

  /// Rows first .. first + count of this view.
  BasicView row_range(int64_t first, int64_t count) const {
    return {offset(data, first * features.size(), type), count, features, type};
  }
  /// The same memory under another sample shape of equal size.
  BasicView reshaped(const Features& other) const { return {data, rows, other, type}; }

  operator BasicView<const T>() const requires(!std::is_const_v<T>) { return {data, rows, features, type}; }
};

using View = BasicView<float>;
using ConstView = BasicView<const float>;

/// True if `second` starts where `first` ends: then one call over stacked rows does the work of two.
inline bool stacked(ConstView first, ConstView second) {
  return first.type == second.type && offset(first.data, first.size(), first.type) == second.data;
}

/// The numbers of a view as an argument of a formula: an address, and how they are stored there.
template <class Address>
struct BasicArray {
  Address address = nullptr;
  Type type = Type::float32;

  BasicArray() = default;
  BasicArray(std::nullptr_t) {}
  template <class T>
  BasicArray(T* numbers) : address(numbers), type(type_of<std::remove_const_t<T>>) {}
  template <class T>
  BasicArray(const BasicView<T>& view) : address(view.data), type(view.type) {}
  template <class Other>
  BasicArray(const BasicArray<Other>& other) requires(!std::is_same_v<Other, Address>)
      : address(other.address), type(other.type) {}
};

using Array = BasicArray<void*>;
using ConstArray = BasicArray<const void*>;

template <class T>
std::string to_string(const BasicView<T>& v) {
  return std::to_string(v.rows) + " rows of " + to_string(v.features);
}

}  // namespace ebm
