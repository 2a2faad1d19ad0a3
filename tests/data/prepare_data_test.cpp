// SPDX-License-Identifier: MIT
// prepare_data as a user runs it.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <set>

#include "data/image_file.h"
#include "data/pictures.h"
#include "io/claimed_folder.h"
#include "support/process.h"

namespace ebm::test {
namespace {

class PrepareDataTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    program_ = program_path("prepare_data");
    if (program_.empty()) GTEST_SKIP() << "there is no prepare_data beside the tests";
  }
  Finished prepare(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{program_, "--out", (*this / "out").string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_command(words);
  }
  /// MNIST's training images, many of them and all black: files without blocks on the disk.
  void write_black_mnist(uint32_t count) {
    const auto write = [&](const char* name, std::vector<uint32_t> header, uint64_t bytes_each) {
      std::vector<uint8_t> bytes;
      for (const uint32_t number : header) {
        for (int shift = 24; shift >= 0; shift -= 8) bytes.push_back(static_cast<uint8_t>(number >> shift));
      }
      write_file(*this / name, bytes);
      std::filesystem::resize_file(*this / name, bytes.size() + count * bytes_each);
    };
    write("train-images-idx3-ubyte", {0x803, count, 28, 28}, 28 * 28);
    write("train-labels-idx1-ubyte", {0x801, count}, 1);
  }
  std::vector<std::string> prepare_black_mnist() const {
    return {program_, "--out",         (folder_ / "out").string(), "--dataset", "mnist", "--split", "train",
            "--from", folder_.string()};
  }
  /// The arguments for a folder of one picture, which it makes.
  std::vector<std::string> one_cat() {
    std::filesystem::create_directories(*this / "cats");
    write_png(*this / "cats" / "p.png", noise_image(8, 8, 1));
    return {"--dataset", "image_folder",  "--size", "8",      "--split",
            "train",     "--valid-share", "0",      "--from", (*this / "cats").string()};
  }
  void expect_line(const Finished& outcome, int status, const std::string& part) {
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_HAS(outcome.err, part);
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
    EXPECT_TRUE(outcome.err.starts_with("prepare_data: ")) << outcome.err;
  }

  std::string program_;
};

TEST_F(PrepareDataTest, WritesAFileForEachSplit) {
  std::filesystem::create_directory(*this / "cats");
  std::set<std::string> pictures;
  for (uint32_t i = 0; i < 10; ++i) {
    const Image picture = noise_image(8, 8, i);
    pictures.emplace(picture.rgb.begin(), picture.rgb.end());
    write_png(*this / "cats" / ("p" + std::to_string(i) + ".png"), picture);
  }
  const Finished outcome = prepare({"--dataset", "image_folder", "--size", "8", "--valid-share", "0.3",
                                    "--from", (*this / "cats").string() + "/"});
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_HAS(outcome.out, "cats-train.h5: 7 images of 8x8x3");
  EXPECT_HAS(outcome.out, "cats-valid.h5: 3 images of 8x8x3");
  std::set<std::string> found;
  for (const DataSplit split : {DataSplit::train, DataSplit::valid}) {
    const Dataset part = ImageFile(image_file_path(*this / "out", "cats", split)).read_all();
    EXPECT_EQ(part.info.split, split);
    for (int64_t i = 0; i < part.info.count; ++i) found.emplace(part.image(i).begin(), part.image(i).end());
  }
  EXPECT_EQ(found, pictures);
}

TEST_F(PrepareDataTest, ReplacesNoFileOfAnotherSource) {
  const auto put = [&](const std::string& folder, uint32_t seed) {
    std::filesystem::create_directories(*this / folder);
    write_png(*this / folder / "p.png", noise_image(8, 8, seed));
  };
  const auto from = [&](const std::string& folder, std::vector<std::string> more = {}) {
    more.insert(more.end(), {"--dataset", "image_folder", "--size", "8", "--split", "train", "--valid-share",
                             "0", "--from", (*this / folder).string()});
    return prepare(more);
  };
  const auto file = image_file_path(*this / "out", "images", DataSplit::train);
  put("a/images", 1);
  put("b/images", 2);
  EXPECT_EQ(from("a/images").status, 0);
  const Bytes first = read_file(file);
  EXPECT_EQ(ImageFile(file).info().origin, "image_folder:" + (*this / "a" / "images").string());
  const std::string refused =
      "'" + file.string() + "' is there and was made from image_folder:" + (*this / "a" / "images").string() +
      ", not from image_folder:" + (*this / "b" / "images").string() + "; choose another --name";
  expect_line(from("b/images"), 1, refused);
  EXPECT_EQ(read_file(file), first);

  put("a/images", 3);  // the same source again, by another path to it
  std::filesystem::create_symlink(*this / "a", *this / "link");
  EXPECT_EQ(from("link/images/").status, 0);
  EXPECT_NE(read_file(file), first);
  EXPECT_EQ(from("b/images", {"--name", "other"}).status, 0);
  EXPECT_EQ(from("b/images", {"--overwrite"}).status, 0);
  EXPECT_EQ(ImageFile(file).info().origin, "image_folder:" + (*this / "b" / "images").string());

  // another kind whose name is the same; no file is written, not even of a split that is not there yet
  std::filesystem::remove_all(*this / "a" / "images");
  std::filesystem::rename(file, *this / "out" / "mnist-test.h5");
  expect_line(prepare({"--dataset", "mnist", "--from", folder_.string()}), 1,
              "mnist-test.h5' is there and was made from image_folder:");
}

TEST_F(PrepareDataTest, ReplacesNoFileThatCannotSayWhereItIsFrom) {
  std::filesystem::create_directories(*this / "out");
  const std::vector<std::string> arguments = one_cat();
  const auto file = image_file_path(*this / "out", "cats", DataSplit::train);
  const Dataset old = random_dataset(3, {8, 8, 3}, 10, 1);  // as the files of before, without `origin`
  write_image_file(file, [&](ImageSink& sink) { pour(old, sink); });
  expect_line(prepare(arguments), 1,
              "cats-train.h5' is there and was made from an unknown place (dice), not from");
  EXPECT_EQ(ImageFile(file).read_all().images, old.images);
  write_quickly(file, {1, 2, 3});
  expect_line(prepare(arguments), 1, "cats-train.h5' is there and was made from something unknown (");
  std::vector<std::string> again = arguments;
  again.push_back("--overwrite");
  EXPECT_EQ(prepare(again).status, 0);
  EXPECT_EQ(prepare(arguments).status, 0);
}

TEST_F(PrepareDataTest, OneAtATimeWritesInAFolderAndNoneReplacesAFileInUse) {
  const std::vector<std::string> arguments = one_cat();
  ASSERT_EQ(prepare(arguments).status, 0);
  const auto file = image_file_path(*this / "out", "cats", DataSplit::train);
  const Bytes before = read_file(file);
  {
    const ClaimedFolder other(*this / "out", "", "");
    expect_line(prepare(arguments), 1,
                "another prepare_data is writing to '" + (*this / "out").string() + "'");
  }
  const int notebook = open(file.c_str(), O_RDWR);
  ASSERT_EQ(flock(notebook, LOCK_EX | LOCK_NB), 0);
  const Finished refused = prepare(arguments);
  expect_line(refused, 1, "in use by another program");
  EXPECT_EQ(refused.err.find("--overwrite"), std::string::npos) << refused.err;
  close(notebook);
  EXPECT_EQ(read_file(file), before);
  EXPECT_EQ(prepare(arguments).status, 0);
}

TEST_F(PrepareDataTest, NamesTheDamagedPicturesOfAllSplitsOrSkipsThem) {
  std::filesystem::create_directory(*this / "cats");
  std::set<std::string> pictures;
  for (uint32_t i = 0; i < 20; ++i) {
    const Image picture = noise_image(8, 8, i);
    if (i % 4 != 0) pictures.emplace(picture.rgb.begin(), picture.rgb.end());
    const auto path = *this / "cats" / ("p" + std::to_string(100 + i) + ".png");
    write_png(path, picture);
    if (i % 4 == 0) std::filesystem::resize_file(path, 40);
  }
  write_quickly(*this / "cats" / "q.bmp", {});
  const std::vector<std::string> arguments{
      "--dataset",     "image_folder", "--size", "8", "--from", (*this / "cats").string(),
      "--valid-share", "0.5"};
  const Finished refused = prepare(arguments);
  EXPECT_EQ(refused.status, 1);
  EXPECT_EQ(refused.out, "");
  EXPECT_HAS(refused.err, "prepare_data: 5 of 20 pictures cannot be used: '");
  for (const char* name : {"p100.png", "p104.png", "p108.png", "p112.png", "p116.png"}) {
    EXPECT_NE(refused.err.find(name), refused.err.rfind(name))
        << "with its reason, and in the list: " << name;
  }
  EXPECT_TRUE(std::filesystem::is_empty(*this / "out")) << "no failure leaves a file";

  std::vector<std::string> skipping = arguments;
  skipping.push_back("--skip-damaged");
  const Finished skipped = prepare(skipping);
  EXPECT_EQ(skipped.status, 0) << skipped.err;
  const std::string note = "prepare_data: under '" + (*this / "cats").string() + "' were left out: 1 .bmp\n";
  EXPECT_HAS(skipped.err, note);
  EXPECT_EQ(skipped.err.find(note), skipped.err.rfind(note)) << "once for all splits";
  EXPECT_HAS(skipped.err, "\nprepare_data: left out: cannot ");
  std::set<std::string> found;
  int64_t left_out = 0;
  for (const DataSplit split : {DataSplit::train, DataSplit::valid}) {
    const ImageFile file(image_file_path(*this / "out", "cats", split));
    const Dataset part = file.read_all();
    EXPECT_EQ(part.info.count + part.info.left_out, 10);
    left_out += part.info.left_out;
    EXPECT_HAS(skipped.out,
               file.checksum() + ", left out: " + std::to_string(part.info.left_out) + " damaged\n");
    for (int64_t i = 0; i < part.info.count; ++i) found.emplace(part.image(i).begin(), part.image(i).end());
  }
  EXPECT_EQ(left_out, 5);
  EXPECT_EQ(found, pictures);
}

TEST_F(PrepareDataTest, SaysWhatIsWrongInOneLine) {
  expect_line(prepare({"--dataset", "nothing"}), 2, "--dataset 'nothing' is none of mnist, fashion_mnist");
  expect_line(prepare({}), 2, "--dataset '' is none of");
  expect_line(prepare({"--dataset", "image_folder"}), 2, "needs --from FOLDER");
  expect_line(prepare({"--dataset", "mnist", "--split", "other"}), 1, "there is no split 'other'");
  const auto from_here = [&](const char* dataset) {
    return prepare({"--dataset", dataset, "--from", folder_.string()});
  };
  expect_line(from_here("cifar10"), 1, "data_batch_1.bin': No such file");
  expect_line(from_here("svhn"), 1, "train_32x32.mat': No such file");
  expect_line(from_here("lsun"), 1, "bedroom_train_lmdb/data.mdb': No such file");
  expect_line(from_here("stacked_mnist"), 1, "train-images-idx3-ubyte");
  EXPECT_TRUE(std::filesystem::is_empty(*this / "out")) << "no failure leaves a file";
  std::filesystem::remove(*this / "out");
  write_file(*this / "out", "a file where the folder should be");
  expect_line(from_here("cifar10"), 1, "out");
}

TEST_F(PrepareDataTest, ASignalLeavesNoTemporaryFile) {
  write_black_mnist(500000);
  for (const int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGXCPU}) {
    Process process(prepare_black_mnist());
    while (process.running() && !exists(*this / "out/mnist-train.h5.tmp")) usleep(100);
    process.signal(number);
    const Finished ended = process.wait();
    expect_line(ended, 128 + number, "mnist-train.h5 was not written; the same command begins it anew");
    EXPECT_TRUE(std::filesystem::is_empty(*this / "out")) << number;
  }
}

TEST_F(PrepareDataTest, ALimitOnTheSizeOfFilesIsAFullDisk) {
  write_black_mnist(2000);
  std::vector<std::string> words{"/bin/sh", "-c", "ulimit -f 64; exec \"$@\"", "sh"};
  for (const std::string& word : prepare_black_mnist()) words.push_back(word);
  expect_line(run_command(words), 1, "File too large; free some space");
  EXPECT_TRUE(std::filesystem::is_empty(*this / "out"));
}

}  // namespace
}  // namespace ebm::test
