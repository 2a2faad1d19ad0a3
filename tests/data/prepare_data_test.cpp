// SPDX-License-Identifier: MIT
// ./experiments/prepare_data as a user runs it. Run from the repository's root.
#include <set>

#include "data/command.h"
#include "data/image_file.h"
#include "data/pictures.h"

namespace ebm::test {
namespace {

class PrepareDataTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (!std::filesystem::exists("experiments/prepare_data")) {
      GTEST_SKIP() << "there is no experiments/prepare_data here";
    }
  }
  Outcome prepare(const std::string& arguments) {
    return run("experiments/prepare_data --out " + (*this / "out").string() + " " + arguments);
  }
  void expect_line(const Outcome& outcome, int status, const std::string& part) {
    EXPECT_EQ(outcome.status, status) << outcome.text;
    EXPECT_HAS(outcome.text, part);
    EXPECT_EQ(std::count(outcome.text.begin(), outcome.text.end(), '\n'), 1) << outcome.text;
    EXPECT_TRUE(outcome.text.starts_with("prepare_data: ")) << outcome.text;
  }
};

TEST_F(PrepareDataTest, WritesAFileForEachSplit) {
  std::filesystem::create_directory(*this / "cats");
  std::set<std::string> pictures;
  for (uint32_t i = 0; i < 10; ++i) {
    const Image picture = noise_image(8, 8, i);
    pictures.emplace(picture.rgb.begin(), picture.rgb.end());
    write_png(*this / "cats" / ("p" + std::to_string(i) + ".png"), picture);
  }
  const Outcome outcome =
      prepare("--dataset image_folder --size 8 --valid-share 0.3 --from " + (*this / "cats").string() + "/");
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_HAS(outcome.text, "cats-train.h5: 7 images of 8x8x3");
  EXPECT_HAS(outcome.text, "cats-valid.h5: 3 images of 8x8x3");
  std::set<std::string> found;
  for (const DataSplit split : {DataSplit::train, DataSplit::valid}) {
    const Dataset part = ImageFile(image_file_path(*this / "out", "cats", split)).read_all();
    EXPECT_EQ(part.info.split, split);
    for (int64_t i = 0; i < part.info.count; ++i) found.emplace(part.image(i).begin(), part.image(i).end());
  }
  EXPECT_EQ(found, pictures);
}

TEST_F(PrepareDataTest, SaysWhatIsWrongInOneLine) {
  expect_line(prepare("--dataset nothing"), 2, "--dataset 'nothing' is none of mnist, fashion_mnist");
  expect_line(prepare(""), 2, "--dataset '' is none of");
  expect_line(prepare("--dataset image_folder"), 2, "needs --from FOLDER");
  expect_line(prepare("--dataset mnist --split other"), 1, "there is no split 'other'");
  const std::string from = " --from " + folder_.string();
  expect_line(prepare("--dataset cifar10" + from), 1, "data_batch_1.bin': No such file");
  expect_line(prepare("--dataset svhn" + from), 1, "train_32x32.mat': No such file");
  expect_line(prepare("--dataset lsun" + from), 1, "bedroom_train_lmdb/data.mdb': No such file");
  expect_line(prepare("--dataset stacked_mnist" + from), 1, "train-images-idx3-ubyte");
  EXPECT_TRUE(std::filesystem::is_empty(*this / "out")) << "no failure leaves a file";
  write_file(*this / "file", "");
  expect_line(run("experiments/prepare_data --dataset cifar10 --out " + (*this / "file").string() + from), 1,
              "file");
}

}  // namespace
}  // namespace ebm::test
