// SPDX-License-Identifier: MIT
#include "io/claimed_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

#include "core/error.h"

namespace ebm {

ClaimedFolder::ClaimedFolder(const std::filesystem::path& folder, const std::string& taken,
                             const std::string& warning)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0 || ::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int code = errno;
  if (code == EWOULDBLOCK) {
    ::close(descriptor_);
    throw Error(taken);
  }
  std::fprintf(stderr, "note: %s cannot be locked (%s); %s\n", folder.c_str(),
               std::generic_category().message(code).c_str(), warning.c_str());
}

ClaimedFolder::~ClaimedFolder() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace ebm
