// SPDX-License-Identifier: MIT
#include "data/mnist.h"

#include <zlib.h>

#include <numeric>

#include "data/data_fixture.h"
#include "idx_files.h"

namespace ebm::test {
namespace {

constexpr Features digit{.height = 5, .width = 3, .channels = 1};

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

TEST_F(MnistTest, ReadsTheNamesOfOtherMirrors) {
  const std::string dotted = "train-images.idx3-ubyte", dotted_labels = "train-labels.idx1-ubyte";
  const Bytes images = idx_images(digits_), labels = idx_labels(digits_);
  struct Layout {
    std::string images, labels;
  };
  const Layout layouts[] = {{dotted, dotted_labels},
                            {dotted + ".gz", dotted_labels + ".gz"},
                            {images_ + "/" + images_, labels_ + "/" + labels_},  // Kaggle's
                            {images_ + "/" + images_ + ".gz", labels_},
                            {images_ + "/" + dotted, labels_ + "/" + dotted_labels},
                            {dotted + "/" + dotted, dotted_labels + "/" + dotted_labels + ".gz"}};
  for (const Layout& layout : layouts) {
    for (const auto& [name, bytes] : {std::pair{layout.images, images}, {layout.labels, labels}}) {
      create_directories((*this / name).parent_path());
      name.ends_with(".gz") ? write_gz(name, bytes) : write(name, bytes);
    }
    const Dataset train = read();
    EXPECT_EQ(train.images, digits_.images) << layout.images;
    EXPECT_EQ(train.labels, digits_.labels) << layout.labels;
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) remove_all(entry.path());
  }
  create_directories(*this / images_);  // a folder with nothing in it beside the file
  write(dotted, images);
  write(labels_, labels);
  EXPECT_EQ(read().images, digits_.images);
}

TEST_F(MnistTest, RefusesLabelsThatAreNoDigit) {
  write(images_, idx_images(digits_));
  for (const int64_t label : {10, 26, 255}) {
    Dataset letters = digits_;
    letters.labels[3] = label;
    write(labels_, idx_labels(letters));
    const std::string message = error();
    EXPECT_HAS(message, "train-labels-idx1-ubyte': item 3 has label " + std::to_string(label) +
                            ", mnist has classes 0..9; get the file again, or name the right one");
  }
  Dataset nines = digits_;
  nines.labels.assign(7, 9);
  write(labels_, idx_labels(nines));
  EXPECT_EQ(read().labels, nines.labels);
}

// gzip.compress(..., mtime=0) of Python 3.11, of the first and the second half of the labels file
// 0x00000801, 4, {7, 2, 9, 0}, and of nothing.
const Bytes first_half{0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0xe0,
                       0x60, 0x64, 0x60, 0x00, 0x00, 0x7b, 0xe3, 0xb4, 0x75, 0x06, 0x00, 0x00, 0x00};
const Bytes second_half{0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x63, 0x60, 0x61,
                        0x67, 0xe2, 0x64, 0x00, 0x00, 0xfd, 0x50, 0xd3, 0x0b, 0x06, 0x00, 0x00, 0x00};
const Bytes nothing{0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
                    0x03, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

Bytes joined(const std::vector<Bytes>& parts) {
  Bytes all;
  for (const Bytes& part : parts) append(all, part);
  return all;
}

/// What RFC 1952 and Python's gzip.decompress take for a gzip file, and what the latter refuses.
TEST_F(MnistTest, ReadsGzipFilesOfSeveralMembers) {
  const Dataset digits = random_dataset(4, digit, 10, 1);
  write(images_, idx_images(digits));
  const Bytes whole = joined({first_half, second_half}), zeros(5);
  const std::vector<std::pair<std::string, Bytes>> good{
      {"two members", whole},
      {"zeros between them", joined({first_half, zeros, second_half})},
      {"zeros behind", joined({whole, Bytes(100'000)})},  // more than are read at a time
      {"empty members", joined({nothing, first_half, nothing, second_half, nothing, zeros})}};
  for (const auto& [what, bytes] : good) {
    write(labels_ + ".gz", bytes);
    Dataset found;
    EXPECT_EQ(error_of([&] { found = read(); }), "(no Error)") << what;
    EXPECT_EQ(found.labels, (std::vector<int64_t>{7, 2, 9, 0})) << what;
  }
  const Bytes garbage{'g', 'a', 'r', 'b', 'a', 'g', 'e'},
      header(second_half.begin(), second_half.begin() + 5);
  struct Refused {
    Bytes bytes;
    std::string message;
  };
  for (const auto& [bytes, message] :
       {Refused{joined({whole, garbage}),
                "its compressed data is damaged before byte 59 (incorrect header check)"},
        {joined({whole, zeros, garbage}), "(incorrect header check)"},
        {joined({first_half, garbage, second_half}), "(incorrect header check)"},
        {joined({whole, Bytes{0x1f}}), "its compressed data is cut"},
        {joined({whole, header}), "its compressed data is cut"},
        {joined({nothing, first_half}), "it ends within its header"},
        {joined({first_half, zeros}), "it ends within its header"},
        {joined({whole, second_half}), "it goes on where it should end"}}) {
    write(labels_ + ".gz", bytes);
    EXPECT_HAS(error(), message);
  }
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
