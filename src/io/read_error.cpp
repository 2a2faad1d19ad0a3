// SPDX-License-Identifier: MIT
#include "io/read_error.h"

#include <fmt/format.h>

#include <cerrno>
#include <system_error>

namespace ebm {
namespace {

const char* remedy_of(int code) {
  switch (code) {
    case EACCES:
    case EPERM:
      return "check its permissions and those of the folders that it is in";
    case EISDIR:
      return "it is a folder: name a file";
    case EMFILE:
    case ENFILE:
      return "raise the limit of open files (ulimit -n)";
    case ENOMEM:
      return "free some memory, then start again";
    case EIO:
    case ESTALE:
      return "check the disk, or the network that it is behind";
    default:
      return "check the path";
  }
}

}  // namespace

ReadError reading_failed(const std::string& what, int code) {
  return {fmt::format("cannot {}: {}; {}", what, std::generic_category().message(code), remedy_of(code)),
          code};
}

ReadError read_error(const std::filesystem::path& path, int code, std::string_view what) {
  return reading_failed(fmt::format("{} '{}'", what, path.string()), code);
}

}  // namespace ebm
