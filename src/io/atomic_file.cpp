// SPDX-License-Identifier: MIT
#include "io/atomic_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "core/error.h"
#include "io/read_error.h"
#include "io/signals.h"

namespace ebm {
namespace {

namespace fs = std::filesystem;

// Of what is written; read_error is for what is read.
Error system_error(std::string_view what, const fs::path& path, int code) {
  const char* remedy = "check the path";
  if (code == ENOSPC || code == EDQUOT || code == EFBIG) remedy = "free some space there, then start again";
  if (code == EACCES || code == EROFS || code == EPERM) remedy = "choose a folder that may be written";
  if (code == ENOENT || code == ENOTDIR) remedy = "check that the folder exists";
  return Error(fmt::format("cannot {} '{}': {}; {}", what, path.string(),
                           std::generic_category().message(code), remedy));
}

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  // close() is where a network file system may tell of a failed write.
  [[nodiscard]] bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

fs::path folder_of(const fs::path& path) {
  return path.has_parent_path() ? path.parent_path() : fs::path(".");
}

void sync_file(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw system_error("open", path, errno);
  if (::fsync(file.get()) != 0) throw system_error("write", path, errno);
}

void sync_folder(const fs::path& folder) {
  Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) throw read_error(folder, errno, "open the folder");
  // EINVAL, EROFS: file systems that cannot sync a folder; the rename itself has worked.
  if (::fsync(file.get()) != 0 && errno != EINVAL && errno != EROFS)
    throw system_error("sync", folder, errno);
}

void write_bytes(const fs::path& path, const uint8_t* bytes, size_t size) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (file.get() < 0) throw system_error("create", path, errno);
  while (size > 0) {
    const ssize_t written = ::write(file.get(), bytes, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) throw system_error("write", path, written < 0 ? errno : ENOSPC);
    bytes += written;
    size -= static_cast<size_t>(written);
  }
  if (!file.close()) throw system_error("write", path, errno);
}

// The number N of a name PREFIX N SUFFIX.
std::optional<int64_t> number_in(std::string_view name, std::string_view prefix, std::string_view suffix) {
  if (name.size() <= prefix.size() + suffix.size() || !name.starts_with(prefix) || !name.ends_with(suffix)) {
    return std::nullopt;
  }
  name.remove_prefix(prefix.size());
  name.remove_suffix(suffix.size());
  int64_t number = 0;
  const auto [end, code] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (code != std::errc() || end != name.data() + name.size() || number < 0 || name.front() == '-')
    return std::nullopt;
  return number;
}

/// A new file in the place of a device would take it from the whole machine, where the user may do so.
void refuse_device(const fs::path& target) {
  std::error_code ignored;
  const fs::file_status status = fs::symlink_status(target, ignored);
  if (fs::is_character_file(status) || fs::is_block_file(status) || fs::is_fifo(status) ||
      fs::is_socket(status))
    throw Error("'" + target.string() +
                "' is a device or pipe, which a file cannot take the place of; name a file");
}

}  // namespace

void write_atomically(const fs::path& target, const std::function<void(const fs::path& temporary)>& writer) {
  fs::path temporary = target;
  temporary += ".tmp";
  refuse_device(target);
  const SignalsWait whole;
  try {
    std::error_code ignored;
    fs::remove(temporary, ignored);  // not written through: it may be a link
    writer(temporary);
    move_into_place(temporary, target);
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
}

void move_into_place(const fs::path& temporary, const fs::path& target) {
  sync_file(temporary);
  refuse_device(target);
  if (::rename(temporary.c_str(), target.c_str()) != 0) throw system_error("replace", target, errno);
  sync_folder(folder_of(target));
}

void write_file(const fs::path& target, std::span<const uint8_t> bytes) {
  write_atomically(target,
                   [&](const fs::path& temporary) { write_bytes(temporary, bytes.data(), bytes.size()); });
}

void write_file(const fs::path& target, std::string_view text) {
  write_file(target, std::span(reinterpret_cast<const uint8_t*>(text.data()), text.size()));
}

std::vector<uint8_t> read_file(const fs::path& path) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw read_error(path, errno);
  std::vector<uint8_t> bytes;
  constexpr size_t block = size_t{1} << 16;
  for (;;) {
    const size_t used = bytes.size();
    bytes.resize(used + block);
    const ssize_t got = ::read(file.get(), bytes.data() + used, block);
    if (got < 0 && errno != EINTR) throw read_error(path, errno);
    bytes.resize(used + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return bytes;
  }
}

std::vector<fs::path> numbered_files(const fs::path& folder, std::string_view prefix,
                                     std::string_view suffix) {
  std::error_code code;
  std::vector<std::pair<int64_t, fs::path>> found;
  fs::directory_iterator entry(folder, code);
  if (code == std::errc::no_such_file_or_directory) return {};
  for (; !code && entry != fs::directory_iterator(); entry.increment(code)) {
    const auto number = number_in(entry->path().filename().string(), prefix, suffix);
    std::error_code vanished;
    if (number && entry->is_regular_file(vanished)) found.emplace_back(*number, entry->path());
  }
  if (code) throw read_error(folder, code.value(), "read the folder");
  std::sort(found.begin(), found.end());
  std::vector<fs::path> paths;
  for (auto& [number, path] : found) paths.push_back(std::move(path));
  return paths;
}

void keep_newest(const fs::path& folder, std::string_view prefix, std::string_view suffix, int64_t count) {
  if (count < 1)
    throw Error(fmt::format("cannot keep {} files in '{}'; keep at least 1", count, folder.string()));
  auto doomed = numbered_files(folder, prefix, suffix);
  doomed.resize(static_cast<size_t>(std::max<int64_t>(static_cast<int64_t>(doomed.size()) - count, 0)));
  for (const auto& left : numbered_files(folder, prefix, std::string(suffix) + ".tmp"))
    doomed.push_back(left);
  for (const auto& path : doomed) {
    std::error_code code;
    fs::remove(path, code);
    if (code) throw system_error("remove", path, code.value());
  }
}

}  // namespace ebm
