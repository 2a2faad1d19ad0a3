// SPDX-License-Identifier: MIT
#include "io/held_file.h"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <optional>

#include "io/atomic_file.h"
#include "io/run_log.h"
#include "io_fixture.h"

namespace ebm {
namespace {

using test::error_of;
using Locking = HeldFile::Locking;
using Writer = HeldFile::Writer;

class HeldFileTest : public test::IoTest {
 protected:
  std::string error_of_opening(const std::string& name) {
    return error_of([&] { (void)Hdf5File::open_read(*this / name); });
  }
  /// Whether opening fails, and with content that is wrong.
  bool called_damaged(const std::filesystem::path& path) {
    try {
      (void)Hdf5File::open_read(path).read_dataset<float>("x");
    } catch (const DamagedFile&) {
      return true;
    } catch (const Error&) {
    }
    return false;
  }
  void write_values(const std::string& name) {
    Hdf5File file = Hdf5File::create(*this / name);
    file.write_dataset("x", std::vector<float>(5000, 0.5f), {5000});
    file.close();
  }
};

/// Opens the file for writing as a notebook does that holds it in h5py's mode "r+".
hid_t open_to_write(const std::filesystem::path& path) {
  const hid_t access = H5Pcreate(H5P_FILE_ACCESS);
  H5Pset_file_locking(access, true, true);
  H5Pset_libver_bounds(access, H5F_LIBVER_LATEST, H5F_LIBVER_LATEST);
  const hid_t file = H5Fopen(path.c_str(), H5F_ACC_RDWR, access);
  H5Pclose(access);
  return file;
}

/// A process that opened the file for writing. The end of this object is its death.
class Writing {
 public:
  explicit Writing(const std::filesystem::path& path) {
    int ready[2];
    if (pipe(ready) != 0) throw Error("no pipe");
    process_ = fork();
    if (process_ == 0) {
      const char opened = open_to_write(path) >= 0 ? 'y' : 'n';
      (void)!write(ready[1], &opened, 1);
      pause();
      _exit(0);
    }
    char opened = 'n';
    (void)!read(ready[0], &opened, 1);
    EXPECT_EQ(opened, 'y');
    close(ready[0]);
    close(ready[1]);
  }
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }

 private:
  pid_t process_;
};

/// A lock that another open file of the same name has.
class Locked {
 public:
  Locked(const std::filesystem::path& path, int operation) : fd_(open(path.c_str(), O_RDONLY)) {
    EXPECT_EQ(flock(fd_, operation | LOCK_NB), 0);
  }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
  ~Locked() { close(fd_); }

 private:
  int fd_;
};

TEST_F(HeldFileTest, AFileThatAnotherProgramWritesIsInUse) {
  write_values("a.h5");
  {
    const Locked locked(*this / "a.h5", LOCK_EX);
    const std::string text = error_of_opening("a.h5");
    EXPECT_HAS(text, "a.h5");
    EXPECT_HAS(text, "in use by another program");
    EXPECT_HAS(text, "close it there");
    EXPECT_EQ(text.find("damaged"), std::string::npos) << text;
    EXPECT_FALSE(called_damaged(*this / "a.h5"));
  }
  EXPECT_EQ(Hdf5File::open_read(*this / "a.h5").read_dataset<float>("x").values.size(), 5000u);
}

TEST_F(HeldFileTest, OthersMayReadMeanwhile) {
  write_values("a.h5");
  const Locked reader(*this / "a.h5", LOCK_SH);
  const Hdf5File file = Hdf5File::open_read(*this / "a.h5"), again = Hdf5File::open_read(*this / "a.h5");
  const Locked another(*this / "a.h5", LOCK_SH);
  EXPECT_EQ(file.read_dataset<float>("x").values.size(), 5000u);
}

TEST_F(HeldFileTest, TheLockGoesWithTheFile) {
  write_values("a.h5");
  const auto may_write = [&] {
    const int fd = open((*this / "a.h5").c_str(), O_RDWR);
    const bool locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return locked;
  };
  Hdf5File file = Hdf5File::open_read(*this / "a.h5");
  EXPECT_FALSE(may_write());
  file.close();
  EXPECT_TRUE(may_write());
  {
    const HeldFile held(*this / "a.h5", Locking::none);
    EXPECT_TRUE(may_write());
  }
  const Locked locked(*this / "a.h5", LOCK_EX);
  EXPECT_EQ(HeldFile(*this / "a.h5", Locking::none).read_through(), 0);
  EXPECT_HAS(error_of([&] { const HeldFile held(*this / "a.h5", Locking::shared); }), "in use");
}

TEST_F(HeldFileTest, ANotebookThatDiesLeavesAMarkAndNoDamage) {
  write_values("a.h5");
  {
    const Writing notebook(*this / "a.h5");
    EXPECT_HAS(error_of_opening("a.h5"), "in use by another program, which has locked it");
    EXPECT_EQ(HeldFile(*this / "a.h5", Locking::none).writer(), Writer::marked);
  }
  const std::string text = error_of_opening("a.h5");
  EXPECT_HAS(text, "marked as in use by another program");
  EXPECT_HAS(text, "h5clear -s '" + (*this / "a.h5").string() + "'");
  EXPECT_EQ(text.find("damaged"), std::string::npos) << text;
  EXPECT_FALSE(called_damaged(*this / "a.h5"));
}

TEST_F(HeldFileTest, TheSuperblockNamesTheWriter) {
  write_values("a.h5");
  EXPECT_EQ(HeldFile(*this / "a.h5", Locking::shared).writer(), Writer::closed);
  RunLog log = RunLog::create(*this / "run.h5", "", {}, {"a"});
  EXPECT_EQ(HeldFile(*this / "run.h5", Locking::shared).writer(), Writer::live);
  log.close();
  EXPECT_EQ(HeldFile(*this / "run.h5", Locking::shared).writer(), Writer::closed);
  write_file(*this / "text", "no HDF5 file");
  EXPECT_EQ(HeldFile(*this / "text", Locking::shared).writer(), Writer::closed);
}

TEST_F(HeldFileTest, OnlyWrongContentIsCalledDamaged) {
  write_values("a.h5");
  const auto whole = read_file(*this / "a.h5");
  const auto damaged = [&](size_t at, uint8_t bits) {
    auto bytes = whole;
    bytes[at] ^= bits;
    write_file(*this / "b.h5", std::span<const uint8_t>(bytes));
    return called_damaged(*this / "b.h5");
  };
  EXPECT_TRUE(damaged(0, 1));                 // the signature
  EXPECT_TRUE(damaged(11, 1));                // a mark that the superblock's checksum does not cover
  EXPECT_TRUE(damaged(whole.size() - 1, 1));  // in the values, or their index
  write_file(*this / "b.h5", std::span(whole).first(whole.size() / 2));
  EXPECT_TRUE(called_damaged(*this / "b.h5"));
  write_file(*this / "b.h5", "");
  EXPECT_TRUE(called_damaged(*this / "b.h5"));

  EXPECT_FALSE(called_damaged(*this / "none.h5"));
  EXPECT_FALSE(called_damaged(folder_));
  Hdf5File other = Hdf5File::create(*this / "other.h5");
  other.close();
  EXPECT_FALSE(called_damaged(*this / "other.h5"));  // it has no x
}

TEST_F(HeldFileTest, WhatTheSystemRefusesIsNoDamage) {
  // A regular file from whose beginning nobody can read.
  const std::string text = error_of([] { (void)Hdf5File::open_read("/proc/self/mem"); });
  EXPECT_HAS(text, "cannot read '/proc/self/mem' as HDF5: Input/output error; check the disk");
  EXPECT_EQ(HeldFile("/proc/self/mem", Locking::shared).read_through(), EIO);
  EXPECT_FALSE(called_damaged("/proc/self/mem"));

  write_values("a.h5");
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  // One more file can be opened, but HDF5 wants a second one.
  const int next = dup(0);
  close(next);
  rlimit limit = before;
  limit.rlim_cur = static_cast<rlim_t>(next) + 1;
  setrlimit(RLIMIT_NOFILE, &limit);
  const std::string one = error_of_opening("a.h5");
  const bool called = called_damaged(*this / "a.h5");
  limit.rlim_cur = static_cast<rlim_t>(next);
  setrlimit(RLIMIT_NOFILE, &limit);
  const std::string none = error_of_opening("a.h5");
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_HAS(one, "Too many open files; raise the limit of open files (ulimit -n)");
  EXPECT_HAS(none, "Too many open files; raise the limit of open files (ulimit -n)");
  EXPECT_FALSE(called);

  if (geteuid() == 0) return;  // root reads everything
  chmod((*this / "a.h5").c_str(), 0);
  EXPECT_HAS(error_of_opening("a.h5"), "Permission denied; check its permissions");
  EXPECT_FALSE(called_damaged(*this / "a.h5"));
}

TEST_F(HeldFileTest, APipeIsRefusedAndNotWaitedFor) {
  ASSERT_EQ(mkfifo((*this / "pipe.h5").c_str(), 0600), 0);
  EXPECT_HAS(error_of_opening("pipe.h5"), "it is no regular file");
}

}  // namespace
}  // namespace ebm
