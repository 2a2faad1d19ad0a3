// SPDX-License-Identifier: MIT
#include "io/hdf5_file.h"

#include <hdf5.h>

#include <cmath>
#include <fstream>
#include <limits>
#include <random>

#include "io/atomic_file.h"
#include "io_fixture.h"

namespace ebm {
namespace {

using test::error_of;
using test::FullDisk;

class Hdf5FileTest : public test::IoTest {};

std::vector<float> ramp(int64_t n) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = std::sin(0.37f * static_cast<float>(i));
  return values;
}

// Everything that content() reads back, as one string of bytes.
struct Content {
  std::vector<std::string> names;
  Hdf5Array<float> weight, bias;
  Hdf5Array<double> history;
  Hdf5Array<int64_t> step;
  Hdf5Array<uint8_t> mask;
  std::string config, note;
  double rate = 0;
  int64_t iteration = 0;

  bool operator==(const Content& o) const {
    const auto same = [](const auto& a, const auto& b) { return a.dims == b.dims && a.values == b.values; };
    return names == o.names && same(weight, o.weight) && same(bias, o.bias) && same(history, o.history) &&
           same(step, o.step) && same(mask, o.mask) && config == o.config && note == o.note &&
           rate == o.rate && iteration == o.iteration;
  }
};

void write_content(const std::filesystem::path& path) {
  Hdf5File file = Hdf5File::create(path);
  file.write_dataset("generator/main.0.weight", ramp(35 * 40), {35, 40});  // chunked
  file.write_dataset("generator/main.0.bias", ramp(7), {7});               // in the object header
  file.write_dataset("history/loss", std::vector<double>{1.0 / 3.0, 1e-300, -0.0}, {3, 1});
  file.write_dataset("step", std::vector<int64_t>{int64_t{1} << 60}, {});
  file.write_dataset("mask", std::vector<uint8_t>(5000, 200), {5000});
  file.write_attribute("/", "config", "batch = 200\nname = \"ä\"\n");
  file.write_attribute("/", "iteration", 12345);
  file.write_attribute("/", "rate", 2e-4);
  file.write_attribute("generator/main.0.weight", "note", "");
  file.close();
}

Content read_content(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  Content c;
  c.names = file.list("/");
  for (const auto& name : file.list("generator")) c.names.push_back(name);
  c.weight = file.read_dataset<float>("generator/main.0.weight");
  c.bias = file.read_dataset<float>("generator/main.0.bias");
  c.history = file.read_dataset<double>("history/loss");
  c.step = file.read_dataset<int64_t>("step");
  c.mask = file.read_dataset<uint8_t>("mask");
  for (const auto& name : file.list_attributes("/")) c.names.push_back(name);
  c.config = file.read_attribute<std::string>("/", "config");
  c.note = file.read_attribute<std::string>("generator/main.0.weight", "note");
  c.rate = file.read_attribute<double>("/", "rate");
  c.iteration = file.read_attribute<int64_t>("/", "iteration");
  return c;
}

void write_plain(const std::filesystem::path& path, const std::vector<uint8_t>& bytes) {
  std::filesystem::remove(path);  // some file systems wait for the disk when a file is overwritten
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(bytes.data()), std::ssize(bytes));
}

TEST_F(Hdf5FileTest, GivesBackWhatWasWritten) {
  write_content(*this / "a.h5");
  const Content c = read_content(*this / "a.h5");
  EXPECT_EQ(c.names, (std::vector<std::string>{"generator", "history", "mask", "step", "main.0.bias",
                                               "main.0.weight", "config", "iteration", "rate"}));
  EXPECT_EQ(c.weight.dims, (std::vector<int64_t>{35, 40}));
  EXPECT_EQ(c.weight.values, ramp(1400));
  EXPECT_EQ(c.bias.values, ramp(7));
  EXPECT_EQ(c.history.values, (std::vector<double>{1.0 / 3.0, 1e-300, -0.0}));
  EXPECT_TRUE(c.step.dims.empty());
  EXPECT_EQ(c.step.values, (std::vector<int64_t>{int64_t{1} << 60}));
  EXPECT_EQ(c.mask.values, std::vector<uint8_t>(5000, 200));
  EXPECT_EQ(c.config, "batch = 200\nname = \"ä\"\n");
  EXPECT_EQ(c.note, "");
  EXPECT_EQ(c.rate, 2e-4);
  EXPECT_EQ(c.iteration, 12345);
}

TEST_F(Hdf5FileTest, KeepsNanAndInfinityAndEmptyArrays) {
  Hdf5File file = Hdf5File::create(*this / "a.h5", Hdf5File::Strings::variable);
  const double inf = std::numeric_limits<double>::infinity();
  file.write_dataset("x", std::vector<double>{std::nan(""), inf, -inf}, {3});
  file.write_dataset("none", std::vector<float>{}, {0, 5});
  file.write_attribute("/", "config", "text");
  file.close();
  const Hdf5File read = Hdf5File::open_read(*this / "a.h5", Hdf5File::Strings::variable);
  const auto x = read.read_dataset<double>("x");
  ASSERT_EQ(x.values.size(), 3u);
  EXPECT_TRUE(std::isnan(x.values[0]));
  EXPECT_EQ(x.values[1], inf);
  EXPECT_EQ(x.values[2], -inf);
  EXPECT_EQ(read.read_dataset<float>("none").dims, (std::vector<int64_t>{0, 5}));
  EXPECT_EQ(read.read_attribute<std::string>("/", "config"), "text");
}

TEST_F(Hdf5FileTest, RefusesStringsWithoutChecksumUnlessAskedTo) {
  Hdf5File file = Hdf5File::create(*this / "a.h5", Hdf5File::Strings::variable);
  file.write_attribute("/", "config", "text");
  file.close();
  const Hdf5File read = Hdf5File::open_read(*this / "a.h5");
  EXPECT_HAS(error_of([&] { (void)read.read_attribute<std::string>("/", "config"); }), "variable length");
}

TEST_F(Hdf5FileTest, StoresArraysLargerThanAChunk) {
  const auto values = ramp(3 * 700001);
  Hdf5File file = Hdf5File::create(*this / "a.h5");
  file.write_dataset("x", values, {3, 700001});
  file.close();
  EXPECT_EQ(Hdf5File::open_read(*this / "a.h5").read_dataset<float>("x").values, values);
}

TEST_F(Hdf5FileTest, KnowsWhatIsThere) {
  write_content(*this / "a.h5");
  const Hdf5File file = Hdf5File::open_read(*this / "a.h5");
  EXPECT_TRUE(file.has("generator"));
  EXPECT_TRUE(file.has("/generator/main.0.bias"));
  EXPECT_FALSE(file.has("generator/main.1.bias"));
  EXPECT_FALSE(file.has("nothing/at/all"));
  EXPECT_TRUE(file.has_attribute("/", "rate"));
  EXPECT_FALSE(file.has_attribute("/", "rates"));
  EXPECT_FALSE(file.has_attribute("nothing", "rate"));
}

TEST_F(Hdf5FileTest, NamesWhatIsWrong) {
  write_content(*this / "a.h5");
  const Hdf5File file = Hdf5File::open_read(*this / "a.h5");
  std::string text = error_of([&] { (void)file.read_dataset<float>("energy/main.0.weight"); });
  EXPECT_HAS(text, "no dataset 'energy/main.0.weight'");
  EXPECT_HAS(text, "a.h5");
  text = error_of([&] { (void)file.read_dataset<double>("generator/main.0.bias"); });
  EXPECT_HAS(text, "holds float32, not float64");
  EXPECT_HAS(error_of([&] { (void)file.read_dataset<float>("generator"); }), "generator");
  EXPECT_HAS(error_of([&] { (void)file.read_attribute<double>("/", "config"); }),
             "holds string, not float64");
  EXPECT_HAS(error_of([&] { (void)file.read_attribute<std::string>("/", "iteration"); }),
             "holds int64, not string");
  EXPECT_HAS(error_of([&] { (void)file.read_attribute<double>("/", "missing"); }), "no attribute 'missing'");
  EXPECT_HAS(error_of([&] { (void)file.list("nothing"); }), "no group 'nothing'");
  EXPECT_HAS(error_of([&] { (void)file.list("step"); }), "step");

  Hdf5File out = Hdf5File::create(*this / "b.h5");
  EXPECT_HAS(error_of([&] { out.write_dataset("x", ramp(5), {2, 3}); }), "(2 x 3, float32): got 5 values");
  EXPECT_HAS(error_of([&] { out.write_dataset("x", ramp(5), {-5, -1}); }), "got 5 values");
  EXPECT_HAS(error_of([&] { out.write_dataset("x", ramp(5), {INT64_MAX, INT64_MAX}); }), "got 5 values");
  EXPECT_HAS(error_of([&] { out.write_attribute("/", "long", std::string(70000, 'x')); }), "60000");
  EXPECT_HAS(error_of([&] { out.write_attribute("missing", "a", 1.0); }), "attribute 'a' of 'missing'");
  out.write_dataset("x", ramp(5), {5});
  EXPECT_HAS(error_of([&] { out.write_dataset("x", ramp(5), {5}); }), "dataset 'x'");
  EXPECT_HAS(error_of([&] { out.close(); }), "earlier write failed");
}

TEST_F(Hdf5FileTest, RefusesWhatIsNotAReadableFile) {
  EXPECT_HAS(error_of([&] { (void)Hdf5File::open_read(*this / "none.h5"); }), "No such file or directory");
  EXPECT_HAS(error_of([&] { (void)Hdf5File::open_read(folder_); }), "is a folder");
  write_plain(*this / "text.h5", std::vector<uint8_t>(3000, 'x'));
  EXPECT_HAS(error_of([&] { (void)Hdf5File::open_read(*this / "text.h5"); }), "text.h5");
  write_plain(*this / "empty.h5", {});
  EXPECT_HAS(error_of([&] { (void)Hdf5File::open_read(*this / "empty.h5"); }), "empty.h5");
  EXPECT_HAS(error_of([&] { (void)Hdf5File::create(*this / "none/a.h5"); }), "No such file or directory");
}

TEST_F(Hdf5FileTest, AFlippedBitIsAnErrorOrChangesNothing) {
  write_content(*this / "a.h5");
  const Content expected = read_content(*this / "a.h5");
  const auto bytes = read_file(*this / "a.h5");
  std::mt19937 random(1);
  int64_t errors = 0;
  const auto flip = [&](size_t bit) {
    auto damaged = bytes;
    damaged[bit / 8] ^= static_cast<uint8_t>(1u << (bit % 8));
    write_plain(*this / "b.h5", damaged);
    const std::string text = error_of([&] {
      EXPECT_TRUE(read_content(*this / "b.h5") == expected) << "bit " << bit % 8 << " of byte " << bit / 8;
    });
    if (text != "(no Error)") {
      ++errors;
      EXPECT_HAS(text, "b.h5");
    }
  };
  for (size_t bit = 0; bit < 48 * 8; ++bit) flip(bit);  // all of the superblock
  for (int i = 0; i < 1500; ++i) flip(random() % (bytes.size() * 8));
  EXPECT_GT(errors, 1000);  // and most are found: little of the file is unused
}

TEST_F(Hdf5FileTest, ATruncatedFileIsAnError) {
  write_content(*this / "a.h5");
  const auto bytes = read_file(*this / "a.h5");
  for (size_t size = 0; size < bytes.size(); size += 1 + size / 40) {
    write_plain(*this / "b.h5", {bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_HAS(error_of([&] { (void)read_content(*this / "b.h5"); }), "b.h5");
  }
}

TEST_F(Hdf5FileTest, AShapeThatTheFileDoesNotHoldIsAnError) {
  // Made by hand: a chunked array of 4 TB, of which nothing was written.
  const hid_t file = H5Fcreate((*this / "a.h5").c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  const hsize_t size = 1000000000000, chunk = 1000;
  const hid_t space = H5Screate_simple(1, &size, nullptr);
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(list, 1, &chunk);
  H5Dclose(H5Dcreate2(file, "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT));
  H5Pclose(list);
  H5Sclose(space);
  H5Fclose(file);
  EXPECT_HAS(error_of([&] { (void)Hdf5File::open_read(*this / "a.h5").read_dataset<float>("x"); }),
             "claims the shape 1000000000000, the file holds 0 bytes");
}

TEST_F(Hdf5FileTest, AFileThatLostAWriteCannotBeFinished) {
  // Space was short for one array and is there again: HDF5 would call the file complete.
  Hdf5File file = Hdf5File::create(*this / "a.h5");
  {
    const FullDisk full(2000);
    EXPECT_HAS(error_of([&] { file.write_dataset("x", ramp(5000), {5000}); }), "dataset 'x'");
  }
  EXPECT_HAS(error_of([&] { file.close(); }), "earlier write failed");
}

TEST_F(Hdf5FileTest, AFullDiskIsAnErrorAndLeavesTheOldFile) {
  write_content(*this / "old.h5");
  const Content expected = read_content(*this / "old.h5");
  const auto size = static_cast<int64_t>(std::filesystem::file_size(*this / "old.h5"));
  int64_t errors = 0;
  for (int64_t limit = 0; limit < size + 300; limit += 397) {
    write_file(*this / "a.h5", "the old content");
    std::string text;
    {
      const FullDisk full(limit);
      text = error_of([&] { write_atomically(*this / "a.h5", write_content); });
    }
    if (text == "(no Error)") {
      EXPECT_TRUE(read_content(*this / "a.h5") == expected) << limit;
      continue;
    }
    ++errors;
    EXPECT_HAS(text, "a.h5");
    EXPECT_HAS(text, "free some space");
    EXPECT_EQ(std::filesystem::file_size(*this / "a.h5"), 15u);
    EXPECT_EQ(count_files(), 2) << "a temporary was left";
  }
  EXPECT_GT(errors, size / 397 - 5);
}

}  // namespace
}  // namespace ebm
