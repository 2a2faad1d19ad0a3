// SPDX-License-Identifier: MIT
#include "io/atomic_file.h"

#include <sys/stat.h>

#include <fstream>
#include <stdexcept>

#include "io_fixture.h"

namespace ebm {
namespace {

using test::error_of;
using test::FullDisk;

class AtomicFileTest : public test::IoTest {
 protected:
  std::string text_of(const std::string& name) {
    const auto bytes = read_file(*this / name);
    return {bytes.begin(), bytes.end()};
  }
  void touch(const std::string& name) { std::ofstream(*this / name) << name; }
  std::vector<std::string> names() {
    std::vector<std::string> all;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      all.push_back(entry.path().filename());
    std::sort(all.begin(), all.end());
    return all;
  }
};

TEST_F(AtomicFileTest, WritesAndReplaces) {
  write_file(*this / "a.txt", "one");
  EXPECT_EQ(text_of("a.txt"), "one");
  write_file(*this / "a.txt", std::string(200000, 'x'));
  EXPECT_EQ(text_of("a.txt"), std::string(200000, 'x'));
  write_file(*this / "a.txt", "");
  EXPECT_EQ(text_of("a.txt"), "");
  EXPECT_EQ(count_files(), 1);
}

TEST_F(AtomicFileTest, NothingTakesThePlaceOfADeviceOrPipe) {
  const std::string pipe = (*this / "pipe").string();
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_HAS(error_of([&] { write_file(pipe, "text"); }), "is a device or pipe");
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_EQ(names(), std::vector<std::string>{"pipe"});
}

TEST_F(AtomicFileTest, TheTargetIsUntouchedWhileTheWriterWorks) {
  write_file(*this / "a.txt", "old");
  write_atomically(*this / "a.txt", [&](const std::filesystem::path& temporary) {
    EXPECT_EQ(temporary.parent_path(), folder_);
    std::ofstream(temporary) << "new";
    EXPECT_EQ(text_of("a.txt"), "old");
  });
  EXPECT_EQ(text_of("a.txt"), "new");
}

TEST_F(AtomicFileTest, AThrowingWriterLeavesTheTargetAndNoTemporary) {
  write_file(*this / "a.txt", "old");
  EXPECT_THROW(write_atomically(*this / "a.txt",
                                [](const std::filesystem::path& temporary) {
                                  std::ofstream(temporary) << "half";
                                  throw std::out_of_range("stop");
                                }),
               std::out_of_range);
  EXPECT_EQ(names(), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(text_of("a.txt"), "old");
}

TEST_F(AtomicFileTest, ASignalWaitsUntilTheFileIsWhole) {
  const auto write = [&](const char* name, bool fails) {
    write_atomically(*this / name, [&](const std::filesystem::path& temporary) {
      std::ofstream(temporary) << "half";
      raise(SIGTERM);
      if (fails) throw std::out_of_range("stop");
      std::ofstream(temporary) << "whole";
    });
  };
  EXPECT_EXIT(write("a.txt", false), testing::KilledBySignal(SIGTERM), "");
  EXPECT_EXIT(write("b.txt", true), testing::KilledBySignal(SIGTERM), "");
  EXPECT_EQ(names(), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(text_of("a.txt"), "whole");
}

TEST_F(AtomicFileTest, AWriterThatWritesNothingIsAnError) {
  EXPECT_HAS(error_of([&] { write_atomically(*this / "a.txt", [](const auto&) {}); }), "a.txt");
  EXPECT_EQ(count_files(), 0);
}

TEST_F(AtomicFileTest, AFullDiskNamesFileAndRemedy) {
  write_file(*this / "a.txt", "old");
  std::string text;
  {
    const FullDisk full(1000);
    text = error_of([&] { write_file(*this / "a.txt", std::string(5000, 'x')); });
  }
  EXPECT_HAS(text, "a.txt");
  EXPECT_HAS(text, "free some space");
  EXPECT_EQ(names(), std::vector<std::string>{"a.txt"});
  EXPECT_EQ(text_of("a.txt"), "old");
}

TEST_F(AtomicFileTest, BadFoldersAreErrors) {
  EXPECT_HAS(error_of([&] { write_file(*this / "none/a.txt", "x"); }), "check that the folder exists");
  std::filesystem::create_directory(*this / "dir");
  touch("dir/inside");
  EXPECT_HAS(error_of([&] { write_file(*this / "dir", "x"); }), "Is a directory");
  EXPECT_FALSE(std::filesystem::exists(*this / "dir.tmp"));
  EXPECT_HAS(error_of([&] { (void)read_file(*this / "none"); }), "none");
}

TEST_F(AtomicFileTest, AReadOnlyFolderIsAnError) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write to a read-only folder";
  chmod(folder_.c_str(), 0500);
  EXPECT_HAS(error_of([&] { write_file(*this / "a.txt", "x"); }), "choose a folder that may be written");
}

TEST_F(AtomicFileTest, ALeftTemporaryIsReplacedAndNotWrittenThrough) {
  touch("precious");
  std::filesystem::create_symlink(*this / "precious", *this / "a.txt.tmp");
  write_file(*this / "a.txt", "new");
  EXPECT_EQ(text_of("precious"), "precious");
  EXPECT_EQ(text_of("a.txt"), "new");
}

TEST_F(AtomicFileTest, KeepNewestGoesByNumber) {
  for (const char* name :
       {"iteration-9.h5", "iteration-00000010.h5", "iteration-100000000.h5", "iteration-2.h5",
        "iteration-3.h5.tmp", "iteration-x.h5", "iteration-.h5", "iteration--5.h5", "other-1.h5",
        "iteration-1.txt", "iteration-99999999999999999999.h5"}) {
    touch(name);
  }
  std::filesystem::create_directory(*this / "iteration-7.h5");
  const auto found = numbered_files(folder_, "iteration-", ".h5");
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0], *this / "iteration-2.h5");
  EXPECT_EQ(found[3], *this / "iteration-100000000.h5");
  keep_newest(folder_, "iteration-", ".h5", 2);
  EXPECT_EQ(names(),
            (std::vector<std::string>{"iteration--5.h5", "iteration-.h5", "iteration-00000010.h5",
                                      "iteration-1.txt", "iteration-100000000.h5", "iteration-7.h5",
                                      "iteration-99999999999999999999.h5", "iteration-x.h5", "other-1.h5"}));
  keep_newest(folder_, "iteration-", ".h5", 5);
  EXPECT_EQ(count_files(), 9);
  EXPECT_HAS(error_of([&] { keep_newest(folder_, "iteration-", ".h5", 0); }), "at least 1");
  EXPECT_TRUE(numbered_files(*this / "none", "a", "b").empty());
}

}  // namespace
}  // namespace ebm
