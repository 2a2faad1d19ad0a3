// SPDX-License-Identifier: MIT
#pragma once

#include <cstdlib>
#include <string>

namespace ebm::test {

/// Sets an environment variable ("" unsets it) until its end.
class Environment {
 public:
  Environment(const char* name, const std::string& value) : name_(name) {
    if (const char* old = std::getenv(name)) old_ = old;
    set(value);
  }
  ~Environment() { set(old_); }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

 private:
  void set(const std::string& value) {
    if (value.empty()) {
      unsetenv(name_);
    } else {
      setenv(name_, value.c_str(), 1);
    }
  }
  const char* name_;
  std::string old_;
};

}  // namespace ebm::test
