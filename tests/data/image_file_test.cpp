// SPDX-License-Identifier: MIT
#include "data/image_file.h"

#include <zlib.h>

#include "data/data_fixture.h"

namespace ebm::test {
namespace {

constexpr Features shape{.height = 9, .width = 7, .channels = 3};

class ImageFileTest : public IoTest {
 protected:
  void write(const Dataset& all) {
    write_image_file(path(), [&](ImageSink& sink) { pour(all, sink); });
  }
  std::filesystem::path path() { return *this / "noise-train.h5"; }
};

TEST_F(ImageFileTest, GivesBackWhatWasWritten) {
  // one image, one chunk exactly (346 images), some, images larger than a chunk, several blocks
  const std::vector<std::pair<int64_t, Features>> sizes{
      {1, shape}, {346, shape}, {347, shape}, {1000, shape}, {3, {200, 150, 3}}, {12'000, {28, 28, 1}}};
  for (const auto& [count, features] : sizes) {
    Dataset all = random_dataset(count, features, 1000, static_cast<uint32_t>(count));
    all.info.split = DataSplit::valid;
    write(all);
    const ImageFile file(path());
    EXPECT_EQ(file.info().name, "noise");
    EXPECT_EQ(file.info().split, DataSplit::valid);
    EXPECT_EQ(file.info().source, "dice");
    EXPECT_EQ(file.info().shape, features);
    EXPECT_EQ(file.info().count, count);
    const Dataset read = file.read_all();
    EXPECT_EQ(read.images, all.images) << count;
    EXPECT_EQ(read.labels, all.labels) << count;

    Bytes middle(static_cast<size_t>(features.size()));
    file.read_images(count / 2, middle);
    EXPECT_TRUE(std::ranges::equal(middle, all.image(count / 2)));
    EXPECT_HAS(error_of([&] { file.read_images(count, middle); }), "are no whole rows of");
  }
}

TEST_F(ImageFileTest, HoldsWhatIsLeftWhenFewerImagesCome) {
  // announced and come: less than a chunk (346 images), whole chunks, some, large images, several blocks
  const std::vector<std::tuple<int64_t, int64_t, Features>> sizes{
      {347, 346, shape}, {1000, 3, shape},      {1000, 692, shape},
      {346, 345, shape}, {5, 1, {200, 150, 3}}, {24'000, 12'000, {28, 28, 1}}};
  for (const auto& [announced, come, features] : sizes) {
    const Dataset all = random_dataset(come, features, 1000, static_cast<uint32_t>(come));
    write_image_file(path(), [&](ImageSink& sink) {
      DatasetInfo info = all.info;
      info.count = announced;
      sink.begin(info);
      for (int64_t i = 0; i < announced; ++i) {  // the last ones to come are spread over the rest
        if (i < come / 2 || i >= announced - (come - come / 2)) {
          const int64_t number = i < come / 2 ? i : i - (announced - come);
          sink.add(all.image(number), all.labels[static_cast<size_t>(number)]);
        } else {
          sink.leave_out(LeftOut::damaged, "one");
        }
      }
    });
    const ImageFile file(path());
    EXPECT_EQ(file.info().count, come);
    EXPECT_EQ(file.info().left_out, announced - come);
    const Dataset read = file.read_all();  // compares the checksum too
    EXPECT_EQ(read.images, all.images) << announced;
    EXPECT_EQ(read.labels, all.labels) << announced;
    ImageFileReader reader(file);
    Bytes image(static_cast<size_t>(features.size()));
    for (const int64_t i : {int64_t{0}, come / 2, come - 1}) {
      reader.read(i, image);
      EXPECT_TRUE(std::ranges::equal(image, all.image(i))) << i;
    }
    const std::string checksum = file.checksum();
    write(all);
    EXPECT_EQ(ImageFile(path()).checksum(), checksum) << "that of the same images, none left out";
  }
}

TEST_F(ImageFileTest, SaysWhereItIsFromAndHowManyWereLeftOut) {
  Dataset all = random_dataset(5, shape, 10, 1);
  write(all);
  EXPECT_EQ(ImageFile(path()).info().origin, "");
  EXPECT_EQ(ImageFile(path()).info().left_out, 0);
  all.info.origin = "image_folder:/pictures/of cats";
  write(all);
  EXPECT_EQ(ImageFile(path()).info().origin, all.info.origin);
  const Hdf5File file = Hdf5File::open_read(path());
  EXPECT_EQ(file.read_attribute<std::string>("/", "origin"), all.info.origin);
  EXPECT_EQ(file.read_attribute<int64_t>("/", "left_out"), 0);
}

TEST_F(ImageFileTest, ChecksumIsOfTheImagesThenTheLabels) {
  const Dataset all = random_dataset(5, shape, 10, 1);
  write(all);
  Bytes content = all.images;
  for (const int64_t label : all.labels) {
    for (int shift = 0; shift < 64; shift += 8) content.push_back(static_cast<uint8_t>(label >> shift));
  }
  const auto crc = crc32(crc32(0, nullptr, 0), content.data(), static_cast<uInt>(content.size()));
  char text[32];
  std::snprintf(text, sizeof text, "crc32:%08lx", crc);
  EXPECT_EQ(ImageFile(path()).checksum(), text);
}

TEST_F(ImageFileTest, ReaderWithoutHdf5ReadsTheSame) {
  Dataset all = random_dataset(800, shape, 10, 2);  // three chunks of 346, the last one in part
  std::fill_n(all.images.begin(), 346 * shape.size(), uint8_t{0});  // checksum 0
  write(all);
  const ImageFile file(path());
  ImageFileReader reader(file);
  Bytes image(static_cast<size_t>(shape.size()));
  for (const int64_t i : {0, 345, 346, 691, 692, 799, 3, 500}) {
    reader.read(i, image);
    EXPECT_TRUE(std::ranges::equal(image, all.image(i))) << i;
  }
}

TEST_F(ImageFileTest, FletcherIsThatOfHdf5) {
  EXPECT_EQ(fletcher32(Bytes{}), 0u);
  EXPECT_EQ(fletcher32(Bytes(100, 0)), 0u);
  // by hand: the words 0x0102 and 0x0300; sum1 0x0402, sum2 0x0102 + 0x0402
  EXPECT_EQ(fletcher32(Bytes{1, 2, 3}), 0x05040402u);
  EXPECT_EQ(fletcher32(Bytes{0xFF, 0xFF}), 0xFFFFFFFFu);
  // HDF5's own, of chunks of many lengths and of bytes that make sums of 65535
  Dice dice(3);
  for (const int64_t size : {5000, 5001, 8191, 8192, 8193, 60'000, 65'535}) {
    for (const bool ones : {false, true}) {
      const Bytes bytes = ones ? Bytes(static_cast<size_t>(size), 0xFF) : dice.bytes(size);
      Hdf5File file = Hdf5File::create(*this / "chunk.h5");
      file.declare_rows("x", {1, size}, 1);
      file.write_rows("x", 0, bytes);
      file.close();
      const Hdf5File::Chunks chunks = Hdf5File::open_read(*this / "chunk.h5").chunks_of_rows("x");
      EXPECT_EQ(chunks.rows, 1);
      EXPECT_EQ(chunks.bytes, size);
      ASSERT_EQ(chunks.offsets.size(), 1u);
      const Bytes content = read_file(*this / "chunk.h5");
      const auto at = content.begin() + chunks.offsets[0];
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), at));
      uint32_t stored = 0;
      for (int64_t i = 0; i < 4; ++i) stored |= uint32_t{at[size + i]} << (8 * i);
      EXPECT_EQ(fletcher32(bytes), stored) << size;
    }
  }
}

TEST_F(ImageFileTest, IsWrittenWholeOrNotAtAll) {
  const Dataset all = random_dataset(5, shape, 10, 1);
  write(all);
  const auto fails = [&](const std::function<void(ImageSink&)>& read) {
    return error_of([&] { write_image_file(path(), read); });
  };
  const auto few = [&](ImageSink& sink) {
    sink.begin(all.info);
    sink.add(all.image(0), 1);
  };
  const auto many = [&](ImageSink& sink) {
    pour(all, sink);
    sink.add(all.image(0), 1);
  };
  const auto short_image = [&](ImageSink& sink) {
    sink.begin(all.info);
    sink.add(all.image(0).first(10), 1);
  };
  const auto empty = [&](ImageSink& sink) { sink.begin({.name = "nothing", .shape = shape}); };
  const auto too_few = [&](ImageSink& sink) {
    few(sink);
    for (int i = 0; i < 3; ++i) sink.leave_out(LeftOut::damaged, "one");
  };
  const auto none = [&](ImageSink& sink) {
    sink.begin(all.info);
    for (int i = 0; i < 5; ++i) sink.leave_out(LeftOut::damaged, "one");
  };
  EXPECT_HAS(fails(few), "1 of 5 images came");
  EXPECT_HAS(fails(too_few), "1 of 5 images came");
  EXPECT_HAS(fails(none), "no image of 'noise' (train) is left, 5 were left out");
  EXPECT_HAS(fails(many), "image 5 of 5 has 189 bytes; give 5 images of 189 bytes");
  EXPECT_HAS(fails(short_image), "image 0 of 5 has 10 bytes");
  EXPECT_HAS(fails(empty), "'nothing' has 0 images of 9x7x3");
  EXPECT_HAS(fails([](ImageSink&) { throw Error("the reader's own"); }), "the reader's own");
  EXPECT_EQ(ImageFile(path()).read_all().images, all.images) << "what was there stays";
  EXPECT_EQ(count_files(), 1);

  const Dataset large = random_dataset(2000, shape, 10, 1);
  const FullDisk full(100'000);
  const std::string message = error_of([&] { write(large); });
  EXPECT_HAS(message, "noise-train.h5");
  EXPECT_HAS(message, "free some space");
}

TEST_F(ImageFileTest, SaysWhatIsWrong) {
  const auto error = [&] { return error_of([&] { ImageFile{path()}; }); };
  EXPECT_HAS(error(), "there is no data file '" + path().string() + "'; make it: data/fetch.sh NAME");
  write_file(path(), "no HDF5");
  EXPECT_HAS(error(), "cannot read '" + path().string() + "' as HDF5");
  Hdf5File other = Hdf5File::create(path());
  other.write_attribute("/", "layout", "something else");
  other.close();
  EXPECT_HAS(error(), "is no file of images of layout 'ebm images 1'");
  Hdf5File flat = Hdf5File::create(path());
  flat.write_attribute("/", "layout", "ebm images 1");
  flat.write_dataset("images", std::span<const uint8_t>(Bytes(12)), {3, 4});
  flat.close();
  EXPECT_HAS(error(), "holds no images of N x H x W x C");
}

TEST_F(ImageFileTest, ReadsImagesWrittenElsewhereButStreamsOnlyItsOwn) {
  Hdf5File file = Hdf5File::create(path());
  const Dataset all = random_dataset(600, {.height = 4, .width = 4, .channels = 1}, 10, 4);
  file.write_attribute("/", "layout", "ebm images 1");
  for (const char* name : {"name", "source", "checksum"}) file.write_attribute("/", name, "x");
  file.write_attribute("/", "split", "train");
  file.write_dataset("images", std::span<const uint8_t>(all.images).first(2400),
                     {150, 4, 4, 1});  // not in chunks
  file.write_dataset("labels", std::span<const int64_t>(all.labels).first(149), {149});
  file.close();
  const ImageFile images(path());
  Bytes read(2400);
  images.read_images(0, read);
  EXPECT_TRUE(std::equal(read.begin(), read.end(), all.images.begin()));
  EXPECT_HAS(error_of([&] { ImageFileReader{images}; }), "is not stored as plain chunks of whole rows");
  EXPECT_HAS(error_of([&] { images.read_labels(); }), "has 149 labels for 150 images");
}

/// docs/formats.md: CRC-32 of the images' bytes followed by the labels as 64-bit little-endian numbers; bit
/// by bit (ISO 3309).
std::string checksum_of(const Bytes& images, const std::vector<int64_t>& labels) {
  Bytes all = images;
  for (const int64_t label : labels) {
    for (int shift = 0; shift < 64; shift += 8) all.push_back(static_cast<uint8_t>(label >> shift));
  }
  uint32_t crc = 0xFFFFFFFF;
  for (const uint8_t byte : all) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ ((crc & 1) != 0 ? 0xEDB88320 : 0);
  }
  char text[32];
  std::snprintf(text, sizeof text, "crc32:%08x", ~crc);
  return text;
}

/// A program that opens the file for writing and changes a number leaves the checksum as it was.
TEST_F(ImageFileTest, NoticesContentThatIsNotThatOfTheChecksum) {
  const Dataset all = random_dataset(5, shape, 10, 1);
  write(all);
  const std::string checksum = ImageFile(path()).checksum();
  EXPECT_EQ(checksum, checksum_of(all.images, all.labels));
  const auto error_with = [&](const Bytes& images, const std::vector<int64_t>& labels,
                              const std::string& says) {
    Hdf5File copy = Hdf5File::create(*this / "copy.h5");
    for (const auto& [name, value] : {std::pair<std::string, std::string>{"layout", "ebm images 1"},
                                      {"name", "noise"},
                                      {"source", "elsewhere"},
                                      {"split", "train"},
                                      {"checksum", says}})
      copy.write_attribute("/", name, value);
    copy.write_dataset("images", std::span<const uint8_t>(images), {5, 9, 7, 3});
    copy.write_dataset("labels", std::span<const int64_t>(labels), {std::ssize(labels)});
    copy.close();
    return error_of([&] {
      const ImageFile file(*this / "copy.h5");
      ContentCheck check(file);
      check.add(std::span(images).first(100));
      check.add(std::span(images).subspan(100));
      check.finish();
    });
  };
  Bytes changed = all.images;
  changed[100] ^= 1;
  std::vector<int64_t> other_labels = all.labels;
  other_labels[4] += 1;
  EXPECT_EQ(error_with(all.images, all.labels, checksum), "(no Error)");
  EXPECT_HAS(
      error_with(all.images, other_labels, checksum),
      "has the content " + checksum_of(all.images, other_labels) + ", not " + checksum + " as it says");
  EXPECT_EQ(error_with(changed, {}, "v1 of my own"), "(no Error)") << "no crc32: taken at its word";
  const std::string message = error_with(changed, all.labels, checksum);
  EXPECT_HAS(message,
             "'" + (*this / "copy.h5").string() + "' has the content " + checksum_of(changed, all.labels) +
                 ", not " + checksum +
                 " as it says: it was changed since it was written; write it with prepare_data again");
  EXPECT_EQ(error_of([&] { (void)ImageFile(*this / "copy.h5").read_all(); }), message);
}

TEST_F(ImageFileTest, SurvivesDamagedFiles) {
  write(random_dataset(400, shape, 10, 5));
  expect_to_survive(path(), Flipped::harmless_or_error, [&] { return ImageFile(path()).read_all(); });
  // The reader without HDF5 sees each damage of the image that it reads.
  const Dataset all = ImageFile(path()).read_all();
  expect_to_survive(path(), Flipped::harmless_or_error, [&] {
    const ImageFile file(path());
    ImageFileReader reader(file);
    Dataset one;
    one.images.resize(static_cast<size_t>(shape.size()));
    reader.read(399, one.images);
    return one;
  });
}

}  // namespace
}  // namespace ebm::test
