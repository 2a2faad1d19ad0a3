// SPDX-License-Identifier: MIT
#pragma once
// HDF5 files of named arrays and attributes, every call checked.
//
// A file written here holds nothing that can change unseen: arrays are stored in chunks with a Fletcher32
// checksum, or (scalars and up to 4096 bytes) inside the object header, whose own checksum covers them, as it
// does attributes. So a flipped bit or a truncation either changes nothing that is read or is an Error.
//
// The HDF5 library is not thread-safe: use all files from one thread.

#include <concepts>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace ebm {

/// An array read from a file: row-major values; `dims` is empty for a scalar.
template <typename T>
struct Hdf5Array {
  std::vector<int64_t> dims = {};
  std::vector<T> values = {};
};

/// A file whose bytes can be read and whose content is wrong: damaged, cut short, or no HDF5 file. What keeps
/// a healthy one from being read (the system, memory, another program) is a plain Error.
class DamagedFile : public Error {
  using Error::Error;
};

class Hdf5File {
 public:
  /// How string attributes are stored. `fixed` (h5py reads it as bytes, .decode() makes a str) is covered by
  /// a checksum; `variable` (h5py reads it as str) is not, and a damaged one can crash the HDF5 library: for
  /// dumps meant for people's scripts alone.
  enum class Strings { fixed, variable };

  /// A new file at `path`, replacing one that is there. The file is complete only after close(). To replace a
  /// file safely, create inside write_atomically (io/atomic_file.h). Throws Error.
  static Hdf5File create(const std::filesystem::path& path, Strings strings = Strings::fixed);

  /// An existing file, for reading alone. Also reads a file that a RunLog is writing now, or was writing when
  /// it was killed (by another process: a process knows its own log's history). Other programs that lock what
  /// they write cannot open it for writing meanwhile (io/held_file.h). Variable strings are refused unless
  /// `strings` is `variable`. Throws DamagedFile when it is truncated, damaged or not HDF5, and Error when
  /// there is none, it may not be read or is in use by another program; so do all that read from it.
  static Hdf5File open_read(const std::filesystem::path& path, Strings strings = Strings::fixed);

  Hdf5File(Hdf5File&&) noexcept;
  Hdf5File& operator=(Hdf5File&&) noexcept;
  ~Hdf5File();  // closes without a word; a writer calls close() to hear of failures

  /// Writes out everything and closes. Throws Error when anything could not be written (a full disk). After
  /// an Error from any write, close() throws too: HDF5 itself forgets a chunk that it could not write.
  void close();

  /// Stores `values` as an array of shape `dims` ({} for a scalar) under `name` ("group/subgroup/array";
  /// missing groups are made). The element type is stored as it is: float32, float64, int64, uint8. Throws
  /// Error when the sizes disagree, the name is taken, or it cannot be written.
  void write_dataset(std::string_view name, std::span<const float> values, const std::vector<int64_t>& dims);
  void write_dataset(std::string_view name, std::span<const double> values, const std::vector<int64_t>& dims);
  void write_dataset(std::string_view name, std::span<const int64_t> values,
                     const std::vector<int64_t>& dims);
  void write_dataset(std::string_view name, std::span<const uint8_t> values,
                     const std::vector<int64_t>& dims);

  /// A group without arrays, for its attributes. Throws Error.
  void make_group(std::string_view name);

  /// The array `name`. T is float, double, int64_t or uint8_t and must be the stored type. Sizes are checked
  /// against what the file really holds before memory is taken. Throws Error.
  template <typename T>
  [[nodiscard]] Hdf5Array<T> read_dataset(std::string_view name) const;

  /// For arrays larger than memory: makes the uint8 array `name` of shape `dims`, in chunks of `chunk_rows`
  /// of its rows (row i is everything of first index i), then writes rows first, first + 1, ... (cheapest in
  /// whole chunks). All are to be written, or the array shortened to the first `rows`. Throw Error.
  void declare_rows(std::string_view name, const std::vector<int64_t>& dims, int64_t chunk_rows);
  void write_rows(std::string_view name, int64_t first, std::span<const uint8_t> rows);
  void shorten_rows(std::string_view name, int64_t rows);

  /// The shape of the uint8 array `name`, and its rows first, first + 1, ... as many as fill `rows`. Throw
  /// Error.
  [[nodiscard]] std::vector<int64_t> shape_of_rows(std::string_view name) const;
  void read_rows(std::string_view name, int64_t first, std::span<uint8_t> rows) const;

  /// Where the chunks of an array made by declare_rows lie in the file, for reading them without HDF5
  /// (another thread may): `bytes` of values in order, the last chunk filled up, then their Fletcher32
  /// checksum (little-endian). Throws Error when `name` is not stored so.
  struct Chunks {
    int64_t rows = 0;   // of the array, in each chunk
    int64_t bytes = 0;  // of a chunk, without its checksum
    std::vector<int64_t> offsets = {};
  };
  [[nodiscard]] Chunks chunks_of_rows(std::string_view name) const;

  /// Whether there is a group or array of that name. Throws Error when the file is damaged there.
  [[nodiscard]] bool has(std::string_view name) const;

  /// The names in a group ("/" is the root), sorted. Throws Error when there is no such group.
  [[nodiscard]] std::vector<std::string> list(std::string_view group) const;

  /// An attribute of the root ("/") or of an existing group or array. Strings are UTF-8 of at most 60,000
  /// bytes, without NUL, when `fixed`. Throws Error when it exists, `object` does not, or it cannot be
  /// written.
  void write_attribute(std::string_view object, std::string_view name, std::string_view value);
  void write_attribute(std::string_view object, std::string_view name, double value);
  void write_attribute(std::string_view object, std::string_view name, int64_t value);
  void write_attribute(std::string_view object, std::string_view name, std::integral auto value) {
    write_attribute(object, name, static_cast<int64_t>(value));
  }
  void write_attribute(std::string_view object, std::string_view name, const char* value) {
    write_attribute(object, name, std::string_view(value));
  }

  /// A scalar attribute. T is std::string, double (float64) or int64_t (int64). Throws Error.
  template <typename T>
  [[nodiscard]] T read_attribute(std::string_view object, std::string_view name) const;
  [[nodiscard]] bool has_attribute(std::string_view object, std::string_view name) const;
  [[nodiscard]] std::vector<std::string> list_attributes(std::string_view object) const;  // sorted

  [[nodiscard]] const std::filesystem::path& path() const;

 private:
  struct Impl;
  explicit Hdf5File(std::unique_ptr<Impl> impl);

  template <typename T>
  void write_values(std::string_view name, std::span<const T> values, const std::vector<int64_t>& dims);
  void write_scalar(std::string_view object, std::string_view name, int64_t type, int64_t file_type,
                    const void* value);

  std::unique_ptr<Impl> impl_;
};

}  // namespace ebm
