// SPDX-License-Identifier: MIT
#pragma once
// What the readers of data sets read from: a file by position, and a stream of bytes that may be compressed.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "core/error.h"

namespace ebm {

/// The Error of a data file that cannot be used: "cannot use 'PATH': REASON; get it again (...)".
Error unusable(const std::filesystem::path& path, const std::string& reason);

/// A file open for reading. Several threads may read it at once.
class InputFile {
 public:
  /// Throws Error when it cannot be opened or is no regular file.
  explicit InputFile(std::filesystem::path path);
  ~InputFile();
  InputFile(InputFile&& other) noexcept;
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  InputFile& operator=(InputFile&&) = delete;

  const std::filesystem::path& path() const { return path_; }
  int64_t size() const { return size_; }

  /// Fills `bytes` from `offset` on. Throws Error unless they are all there.
  void read(int64_t offset, std::span<uint8_t> bytes) const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  int64_t size_ = 0;
};

/// The bytes of a part of a file, one after another. `gzip` may be several members one after another, with
/// zeros behind each (RFC 1952, and as gzip and Python read it); anything else behind one is an Error, as in
/// Python.
class ByteStream {
 public:
  enum class Compression { none, zlib, gzip };

  /// Bytes offset .. offset + size - 1 of `file`, which must outlive this.
  ByteStream(const InputFile& file, int64_t offset, int64_t size, Compression compression);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// The next bytes. Throws Error when there are fewer, or the compressed data is damaged. `what` is what is
  /// being read, for the message: "image 7 of 10".
  void read(std::span<uint8_t> bytes, const std::string& what);
  void skip(int64_t count, const std::string& what);
  /// Throws Error unless all has been read and the compressed data's checksum, if there is one, agrees.
  void require_end();

  /// No more than so many bytes can follow: what a header claims beyond that is a lie.
  int64_t at_most() const;

 private:
  struct Inflater;
  size_t read_some(std::span<uint8_t> bytes);
  size_t inflate_some(std::span<uint8_t> bytes);
  bool has_input();

  const InputFile& file_;
  int64_t next_, end_;  // of the file's bytes
  std::unique_ptr<Inflater> inflater_;
};

/// The compression of a file by its first two bytes: gzip or none.
ByteStream::Compression gzip_or_none(const InputFile& file);

}  // namespace ebm
