// SPDX-License-Identifier: MIT
#include "data/cifar.h"

#include "data/data_fixture.h"

namespace ebm::test {
namespace {

constexpr Features cifar{.height = 32, .width = 32, .channels = 3};

/// CIFAR with few records in a file.
CifarFormat small(CifarFormat format) {
  format.train_records = 3;
  format.test_records = 2;
  return format;
}

class CifarTest : public IoTest {
 protected:
  /// Writes images first .. first + count - 1 as the format says: label bytes, then three planes.
  void write(const std::filesystem::path& path, const Dataset& all, int64_t first, int64_t count,
             int64_t label_bytes) {
    Bytes bytes;
    for (int64_t i = first; i < first + count; ++i) {
      for (int64_t k = 1; k < label_bytes; ++k) bytes.push_back(19);  // coarse
      bytes.push_back(static_cast<uint8_t>(all.labels[static_cast<size_t>(i)]));
      for (size_t c = 0; c < 3; ++c) {
        for (size_t p = 0; p < 1024; ++p) bytes.push_back(all.image(i)[3 * p + c]);
      }
    }
    write_quickly(path, bytes);
  }
  Dataset read(const CifarFormat& format, DataSplit split) {
    return read_into_memory([&](ImageSink& sink) { read_cifar(folder_, format, split, sink); });
  }
};

TEST_F(CifarTest, ReadsTheFiveFilesInOrderAndTheTestFile) {
  const CifarFormat format = small(cifar10_format());
  const Dataset train = random_dataset(15, cifar, 10, 1), test = random_dataset(2, cifar, 10, 2);
  for (int64_t i = 0; i < 5; ++i) {
    write(*this / ("data_batch_" + std::to_string(i + 1) + ".bin"), train, 3 * i, 3, 1);
  }
  write(*this / "test_batch.bin", test, 0, 2, 1);
  const Dataset read_train = read(format, DataSplit::train);
  EXPECT_EQ(read_train.images, train.images);
  EXPECT_EQ(read_train.labels, train.labels);
  EXPECT_EQ(read_train.info.shape, cifar);
  EXPECT_EQ(read_train.info.count, 15);
  EXPECT_EQ(read(format, DataSplit::test).images, test.images);
  EXPECT_EQ(read(format, DataSplit::test).labels, test.labels);
}

TEST_F(CifarTest, KeepsTheFineLabelOfCifar100InTheArchivesFolder) {
  const CifarFormat format = small(cifar100_format());
  const Dataset train = random_dataset(3, cifar, 100, 3);
  std::filesystem::create_directory(*this / "cifar-100-binary");
  write(*this / "cifar-100-binary" / "train.bin", train, 0, 3, 2);
  EXPECT_EQ(read(format, DataSplit::train).labels, train.labels);
  EXPECT_EQ(read(format, DataSplit::train).images, train.images);
}

TEST_F(CifarTest, SaysWhatIsWrong) {
  const CifarFormat format = small(cifar10_format());
  const auto error = [&](DataSplit split) { return error_of([&] { read(format, split); }); };
  EXPECT_HAS(error(DataSplit::test), "test_batch.bin': No such file or directory; check the path");
  EXPECT_HAS(error(DataSplit::extra), "cifar10 has no split 'extra'");
  const Dataset images = random_dataset(3, cifar, 10, 4);
  write(*this / "test_batch.bin", images, 0, 3, 1);
  EXPECT_HAS(error(DataSplit::test), "it has 9219 bytes, 2 records of 3073 take 6146");
  Dataset wrong = images;
  wrong.labels[1] = 10;
  write(*this / "test_batch.bin", wrong, 0, 2, 1);
  EXPECT_HAS(error(DataSplit::test), "record 1 has label 10, cifar10 has classes 0..9");
}

TEST_F(CifarTest, SurvivesDamagedFiles) {
  const CifarFormat format = small(cifar10_format());
  write(*this / "test_batch.bin", random_dataset(2, cifar, 10, 5), 0, 2, 1);
  expect_to_survive(*this / "test_batch.bin", Flipped::anything,
                    [&] { return read(format, DataSplit::test); });
}

}  // namespace
}  // namespace ebm::test
