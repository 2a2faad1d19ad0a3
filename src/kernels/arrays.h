// SPDX-License-Identifier: MIT
// What a launch does with which arrays: each formula, product and convolution tells it in `arrays(uses)`, and
// from it follow an iteration's traffic, its order, and what may run beside what (recorder/recorder.h).
// tests/accesses/ compares what formulas tell with what they do.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "core/view.h"
#include "kernels/formulas/formula.h"

namespace ebm {

enum class Use {
  read,    ///< its elements before the launch are read
  write,   ///< all of it is written, whatever it held
  update,  ///< it is read, and all of it is written
  gather,  ///< as many elements as it has are read, of an array that starts there and may be longer
  touch,  ///< a few elements may be read or written, or any when a number is not finite: counts for the order
          ///< of launches alone
};

/// A block of memory and what a launch does with it.
struct ArrayUse {
  Use use;
  uintptr_t begin;
  int64_t bytes;

  uintptr_t end() const { return begin + static_cast<uintptr_t>(bytes); }
  bool reads() const { return use != Use::write; }
  bool writes() const { return use == Use::write || use == Use::update || use == Use::touch; }
  int64_t bytes_read() const { return use == Use::write || use == Use::touch ? 0 : bytes; }
  int64_t bytes_written() const { return use == Use::write || use == Use::update ? bytes : 0; }
};

/// What arrays(uses) fills: `count` elements from each pointer on; a null pointer is an absent array.
class ArrayUses {
 public:
  template <class T>
  void reads(const T* array, int64_t count) {
    add(Use::read, array, count);
  }
  template <class T>
  void writes(const T* array, int64_t count, Write mode = Write::overwrite) {
    add(mode == Write::accumulate ? Use::update : Use::write, array, count);
  }
  template <class T>
  void updates(const T* array, int64_t count) {
    add(Use::update, array, count);
  }
  template <class T>
  void gathers(const T* array, int64_t count) {
    add(Use::gather, array, count);
  }
  template <class T>
  void touches(const T* array, int64_t count) {
    add(Use::touch, array, count);
  }

  /// Of numbers of either type.
  template <class Address>
  void reads(BasicArray<Address> array, int64_t count) {
    add(Use::read, array, count);
  }
  void writes(Array array, int64_t count, Write mode = Write::overwrite) {
    add(mode == Write::accumulate ? Use::update : Use::write, array, count);
  }
  void updates(Array array, int64_t count) { add(Use::update, array, count); }
  void gathers(ConstArray array, int64_t count) { add(Use::gather, array, count); }

  /// The same for several arrays of one size.
  void reads(std::initializer_list<ConstArray> arrays, int64_t count) {
    for (const ConstArray& array : arrays) reads(array, count);
  }
  template <class T>
  void reads(std::initializer_list<T*> arrays, int64_t count) {
    for (const T* array : arrays) reads(array, count);
  }
  template <class T>
  void writes(std::initializer_list<T*> arrays, int64_t count, Write mode = Write::overwrite) {
    for (const T* array : arrays) writes(array, count, mode);
  }
  template <class T>
  void updates(std::initializer_list<T*> arrays, int64_t count) {
    for (const T* array : arrays) updates(array, count);
  }
  template <class T>
  void touches(std::initializer_list<T*> arrays, int64_t count) {
    for (const T* array : arrays) touches(array, count);
  }

  const std::vector<ArrayUse>& all() const { return all_; }

 private:
  template <class T>
  void add(Use use, const T* array, int64_t count) {
    add_bytes(use, array, count * static_cast<int64_t>(sizeof(T)));
  }
  void add(Use use, ConstArray array, int64_t count) {
    add_bytes(use, array.address, count * size_of(array.type));
  }
  void add_bytes(Use use, const void* array, int64_t bytes) {
    if (array == nullptr || bytes == 0) return;
    all_.push_back({use, reinterpret_cast<uintptr_t>(array), bytes});
  }

  std::vector<ArrayUse> all_;
};

template <class Launch>
std::vector<ArrayUse> arrays_of(const Launch& launch) {
  ArrayUses uses;
  launch.arrays(uses);
  return uses.all();
}

}  // namespace ebm
