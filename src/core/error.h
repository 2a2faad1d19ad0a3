// SPDX-License-Identifier: MIT
#pragma once

#include <stdexcept>
#include <string>

namespace ebm {

/// Something the user can mend: bad data, a full disk, a missing device. The message is one line that names
/// the thing, the values and the remedy. Programs print it on stderr and end with exit_status().
class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message) : std::runtime_error(message) {}
  virtual int exit_status() const { return 1; }
};

/// A command line or configuration that makes no sense: exit status 2.
class UsageError : public Error {
 public:
  explicit UsageError(const std::string& message) : Error(message) {}
  int exit_status() const override { return 2; }
};

/// How a program ends that could not do its work.
struct Failure {
  int status = 1;
  std::string message = {};
};

}  // namespace ebm
