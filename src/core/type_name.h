// SPDX-License-Identifier: MIT
#pragma once

#include <cxxabi.h>

#include <cstdlib>
#include <memory>
#include <string>

namespace ebm {

/// A type's name as it is written, from typeid(...).name(); other text stays as it is.
inline std::string type_name(const char* mangled) {
  int status = 0;
  const std::unique_ptr<char, void (*)(void*)> name(abi::__cxa_demangle(mangled, nullptr, nullptr, &status),
                                                    std::free);
  return status == 0 ? name.get() : mangled;
}

/// The same without namespaces, of a type that is no template.
inline std::string short_type_name(const char* mangled) {
  const std::string name = type_name(mangled);
  return name.substr(name.rfind(':') + 1);
}

}  // namespace ebm
