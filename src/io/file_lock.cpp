// SPDX-License-Identifier: MIT
#include "io/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "io/program.h"

namespace ebm {

FileLock::FileLock(const std::filesystem::path& folder, const std::string& name, const std::string& waiting) {
  constexpr int for_all = 0666;
  descriptor_ = open((folder / name).c_str(), O_RDWR | O_CREAT, for_all);
  if (descriptor_ < 0 || flock(descriptor_, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) return;
  if (!waiting.empty()) print(waiting + "\n");
  while (flock(descriptor_, LOCK_EX) != 0 && errno == EINTR) {
  }
}

FileLock::~FileLock() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace ebm
