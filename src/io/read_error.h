// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "core/error.h"

namespace ebm {

/// The Error of what cannot be read.
class ReadError : public Error {
 public:
  ReadError(const std::string& message, int code) : Error(message), code_(code) {}
  int code() const { return code_; }  ///< errno's

 private:
  int code_;
};

/// For a value of errno: "cannot WHAT: ...; ..." with a remedy that is true of reading (permissions, the
/// path, the disk), never one of writing.
ReadError reading_failed(const std::string& what, int code);
/// The same of "cannot WHAT 'PATH'".
ReadError read_error(const std::filesystem::path& path, int code, std::string_view what = "read");

}  // namespace ebm
