// SPDX-License-Identifier: MIT
// Databases as liblmdb writes them.
#include "data/lsun.h"

#include <lmdb.h>

#include "data/lmdb_file.h"
#include "data/pictures.h"

namespace ebm::test {
namespace {

class LsunTest : public IoTest {
 protected:
  /// Writes value i under a key whose order is that of i; then removes the values in `removed`.
  void write(const std::string& folder, const std::vector<Bytes>& values,
             const std::vector<size_t>& removed = {}) {
    std::filesystem::remove_all(*this / folder);
    std::filesystem::create_directories(*this / folder);
    MDB_env* environment = nullptr;
    ASSERT_EQ(mdb_env_create(&environment), 0);
    ASSERT_EQ(mdb_env_set_mapsize(environment, size_t{64} << 20), 0);
    ASSERT_EQ(mdb_env_open(environment, (*this / folder).c_str(), MDB_NOSYNC, 0644), 0);
    MDB_txn* transaction = nullptr;
    MDB_dbi database = 0;
    ASSERT_EQ(mdb_txn_begin(environment, nullptr, 0, &transaction), 0);
    ASSERT_EQ(mdb_dbi_open(transaction, nullptr, 0, &database), 0);
    Dice dice(1);  // put in another order than that of the keys
    std::vector<size_t> order(values.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    for (size_t i = order.size(); i > 1; --i)
      std::swap(order[i - 1], order[static_cast<size_t>(dice.roll(static_cast<int64_t>(i)))]);
    const auto key = [](size_t i) { return std::to_string(100'000 + i) + "_a_key_as_long_as_those_of_LSUN"; };
    for (const size_t i : order) {
      std::string name = key(i);
      Bytes bytes = values[i];
      MDB_val k{name.size(), name.data()}, v{bytes.size(), bytes.data()};
      ASSERT_EQ(mdb_put(transaction, database, &k, &v, 0), 0);
    }
    ASSERT_EQ(mdb_txn_commit(transaction), 0);
    ASSERT_EQ(mdb_txn_begin(environment, nullptr, 0, &transaction), 0);
    for (const size_t i : removed) {
      std::string name = key(i);
      MDB_val k{name.size(), name.data()};
      ASSERT_EQ(mdb_del(transaction, database, &k, nullptr), 0);
    }
    ASSERT_EQ(mdb_txn_commit(transaction), 0);
    mdb_env_close(environment);
  }

  static std::vector<Bytes> values_of(const std::filesystem::path& path) {
    std::vector<Bytes> values;
    LmdbFile(path).visit([&](std::span<const uint8_t> value) {
      values.emplace_back(value.begin(), value.end());
      return true;
    });
    return values;
  }
};

TEST_F(LsunTest, VisitsAllValuesInTheOrderOfTheKeys) {
  Dice dice(2);
  for (const size_t count : {0u, 1u, 2u, 100u, 5000u}) {  // from no page to a tree of three levels
    std::vector<Bytes> values;
    for (size_t i = 0; i < count; ++i) {
      // small ones inside the page, large ones (beyond about 2 KiB) on pages of their own
      values.push_back(dice.bytes(i % 7 == 3 ? 2000 + dice.roll(6000) : dice.roll(100)));
    }
    write("db", values);
    EXPECT_EQ(LmdbFile(*this / "db" / "data.mdb").records(), static_cast<int64_t>(count));
    EXPECT_EQ(values_of(*this / "db" / "data.mdb"), values) << count;
  }
}

TEST_F(LsunTest, SeesTheNewestTransactionAlone) {
  std::vector<Bytes> values;
  for (int64_t i = 0; i < 300; ++i) values.push_back(Bytes(100, static_cast<uint8_t>(i)));
  write("db", values, {0, 7, 299});
  for (const size_t i : {299u, 7u, 0u}) values.erase(values.begin() + i);
  EXPECT_EQ(values_of(*this / "db" / "data.mdb"), values);
}

TEST_F(LsunTest, ReadsJpegAndWebpPictures) {
  const Image a = noise_image(16, 16, 1), b = noise_image(16, 16, 2), c = smooth_image(40, 20, 3);
  write("bedroom_train_lmdb", {encode_webp(a), encode_webp(b), encode_jpeg(c)});
  const auto read = [&](int64_t most) {
    return read_into_memory([&](ImageSink& sink) {
      read_lsun({.folder = folder_, .name = "bedroom", .most = most, .side = 16}, DataSplit::train, sink);
    });
  };
  const Dataset all = read(0), two = read(2);
  EXPECT_EQ(all.info.count, 3);
  EXPECT_EQ(all.info.name, "bedroom");
  EXPECT_EQ(all.labels, std::vector<int64_t>(3, 0));
  EXPECT_TRUE(std::ranges::equal(all.image(0), a.rgb));
  EXPECT_TRUE(std::ranges::equal(all.image(1), b.rgb));
  EXPECT_EQ(two.info.count, 2);
  EXPECT_TRUE(std::ranges::equal(two.images, std::span(all.images).first(two.images.size())));
  EXPECT_EQ(two.labels.size(), 2u);
}

TEST_F(LsunTest, SaysWhatIsWrong) {
  const auto error = [&](DataSplit split) {
    return error_of([&] {
      read_into_memory(
          [&](ImageSink& sink) { read_lsun({.folder = folder_, .name = "bedroom"}, split, sink); });
    });
  };
  EXPECT_HAS(error(DataSplit::valid), "bedroom_val_lmdb/data.mdb': No such file");
  EXPECT_HAS(error(DataSplit::test), "bedroom has no split 'test'");
  write("bedroom_val_lmdb", {encode_webp(noise_image(4, 4, 1)), {1, 2, 3}});
  EXPECT_HAS(error(DataSplit::valid), "picture 1 of ");
  EXPECT_HAS(error(DataSplit::valid), "it is neither JPEG nor PNG nor WebP");
}

TEST_F(LsunTest, BelievesNoOffsetsInsideAPage) {
  constexpr size_t page = 4096, leaf = 2;
  write("db", {Bytes(100, 7), Bytes(200, 8)});
  const auto path = *this / "db" / "data.mdb";
  const Bytes whole = read_file(path);
  size_t start = 2 * page;  // of the leaf
  while (start < whole.size() && whole[start + 10] != leaf) start += page;
  ASSERT_LT(start, whole.size());
  const size_t node = start + whole[start + 16] + 256u * whole[start + 17];
  const auto expect_damaged = [&](size_t at, const Bytes& bytes) {
    Bytes content = whole;
    std::copy(bytes.begin(), bytes.end(), content.begin() + static_cast<std::ptrdiff_t>(at));
    write_quickly(path, content);
    const std::string expected = "page " + std::to_string(start / page) + " of ";
    const std::string message = error_of([&] { values_of(path); });
    EXPECT_HAS(message, expected);
    EXPECT_HAS(message, " is damaged");
  };
  expect_damaged(start, {0xFF});                   // the page's number
  expect_damaged(start + 12, {0xFF, 0xFF});        // where its offsets end
  expect_damaged(start + 12, {0x01, 0x00});        // before they begin
  expect_damaged(start + 16, {0xFF, 0x0F});        // a node that does not fit behind its offset
  expect_damaged(start + 16, {0x10, 0x00});        // a node inside the offsets
  expect_damaged(node, {0xFF, 0xFF, 0x00, 0x00});  // a value longer than the page
  expect_damaged(node, {0xFF, 0xFF, 0xFF, 0xFF});
  expect_damaged(node + 6, {0xFF, 0xFF});  // a key longer than the page
  expect_damaged(node + 4, {0x04, 0x00});  // a kind of node that has no place here
}

TEST_F(LsunTest, SurvivesDamagedDatabases) {
  Dice dice(3);
  std::vector<Bytes> values;
  for (int64_t i = 0; i < 400; ++i) values.push_back(dice.bytes(i % 5 == 0 ? 3000 : 20));
  write("db", values);
  const auto path = *this / "db" / "data.mdb";
  expect_to_survive(path, Flipped::anything, [&] {
    Dataset all;
    for (const Bytes& value : values_of(path)) append(all.images, value);
    return all;
  });
}

}  // namespace
}  // namespace ebm::test
