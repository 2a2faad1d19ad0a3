// SPDX-License-Identifier: MIT
// Arrays written and read by rows. tests/data/image_file_test.cpp holds the large ones and the checksums.
#include <algorithm>
#include <vector>

#include "io/hdf5_file.h"
#include "io/io_fixture.h"

namespace ebm::test {
namespace {

using Bytes = std::vector<uint8_t>;

class Hdf5RowsTest : public IoTest {
 protected:
  Hdf5File create() { return Hdf5File::create(*this / "a.h5"); }
  Hdf5File read() { return Hdf5File::open_read(*this / "a.h5"); }

  const Bytes rows_ = [] {
    Bytes bytes;
    for (int i = 0; i < 42; ++i) bytes.push_back(static_cast<uint8_t>(7 * i + 3));
    return bytes;
  }();
};

TEST_F(Hdf5RowsTest, RowsComeBackInPartsOfAnySize) {
  Hdf5File file = create();
  file.declare_rows("a", {7, 3, 2}, 3);
  file.write_rows("a", 0, std::span(rows_).first(18));
  file.write_rows("a", 3, std::span(rows_).subspan(18, 6));
  file.write_rows("a", 4, std::span(rows_).subspan(24));
  file.close();
  EXPECT_EQ(read().shape_of_rows("a"), (std::vector<int64_t>{7, 3, 2}));
  EXPECT_EQ(read().read_dataset<uint8_t>("a").values, rows_);
  for (int64_t first = 0; first < 7; ++first) {
    for (int64_t count = 0; first + count <= 7; ++count) {
      Bytes part(static_cast<size_t>(6 * count));
      read().read_rows("a", first, part);
      EXPECT_TRUE(std::equal(part.begin(), part.end(), rows_.begin() + 6 * first));
    }
  }
  const Hdf5File::Chunks chunks = read().chunks_of_rows("a");
  EXPECT_EQ(chunks.rows, 3);
  EXPECT_EQ(chunks.bytes, 18);
  EXPECT_EQ(chunks.offsets.size(), 3u);
}

TEST_F(Hdf5RowsTest, AnArrayIsShortenedToItsFirstRows) {
  for (const int64_t rows : {1, 3, 4, 7}) {
    Hdf5File file = create();
    file.declare_rows("a", {7, 3, 2}, 3);
    const auto first = std::span(rows_).first(static_cast<size_t>(6 * rows));
    file.write_rows("a", 0, first);
    EXPECT_HAS(error_of([&] { file.shorten_rows("a", 0); }), "of 7 rows to 0; keep 1 to 7");
    EXPECT_HAS(error_of([&] { file.shorten_rows("a", 8); }), "of 7 rows to 8; keep 1 to 7");
    file.shorten_rows("a", rows);
    file.close();
    EXPECT_EQ(read().shape_of_rows("a"), (std::vector<int64_t>{rows, 3, 2}));
    EXPECT_EQ(read().read_dataset<uint8_t>("a").values, Bytes(first.begin(), first.end()));
    EXPECT_EQ(std::ssize(read().chunks_of_rows("a").offsets), (rows + 2) / 3);
  }
}

TEST_F(Hdf5RowsTest, WrongRowsAreErrors) {
  Hdf5File file = create();
  EXPECT_HAS(error_of([&] { file.declare_rows("a", {}, 1); }), "shape scalar in chunks of 1 rows");
  EXPECT_HAS(error_of([&] { file.declare_rows("a", {3, 0}, 1); }), "shape 3 x 0");
  EXPECT_HAS(error_of([&] { file.declare_rows("a", {3, 2}, 4); }), "in chunks of 4 rows");
  file.declare_rows("a", {7, 6}, 3);
  EXPECT_HAS(error_of([&] { file.write_rows("a", 0, std::span(rows_).first(5)); }), "are no whole rows of");
  EXPECT_HAS(error_of([&] { file.write_rows("a", 1, rows_); }), "42 bytes from row 1 on are no whole rows");
  EXPECT_HAS(error_of([&] { file.write_rows("a", -1, std::span(rows_).first(6)); }), "from row -1 on");
  file.write_rows("a", 0, rows_);
  file.write_dataset("b", std::span<const int64_t>(std::vector<int64_t>{1, 2}), {2});
  file.close();
  Bytes part(12);
  EXPECT_HAS(error_of([&] { read().read_rows("a", 6, part); }), "12 bytes from row 6 on are no whole rows");
  EXPECT_HAS(error_of([&] { read().read_rows("b", 0, part); }), "holds int64, not uint8");
  EXPECT_HAS(error_of([&] { (void)read().shape_of_rows("c"); }), "there is no dataset 'c'");
}

TEST_F(Hdf5RowsTest, RowsThatWereNeverWrittenAreErrors) {
  Hdf5File file = create();
  file.declare_rows("none", {7000, 6}, 1000);
  file.declare_rows("some", {7, 6}, 1);
  file.write_rows("some", 0, std::span(rows_).first(36));
  file.close();
  Bytes part(6);
  EXPECT_HAS(error_of([&] { read().read_rows("none", 0, part); }), "the file holds 0 bytes of it");
  EXPECT_HAS(error_of([&] { (void)read().chunks_of_rows("some"); }), "is not stored as plain chunks");
}

TEST_F(Hdf5RowsTest, AFullDiskIsAnErrorAtTheLatestWhenClosing) {
  const FullDisk full(50'000);
  Hdf5File file = create();
  const std::string message = error_of([&] {
    file.declare_rows("a", {1000, 1000}, 10);
    for (int64_t row = 0; row < 1000; row += 10) file.write_rows("a", row, Bytes(10'000, 1));
    file.close();
  });
  EXPECT_HAS(message, "a.h5");
  EXPECT_HAS(message, "free some space");
}

}  // namespace
}  // namespace ebm::test
