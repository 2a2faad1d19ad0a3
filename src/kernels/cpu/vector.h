// SPDX-License-Identifier: MIT
#pragma once

namespace ebm::cpu {

/// GNU vectors: arithmetic on them is arithmetic on each element. Unaligned is the same vector anywhere in
/// memory.
template <int size>
struct Vector {
  static constexpr int lanes = size;
  using Value __attribute__((vector_size(size * sizeof(float)))) = float;
  using Unaligned __attribute__((vector_size(size * sizeof(float)), aligned(4), may_alias)) = float;
};
template <>
struct Vector<1> {
  static constexpr int lanes = 1;
  using Value = float;
  using Unaligned = float;
};

template <class V>
typename V::Value load(const float* from) {
  return *reinterpret_cast<const typename V::Unaligned*>(from);
}
template <class V>
void store(float* to, typename V::Value value) {
  *reinterpret_cast<typename V::Unaligned*>(to) = value;
}

/// A vector register.
#ifdef __AVX512F__
using Wide = Vector<16>;
#else
using Wide = Vector<8>;
#endif

}  // namespace ebm::cpu
