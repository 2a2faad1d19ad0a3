// SPDX-License-Identifier: MIT
#include "data/mnist.h"

#include <zlib.h>

#include <numeric>

#include "data/data_fixture.h"

namespace ebm::test {
namespace {

constexpr Features digit{.height = 5, .width = 3, .channels = 1};

Bytes big_endian(uint32_t n) {
  return {static_cast<uint8_t>(n >> 24), static_cast<uint8_t>(n >> 16), static_cast<uint8_t>(n >> 8),
          static_cast<uint8_t>(n)};
}

Bytes idx_images(const Dataset& all) {
  Bytes bytes = big_endian(0x803);
  append(bytes, big_endian(static_cast<uint32_t>(all.info.count)));
  append(bytes, big_endian(static_cast<uint32_t>(all.info.shape.height)));
  append(bytes, big_endian(static_cast<uint32_t>(all.info.shape.width)));
  append(bytes, all.images);
  return bytes;
}

Bytes idx_labels(const Dataset& all) {
  Bytes bytes = big_endian(0x801);
  append(bytes, big_endian(static_cast<uint32_t>(all.info.count)));
  for (const int64_t label : all.labels) bytes.push_back(static_cast<uint8_t>(label));
  return bytes;
}

class MnistTest : public IoTest {
 protected:
  void write(const std::string& name, const Bytes& bytes) { write_quickly(*this / name, bytes); }
  void write_gz(const std::string& name, const Bytes& bytes) {
    const gzFile file = gzopen((*this / name).c_str(), "wb");
    ASSERT_NE(file, nullptr);
    EXPECT_EQ(gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size())), std::ssize(bytes));
    EXPECT_EQ(gzclose(file), Z_OK);
  }
  Dataset read(DataSplit split = DataSplit::train) {
    return read_into_memory([&](ImageSink& sink) { read_mnist(folder_, "mnist", split, sink); });
  }
  std::string error() {
    return error_of([&] { read(); });
  }

  const Dataset digits_ = random_dataset(7, digit, 10, 1);
  const std::string images_ = "train-images-idx3-ubyte", labels_ = "train-labels-idx1-ubyte";
};

TEST_F(MnistTest, ReadsPlainAndGzippedFiles) {
  write(images_, idx_images(digits_));
  write(labels_, idx_labels(digits_));
  const Dataset test = random_dataset(4, digit, 10, 2);
  write_gz("t10k-images-idx3-ubyte.gz", idx_images(test));
  write_gz("t10k-labels-idx1-ubyte.gz", idx_labels(test));

  const Dataset train = read();
  EXPECT_EQ(train.images, digits_.images);
  EXPECT_EQ(train.labels, digits_.labels);
  EXPECT_EQ(train.info.shape, digit);
  EXPECT_EQ(train.info.count, 7);
  EXPECT_EQ(train.info.name, "mnist");
  EXPECT_EQ(train.info.split, DataSplit::train);
  EXPECT_EQ(read(DataSplit::test).images, test.images);
  EXPECT_EQ(read(DataSplit::test).labels, test.labels);
}

TEST_F(MnistTest, SaysWhatIsWrong) {
  EXPECT_HAS(error(), "there is neither 'train-images-idx3-ubyte' nor 'train-images-idx3-ubyte.gz' in '" +
                          folder_.string());
  EXPECT_HAS(error_of([&] { read(DataSplit::valid); }), "mnist has no split 'valid'; use one of train, test");

  write(images_, idx_labels(digits_));
  write(labels_, idx_labels(digits_));
  EXPECT_HAS(error(), "it begins with 0x00000801, an IDX file of this kind with 0x00000803");
  write(images_, idx_images(digits_));
  write(labels_, idx_labels(random_dataset(6, digit, 10, 1)));
  EXPECT_HAS(error(), "it has 6 labels for the 7 images of");

  Bytes longer = idx_images(digits_);
  longer.push_back(0);
  write(images_, longer);
  write(labels_, idx_labels(digits_));
  EXPECT_HAS(error(), "train-images-idx3-ubyte': it goes on where it should end");
}

TEST_F(MnistTest, BelievesNoHeader) {
  write(labels_, idx_labels(digits_));
  for (const uint32_t count : {0u, 1'000'000u, 0x7FFFFFFFu}) {
    Bytes lie = big_endian(0x803);
    for (const uint32_t size : {count, 1000u, 1000u}) append(lie, big_endian(size));
    write_gz(images_ + ".gz", lie);
    EXPECT_HAS(error(),
               "its header claims " + std::to_string(count) + " x 1000 x 1000 values, which it cannot hold");
  }
}

TEST_F(MnistTest, WantsTheChecksumAtTheEndOfAGzippedFile) {
  write(labels_, idx_labels(digits_));
  write_gz(images_ + ".gz", idx_images(digits_));
  const Bytes whole = read_file(*this / (images_ + ".gz"));
  for (int64_t lost = 1; lost <= 8; ++lost) {
    write(images_ + ".gz", {whole.begin(), whole.end() - lost});
    EXPECT_HAS(error(), "its compressed data is cut");
  }
}

TEST_F(MnistTest, SurvivesDamagedFiles) {
  write(labels_, idx_labels(digits_));
  write_gz(images_ + ".gz", idx_images(digits_));
  expect_to_survive(*this / (images_ + ".gz"), Flipped::harmless_or_error, [&] { return read(); });
  std::filesystem::remove(*this / (images_ + ".gz"));
  write(images_, idx_images(digits_));
  expect_to_survive(*this / images_, Flipped::anything, [&] { return read(); });
}

/// Full data sets are looked for here.
const std::filesystem::path real_mnist = "../shared/data/mnist";

TEST(RealMnistTest, HasThePublishedMeanAndCounts) {
  if (!std::filesystem::exists(real_mnist)) GTEST_SKIP() << "there is no " << real_mnist;
  const Dataset test =
      read_into_memory([](ImageSink& sink) { read_mnist(real_mnist, "mnist", DataSplit::test, sink); });
  EXPECT_EQ(test.info.count, 10'000);
  EXPECT_EQ(test.info.shape, (Features{.height = 28, .width = 28, .channels = 1}));
  const double sum = std::accumulate(test.images.begin(), test.images.end(), 0.0);
  EXPECT_NEAR(sum / static_cast<double>(test.images.size()) / 255, 0.1325, 5e-5);
  const std::vector<int64_t> published{980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009};
  for (int64_t label = 0; label < 10; ++label) {
    EXPECT_EQ(std::count(test.labels.begin(), test.labels.end(), label),
              published[static_cast<size_t>(label)]);
  }
}

}  // namespace
}  // namespace ebm::test
