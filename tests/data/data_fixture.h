// SPDX-License-Identifier: MIT
#pragma once
// What the tests of src/data share: small random data sets, and files that are cut and damaged at many
// places.

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "io/atomic_file.h"
#include "io/io_fixture.h"

namespace ebm::test {

using Bytes = std::vector<uint8_t>;

/// mt19937 is fixed by the C++ standard, so these are the same everywhere.
class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  /// Uniform in 0 .. sides - 1, near enough.
  int64_t roll(int64_t sides) { return static_cast<int64_t>(engine_() % static_cast<uint64_t>(sides)); }
  Bytes bytes(int64_t count) {
    Bytes all;
    for (int64_t i = 0; i < count; ++i) all.push_back(static_cast<uint8_t>(roll(256)));
    return all;
  }

 private:
  std::mt19937 engine_;
};

inline Dataset random_dataset(int64_t count, const Features& shape, int64_t classes, uint32_t seed) {
  Dice dice(seed);
  Dataset all;
  all.begin({.name = "noise", .split = DataSplit::train, .source = "dice", .shape = shape, .count = count});
  for (int64_t i = 0; i < count; ++i) all.add(dice.bytes(shape.size()), dice.roll(classes));
  return all;
}

/// What a reader pours into its sink.
inline Dataset read_into_memory(const std::function<void(ImageSink&)>& read) {
  Dataset all;
  read(all);
  return all;
}

/// A data set in memory, and what did not become an image.
struct Gathered final : ImageSink {
  Dataset all;
  std::vector<std::string> damaged, no_pictures;

  void begin(const DatasetInfo& info) override { all.begin(info); }
  void add(std::span<const uint8_t> pixels, int64_t label) override { all.add(pixels, label); }
  void leave_out(LeftOut why, const std::string& what) override {
    all.leave_out(why, what);
    (why == LeftOut::damaged ? damaged : no_pictures).push_back(what);
  }
};

/// What read_into_memory gathered, again.
inline void pour(const Dataset& from, ImageSink& sink) {
  sink.begin(from.info);
  for (int64_t i = 0; i < std::ssize(from.labels); ++i)
    sink.add(from.image(i), from.labels[static_cast<size_t>(i)]);
}

inline void append(Bytes& to, const Bytes& from) {
  to.insert(to.end(), from.begin(), from.end());
}

/// Without waiting for the disk.
inline void write_quickly(const std::filesystem::path& path, const Bytes& bytes) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
}

/// What a flipped byte may do to a file.
enum class Flipped {
  harmless_or_error,  ///< the file has checksums: no wrong content is ever read
  anything            ///< only no crash
};

/// Reads `file` cut at many places, then with some bytes changed: never a crash; every failure is an Error of
/// one line that names the file; a cut file is accepted only if nothing that is read was lost.
inline void expect_to_survive(const std::filesystem::path& file, Flipped flipped,
                              const std::function<Dataset()>& read) {
  const Bytes whole = read_file(file);
  const Dataset expected = read();
  const auto size = std::ssize(whole);
  const auto attempt = [&](const Bytes& content, Dataset& got) {
    write_quickly(file, content);
    const std::string message = error_of([&] { got = read(); });
    const bool accepted = message == "(no Error)";
    EXPECT_TRUE(accepted || contains(message, file.filename().string())) << message;
    return accepted;
  };
  Dice dice(7);
  Dataset got;
  const auto expect_unharmed = [&](const std::string& what) {
    EXPECT_TRUE(got.images == expected.images && got.labels == expected.labels) << what;
  };
  for (int64_t i = 0; i < 40; ++i) {
    const int64_t kept = i < 3 ? i : i < 6 ? size - (i - 2) : dice.roll(size);
    if (attempt({whole.begin(), whole.begin() + kept}, got)) expect_unharmed(std::to_string(kept) + " bytes");
  }
  constexpr int64_t most = 120;
  int64_t accepted = 0;
  for (int64_t i = 0; i < most; ++i) {
    Bytes content = whole;
    for (int64_t changes = i % 4 == 0 ? 5 : 1; changes > 0; --changes) {
      const int64_t where = i % 2 == 0 ? dice.roll(std::min<int64_t>(size, 300)) : dice.roll(size);
      content[static_cast<size_t>(where)] ^= static_cast<uint8_t>(1 + dice.roll(255));
    }
    if (!attempt(content, got)) continue;
    ++accepted;
    if (flipped == Flipped::harmless_or_error) expect_unharmed("change " + std::to_string(i));
  }
  EXPECT_LT(accepted, most) << "no change was ever noticed";
  write_quickly(file, whole);
}

}  // namespace ebm::test
