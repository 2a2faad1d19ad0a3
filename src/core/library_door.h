// SPDX-License-Identifier: MIT
// The body of the one symbol of a library that programs open at run time: an object, or null and the reason.
#pragma once

#include <cstdio>
#include <exception>

#include "core/error.h"

namespace ebm {

struct LibraryDoor {
  const char* library;  ///< its file's name
  bool same_build;      ///< as the program: what both say of their interface
  char* message;        ///< where the reason goes
  size_t capacity;

  /// make(), unless the builds differ or it throws.
  template <class Make>
  auto open(const Make& make) const -> decltype(make()) {
    try {
      if (!same_build)
        throw Error(std::string(library) + " is not of this program's build; build both again with `make`");
      return make();
    } catch (const std::exception& error) {
      std::snprintf(message, capacity, "%s", error.what());
      return nullptr;
    }
  }
};

}  // namespace ebm
