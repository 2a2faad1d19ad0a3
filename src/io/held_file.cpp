// SPDX-License-Identifier: MIT
#include "io/held_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "io/read_error.h"

namespace ebm {

HeldFile::HeldFile(const std::filesystem::path& path, Locking locking) {
  const std::string name = fmt::format("'{}'", path.string());
  // Without waiting for the writer of a pipe.
  fd_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd_ < 0) throw read_error(path, errno);
  const auto refuse = [&](const Error& error) {
    ::close(fd_);
    throw error;
  };
  struct stat status {};
  if (::fstat(fd_, &status) != 0) refuse(read_error(path, errno));
  if (!S_ISREG(status.st_mode)) {
    refuse(Error(fmt::format("cannot read {}: it is {}; name an HDF5 file", name,
                             S_ISDIR(status.st_mode) ? "a folder" : "no regular file")));
  }
  // Any other answer is that of a file system without locks (ENOLCK, EOPNOTSUPP, ENOSYS, ...).
  if (locking == Locking::shared && ::flock(fd_, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    refuse(
        Error(fmt::format("cannot read {}: it is in use by another program, which has locked it for "
                          "writing; close it there (a notebook, h5py), then start again",
                          name)));
  }
}

HeldFile::~HeldFile() {
  ::close(fd_);
}

int HeldFile::read_through() const {
  constexpr off_t long_file = off_t{1} << 30;
  struct stat status {};
  if (::fstat(fd_, &status) == 0 && status.st_size > long_file) {
    std::fprintf(stderr, "note: reading all %lld MiB of a file, to tell damage from a disk's failure\n",
                 static_cast<long long>(status.st_size >> 20));
  }
  std::vector<char> block(size_t{1} << 20);
  for (off_t offset = 0;;) {
    const ssize_t got = ::pread(fd_, block.data(), block.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return errno;
    if (got == 0) return 0;
    offset += got;
  }
}

HeldFile::Writer HeldFile::writer() const {
  // Signature, version, sizes of offsets and lengths, flags (HDF5 file format, "Superblock (Versions 2 and
  // 3)").
  constexpr std::array<uint8_t, 9> version3{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n', 3};
  constexpr size_t flags = 11;
  constexpr uint8_t write = 1, single_writer = 4;
  std::array<uint8_t, flags + 1> head{};
  if (::pread(fd_, head.data(), head.size(), 0) != std::ssize(head) ||
      std::memcmp(head.data(), version3.data(), version3.size()) != 0 || (head[flags] & write) == 0) {
    return Writer::closed;
  }
  return (head[flags] & single_writer) != 0 ? Writer::live : Writer::marked;
}

}  // namespace ebm
