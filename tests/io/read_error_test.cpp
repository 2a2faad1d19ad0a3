// SPDX-License-Identifier: MIT
// The remedies of what cannot be read.
#include "io/read_error.h"

#include <sys/stat.h>

#include <cerrno>

#include "data/input_file.h"
#include "io/atomic_file.h"
#include "io_fixture.h"

namespace ebm::test {
namespace {

class ReadErrorTest : public IoTest {
 protected:
  std::string reading(const std::string& name) {
    return error_of([&] { (void)read_file(*this / name); });
  }
  std::string opening(const std::string& name) {
    return error_of([&] { const InputFile file(*this / name); });
  }
};

// While it lives this process may not read what belongs to another user; `works` says whether it is so.
class OrdinaryUser {
 public:
  OrdinaryUser() : before_(geteuid()) {
    if (before_ == 0) works = seteuid(65534) == 0;
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  ~OrdinaryUser() {
    if (before_ == 0 && works) {
      EXPECT_EQ(seteuid(0), 0);
    }
  }
  bool works = true;

 private:
  uid_t before_;
};

TEST_F(ReadErrorTest, HasARemedyThatIsTrueOfReading) {
  const auto message = [](int code) { return std::string(read_error("in/a.png", code).what()); };
  EXPECT_EQ(message(EACCES),
            "cannot read 'in/a.png': Permission denied; check its permissions and those of the folders that "
            "it is in");
  EXPECT_HAS(message(EPERM), "; check its permissions");
  EXPECT_EQ(message(ENOENT), "cannot read 'in/a.png': No such file or directory; check the path");
  EXPECT_HAS(message(EIO), "; check the disk");
  EXPECT_HAS(message(EMFILE), "; raise the limit of open files (ulimit -n)");
  for (const int code : {EACCES, EPERM, EROFS, ENOENT, ENOTDIR, EISDIR, ELOOP, EIO}) {
    EXPECT_FALSE(contains(message(code), "may be written")) << code;
    EXPECT_FALSE(contains(message(code), "free some space")) << code;
  }
}

TEST_F(ReadErrorTest, AFileThatMayNotBeReadSaysSo) {
  write_file(*this / "a.png", "secret");
  chmod((*this / "a.png").c_str(), 0);
  const OrdinaryUser user;
  if (!user.works) GTEST_SKIP() << "no other user here";
  EXPECT_HAS(reading("a.png"), "a.png': Permission denied; check its permissions");
  EXPECT_HAS(opening("a.png"), "a.png': Permission denied; check its permissions");
}

TEST_F(ReadErrorTest, AFolderThatMayNotBeReadSaysSo) {
  chmod(folder_.c_str(), 0);
  const OrdinaryUser user;
  if (!user.works) GTEST_SKIP() << "no other user here";
  EXPECT_HAS(error_of([&] { (void)numbered_files(folder_, "a", "b"); }),
             "cannot read the folder '" + folder_.string() + "': Permission denied; check its permissions");
}

TEST_F(ReadErrorTest, WhatIsNoFileSaysSo) {
  std::filesystem::create_directory(*this / "folder");
  EXPECT_HAS(reading("folder"), "folder': Is a directory; it is a folder: name a file");
  EXPECT_HAS(opening("folder"), "folder': it is no regular file; name a file");
  EXPECT_HAS(reading("none"), "none': No such file or directory; check the path");
  EXPECT_HAS(opening("none"), "none': No such file or directory; check the path");
  // Nobody writes to it: to wait for that would be to hang.
  ASSERT_EQ(mkfifo((*this / "pipe").c_str(), 0600), 0);
  EXPECT_HAS(opening("pipe"), "pipe': it is no regular file; name a file");
}

}  // namespace
}  // namespace ebm::test
