// SPDX-License-Identifier: MIT
#include "data/input_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "io/read_error.h"

namespace ebm {

Error unusable(const std::filesystem::path& path, const std::string& reason) {
  return Error(
      fmt::format("cannot use '{}': {}; get the file again, or name the right one", path.string(), reason));
}

InputFile::InputFile(std::filesystem::path path) : path_(std::move(path)) {
  // O_NONBLOCK: a FIFO that nobody writes to is refused below, and not waited for.
  fd_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    const int code = errno;
    if (fd_ >= 0) ::close(fd_);
    throw read_error(path_, code);
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd_);
    throw Error(fmt::format("cannot read '{}': it is no regular file; name a file", path_.string()));
  }
  size_ = status.st_size;
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)), size_(other.size_) {}

InputFile::~InputFile() {
  if (fd_ >= 0) ::close(fd_);
}

void InputFile::read(int64_t offset, std::span<uint8_t> bytes) const {
  while (!bytes.empty()) {
    const ssize_t got = ::pread(fd_, bytes.data(), bytes.size(), offset);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw read_error(path_, errno);
    if (got == 0) {
      throw unusable(path_, fmt::format("it ends at byte {}, {} more are needed", offset, bytes.size()));
    }
    offset += got;
    bytes = bytes.subspan(static_cast<size_t>(got));
  }
}

struct ByteStream::Inflater {
  explicit Inflater(Compression compression) : has_members(compression == Compression::gzip) {
    constexpr int largest_window = 15, with_gzip_header = 16;
    const int window = has_members ? largest_window + with_gzip_header : largest_window;
    if (inflateInit2(&stream, window) != Z_OK) throw Error("zlib does not start; is there memory left?");
  }
  ~Inflater() { inflateEnd(&stream); }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  /// Goes on to the next member of a gzip file, past zeros that fill up what comes before it; false if the
  /// input at hand has none.
  bool begin_member() {
    for (; stream.avail_in > 0 && *stream.next_in == 0; --stream.avail_in) ++stream.next_in;
    if (stream.avail_in == 0) return false;
    between_members = false;
    return inflateReset(&stream) == Z_OK;  // what is no member's header, inflate will refuse
  }

  z_stream stream{};
  std::array<uint8_t, 1 << 16> input{};
  const bool has_members;        // one after another, as RFC 1952 has it
  bool between_members = false;  // after the end of one
  bool ended = false;
};

ByteStream::ByteStream(const InputFile& file, int64_t offset, int64_t size, Compression compression)
    : file_(file), next_(offset), end_(offset + size) {
  if (compression != Compression::none) inflater_ = std::make_unique<Inflater>(compression);
}

ByteStream::~ByteStream() = default;

bool ByteStream::has_input() {
  z_stream& stream = inflater_->stream;
  if (stream.avail_in > 0) return true;
  const auto count = static_cast<size_t>(std::min<int64_t>(end_ - next_, std::ssize(inflater_->input)));
  file_.read(next_, std::span(inflater_->input).first(count));
  next_ += static_cast<int64_t>(count);
  stream.next_in = inflater_->input.data();
  stream.avail_in = static_cast<uInt>(count);
  return count > 0;
}

size_t ByteStream::inflate_some(std::span<uint8_t> bytes) {
  z_stream& stream = inflater_->stream;
  stream.next_out = bytes.data();
  stream.avail_out = static_cast<uInt>(std::min<size_t>(bytes.size(), 1 << 30));
  const uInt wanted = stream.avail_out;
  while (stream.avail_out > 0 && !inflater_->ended) {
    if (!has_input()) {
      inflater_->ended = inflater_->between_members;
      break;
    }
    if (inflater_->between_members && !inflater_->begin_member()) continue;
    const int status = inflate(&stream, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END) {
      throw unusable(file_.path(), fmt::format("its compressed data is damaged before byte {} ({})", next_,
                                               stream.msg != nullptr ? stream.msg : "zlib gives no reason"));
    }
    if (status == Z_STREAM_END) {
      inflater_->between_members = inflater_->has_members;
      inflater_->ended = !inflater_->has_members;
    }
  }
  return wanted - stream.avail_out;
}

size_t ByteStream::read_some(std::span<uint8_t> bytes) {
  if (inflater_ != nullptr) return inflate_some(bytes);
  const auto count = static_cast<size_t>(std::min<int64_t>(end_ - next_, std::ssize(bytes)));
  file_.read(next_, bytes.first(count));
  next_ += static_cast<int64_t>(count);
  return count;
}

void ByteStream::read(std::span<uint8_t> bytes, const std::string& what) {
  while (!bytes.empty()) {
    const size_t got = read_some(bytes);
    if (got == 0) throw unusable(file_.path(), fmt::format("it ends within {}", what));
    bytes = bytes.subspan(got);
  }
}

void ByteStream::skip(int64_t count, const std::string& what) {
  std::array<uint8_t, 4096> ignored;
  while (count > 0) {
    const auto part = std::min<int64_t>(count, std::ssize(ignored));
    read(std::span(ignored).first(static_cast<size_t>(part)), what);
    count -= part;
  }
}

void ByteStream::require_end() {
  uint8_t extra = 0;
  if (read_some({&extra, 1}) != 0) throw unusable(file_.path(), "it goes on where it should end");
  // zlib compares the checksum when it has reached the end of its data
  if (inflater_ != nullptr && !inflater_->ended) throw unusable(file_.path(), "its compressed data is cut");
}

int64_t ByteStream::at_most() const {
  if (inflater_ == nullptr) return end_ - next_;
  constexpr int64_t largest_ratio = 1032;  // of deflate
  constexpr int64_t window = 1 << 16;      // what zlib may still hold
  return (end_ - next_ + static_cast<int64_t>(inflater_->stream.avail_in)) * largest_ratio + window;
}

ByteStream::Compression gzip_or_none(const InputFile& file) {
  std::array<uint8_t, 2> magic{};
  if (file.size() < std::ssize(magic)) return ByteStream::Compression::none;
  file.read(0, magic);
  return magic[0] == 0x1F && magic[1] == 0x8B ? ByteStream::Compression::gzip : ByteStream::Compression::none;
}

}  // namespace ebm
