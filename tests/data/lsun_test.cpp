// SPDX-License-Identifier: MIT
// Databases as liblmdb writes them.
#include "data/lsun.h"

#include <lmdb.h>
#include <sys/stat.h>

#include "data/lmdb_file.h"
#include "data/pictures.h"

namespace ebm::test {
namespace {

struct Database {
  const char* name = nullptr;  // a named one
  unsigned flags = MDB_CREATE;
};

class LsunTest : public IoTest {
 protected:
  using Records = std::vector<std::pair<std::string, Bytes>>;

  /// Runs `action` in a transaction on a database of the environment in `folder`.
  void change(const std::string& folder, const Database& what,
              const std::function<void(MDB_txn*, MDB_dbi)>& action) {
    std::filesystem::create_directories(*this / folder);
    MDB_env* environment = nullptr;
    ASSERT_EQ(mdb_env_create(&environment), 0);
    ASSERT_EQ(mdb_env_set_mapsize(environment, size_t{64} << 20), 0);
    ASSERT_EQ(mdb_env_set_maxdbs(environment, 4), 0);
    ASSERT_EQ(mdb_env_open(environment, (*this / folder).c_str(), MDB_NOSYNC, 0644), 0);
    MDB_txn* transaction = nullptr;
    MDB_dbi database = 0;
    ASSERT_EQ(mdb_txn_begin(environment, nullptr, 0, &transaction), 0);
    ASSERT_EQ(mdb_dbi_open(transaction, what.name, what.flags, &database), 0);
    action(transaction, database);
    ASSERT_EQ(mdb_txn_commit(transaction), 0);
    mdb_env_close(environment);
  }
  void put(const std::string& folder, const Records& records, const Database& what = {}) {
    change(folder, what, [&](MDB_txn* transaction, MDB_dbi database) {
      for (auto [key, value] : records) {
        MDB_val k{key.size(), key.data()}, v{value.size(), value.data()};
        ASSERT_EQ(mdb_put(transaction, database, &k, &v, 0), 0);
      }
    });
  }
  static std::string key(size_t i) { return std::to_string(100'000 + i) + "_a_key_as_long_as_those_of_LSUN"; }

  /// Writes value i under a key whose order is that of i; then removes the values in `removed`.
  void write(const std::string& folder, const std::vector<Bytes>& values,
             const std::vector<size_t>& removed = {}) {
    std::filesystem::remove_all(*this / folder);
    Records records;
    for (size_t i = 0; i < values.size(); ++i) records.emplace_back(key(i), values[i]);
    Dice dice(1);  // put in another order than that of the keys
    for (size_t i = records.size(); i > 1; --i)
      std::swap(records[i - 1], records[static_cast<size_t>(dice.roll(static_cast<int64_t>(i)))]);
    put(folder, records);
    change(folder, {}, [&](MDB_txn* transaction, MDB_dbi database) {
      for (const size_t i : removed) {
        std::string name = key(i);
        MDB_val k{name.size(), name.data()};
        ASSERT_EQ(mdb_del(transaction, database, &k, nullptr), 0);
      }
    });
  }

  std::string gather(Gathered& gathered, int64_t most = 0, Damaged damaged = Damaged::refuse) {
    return error_of([&] {
      read_lsun({.folder = folder_, .name = "bedroom", .most = most, .side = 8, .damaged = damaged},
                DataSplit::train, gathered);
    });
  }
  static std::vector<Bytes> values_of(const std::filesystem::path& path) {
    std::vector<Bytes> values;
    LmdbFile(path).visit([&](const LmdbFile::Record& record) {
      values.emplace_back(record.value.begin(), record.value.end());
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
  write("bedroom_val_lmdb", {encode_webp(noise_image(4, 4, 1)), {0xFF, 0xD8, 3}});
  EXPECT_HAS(error(DataSplit::valid),
             "1 of 2 pictures cannot be used: 'picture 1 (key " + key(1) + ") of " + folder_.string());
  write("bedroom_val_lmdb", {{1, 2, 3}, {}});
  EXPECT_HAS(error(DataSplit::valid), "none of its 2 records is a JPEG, PNG or WebP picture");
  std::filesystem::remove_all(*this / "bedroom_val_lmdb");
  std::filesystem::create_directory(*this / "bedroom_val_lmdb");
  ASSERT_EQ(mkfifo((*this / "bedroom_val_lmdb" / "data.mdb").c_str(), 0600), 0);
  EXPECT_HAS(error(DataSplit::valid), "data.mdb': it is no regular file");
}

TEST_F(LsunTest, PassesOverRecordsThatAreNoPicture) {
  // b is cropped, at a place that hangs on its number
  const Bytes a = encode_webp(noise_image(8, 8, 1)), b = encode_webp(noise_image(30, 8, 2)),
              c = encode_webp(noise_image(30, 8, 3));
  put("bedroom_train_lmdb", {{"1", a}, {"2", b}, {"3", c}});
  Gathered pure, mixed;
  EXPECT_EQ(gather(pure), "(no Error)");
  EXPECT_EQ(pure.all.info.count, 3);
  Bytes many_keys = {0x80, 0x03};  // a pickled list, beyond a page
  many_keys.resize(9000, 'k');
  put("bedroom_train_lmdb", {{"0", {}},
                             {"1a", {}},
                             {"1b", {0xFF}},
                             {"1c", {'R', 'I', 'F'}},
                             {"__keys__", many_keys},
                             {"__len__", {'K', 3, '.'}},
                             {"length", {'3'}}});
  EXPECT_EQ(gather(mixed), "(no Error)");
  EXPECT_EQ(mixed.all.images, pure.all.images);
  EXPECT_EQ(mixed.all.labels, pure.all.labels);
  EXPECT_EQ(mixed.all.info.count, 3);
  EXPECT_EQ(mixed.all.info.left_out, 7);
  ASSERT_EQ(mixed.no_pictures.size(), 7u);
  EXPECT_EQ(
      mixed.no_pictures[6],
      "record 'length' of '" + (*this / "bedroom_train_lmdb" / "data.mdb").string() + "': it is no picture");
  EXPECT_TRUE(mixed.damaged.empty());

  Gathered two;  // --most counts pictures
  EXPECT_EQ(gather(two, 2), "(no Error)");
  EXPECT_EQ(two.all.info.count, 2);
  EXPECT_TRUE(std::ranges::equal(two.all.images, std::span(pure.all.images).first(two.all.images.size())));
  EXPECT_EQ(two.all.info.left_out, 4);
}

TEST_F(LsunTest, NamesAllDamagedPicturesAndGoesOnWithoutThem) {
  std::vector<Bytes> values;
  for (uint32_t i = 0; i < 300; ++i) values.push_back(encode_webp(noise_image(20, 8, i)));
  write("bedroom_train_lmdb", values);
  Gathered whole, refused, rest;
  EXPECT_EQ(gather(whole), "(no Error)");
  for (const size_t i : {0u, 5u, 299u}) values[i].resize(values[i].size() / 2);
  write("bedroom_train_lmdb", values);
  const std::string message = gather(refused);
  EXPECT_HAS(message, "3 of 300 pictures cannot be used: 'picture 0 (key ");
  EXPECT_HAS(message, "'picture 5 (key ");
  EXPECT_HAS(message, "'picture 299 (key ");
  EXPECT_EQ(refused.damaged.size(), 3u);
  EXPECT_EQ(gather(rest, 0, Damaged::skip), "(no Error)");
  EXPECT_EQ(rest.all.info.count, 297);
  EXPECT_EQ(rest.all.info.left_out, 3);
  Bytes expected;
  for (int64_t i = 0; i < 300; ++i) {
    const auto image = whole.all.image(i);
    if (i != 0 && i != 5 && i != 299) expected.insert(expected.end(), image.begin(), image.end());
  }
  EXPECT_EQ(rest.all.images, expected);
}

TEST_F(LsunTest, TellsNamedDatabasesAndKeysOfSeveralValues) {
  const Bytes picture = encode_webp(noise_image(8, 8, 1));
  Gathered all;
  put("bedroom_train_lmdb", {{"1", picture}}, {.name = "train"});
  const std::string named = gather(all);
  EXPECT_HAS(named, "its record 'train' is a named database, and only the main one is read; copy it");
  EXPECT_HAS(named, "mdb_dump -s 'train' '" + (*this / "bedroom_train_lmdb").string() + "' | grep -v");
  EXPECT_FALSE(contains(named, "damaged")) << named;

  std::filesystem::remove_all(*this / "bedroom_train_lmdb");
  const Database sorted{.flags = MDB_CREATE | MDB_DUPSORT};
  put("bedroom_train_lmdb", {{"1", Bytes(100, 1)}}, sorted);
  put("bedroom_train_lmdb", {{"1", Bytes(100, 2)}, {"2", picture}}, sorted);
  const std::string several = gather(all);  // the values of 1 are on a page within the page
  EXPECT_HAS(several, "its key '1' has several values (MDB_DUPSORT)");
  for (uint8_t i = 3; i < 100; ++i) put("bedroom_train_lmdb", {{"1", Bytes(100, i)}}, sorted);
  EXPECT_EQ(gather(all), several) << "where they are a tree of their own";
}

TEST_F(LsunTest, PrintsKeysInOneLine) {
  EXPECT_EQ(printable(Bytes{'a', '\n', 0, 0xFF, '~', ' '}), "a\\x0a\\x00\\xff~ ");
  EXPECT_EQ(printable(Bytes(80, 'k')), std::string(80, 'k'));
  EXPECT_EQ(printable(Bytes(81, 'k')), std::string(80, 'k') + "...");
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
