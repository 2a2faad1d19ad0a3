// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace ebm {

/// How the numbers of an array are stored. Parameters, gradients, moments and all that the bounds compute are
/// float32; the activations and cotangents of a network in training may be bfloat16, which has float32's
/// range with 8 significant bits, in half the memory. They are expanded to float32 where they are computed
/// with (kernels/formulas/rounding.h).
enum class Type : uint8_t { float32, bfloat16 };

/// A number as stored: the upper half of a float32.
struct bfloat16 {
  uint16_t bits;
};

constexpr int64_t size_of(Type type) {
  return type == Type::bfloat16 ? 2 : 4;
}

/// The memory of `count` numbers, in float32 numbers.
constexpr int64_t floats_of(int64_t count, Type type) {
  return type == Type::bfloat16 ? (count + 1) / 2 : count;
}

template <class T>
constexpr Type type_of = Type::float32;
template <>
inline constexpr Type type_of<bfloat16> = Type::bfloat16;

}  // namespace ebm
