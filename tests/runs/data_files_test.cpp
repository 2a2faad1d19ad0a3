// SPDX-License-Identifier: MIT
// Experiments get their data by themselves, from a server on this machine.
#include "../data/idx_files.h"
#include "support/environment.h"
#include "support/file_server.h"

namespace ebm::test {
namespace {

class DataFilesTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (program_path("mnist_bb").empty()) GTEST_SKIP() << "the programs are not built";
    if (!std::filesystem::exists("tests/data/file_server.py"))
      GTEST_SKIP() << "not run from the repository's root";
    for (const char* tool : {"python3", "curl", "md5sum", "tar"}) {
      if (run_command({"/bin/sh", "-c", std::string("command -v ") + tool}).status != 0)
        GTEST_SKIP() << "there is no " << tool;
    }
    std::filesystem::create_directory(*this / "official");
    const Dataset digits = random_dataset(9, {28, 28, 1}, 10, 3);
    for (const char* split : {"train", "t10k"}) {
      offer(split + std::string("-images-idx3-ubyte"), idx_images(digits));
      offer(split + std::string("-labels-idx1-ubyte"), idx_labels(digits));
    }
  }
  void offer(const std::string& file, const Bytes& content) {
    const std::string path = (*this / "official" / file).string();
    write_quickly(path, content);
    std::ofstream(*this / "table", std::ios::app)
        << "mnist " << file << " " << run_command({"/bin/sh", "-c", "md5sum < " + path}).out.substr(0, 32)
        << " http://127.0.0.1:9\n";
  }
  std::string command(const std::string& options) const {
    return "cd " + folder_.string() + " && " + std::filesystem::absolute(program_path("mnist_bb")).string() +
           " --device cpu --width 16 --latent 3 --batch 4 --grid 2 --hinge 0 --iterations 1 "
           "--jacobian-points 0 " +
           options;
  }
  Finished train(const std::string& options) const {
    return run_command({"/bin/sh", "-c", command(options)});
  }
  int64_t requests() const {
    std::ifstream log(folder_ / "log");
    int64_t lines = 0;
    for (std::string line; std::getline(log, line);) ++lines;
    return lines;
  }
};

TEST_F(DataFilesTest, AreHadOnFirstUse) {
  const Environment table("EBM_DATA_TABLE", (*this / "table").string());
  const FileServer server(folder_, {});
  const Environment mirror("EBM_DATA_MIRROR", server.url());
  const Finished first = train("--out a");
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_HAS(first.out, "there is no data/mnist-train.h5: getting mnist (--no-download: not)");
  EXPECT_HAS(first.out, "done: 1 iterations");
  EXPECT_TRUE(std::filesystem::exists(*this / "data" / "mnist-test.h5"));
  EXPECT_EQ(requests(), 4);
  const Finished again = train("--out b");
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(requests(), 4);
}

TEST_F(DataFilesTest, TwoProgramsAtOnceGetThemOnce) {
  const Environment table("EBM_DATA_TABLE", (*this / "table").string());
  const FileServer server(folder_, {});
  const Environment mirror("EBM_DATA_MIRROR", server.url());
  Process one({"/bin/sh", "-c", command("--out a")}), other({"/bin/sh", "-c", command("--out b")});
  const Finished first = one.wait(), second = other.wait();
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_EQ(second.status, 0) << second.err;
  EXPECT_EQ(requests(), 4);
}

TEST_F(DataFilesTest, WhatCannotBeHadIsOneLine) {
  const Environment table("EBM_DATA_TABLE", (*this / "table").string());
  expect_refused("mnist_bb", train("--no-download"), 1, "there is no data file 'data/mnist-train.h5'");
  EXPECT_FALSE(std::filesystem::exists(*this / "data"));
  // Nobody serves.
  expect_refused("mnist_bb", train(""), 1,
                 "there is no data/mnist-train.h5, and it cannot be had: fetch.sh: cannot download");
  const Finished stacked = train("--stacked");
  expect_refused("mnist_bb", stacked, 1, "there is no data/stacked_mnist-train.h5, and it cannot be had: ");
  EXPECT_HAS(stacked.err, "/train-images-idx3-ubyte");
  std::filesystem::create_directory(*this / "mine");
  expect_refused("mnist_bb", train("--data mine/mnist-train.h5"), 1,
                 "there is no data file 'mine/mnist-train.h5'");
}

}  // namespace
}  // namespace ebm::test
