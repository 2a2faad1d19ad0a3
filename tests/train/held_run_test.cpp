// SPDX-License-Identifier: MIT
// Runs on file systems without locks, and beside programs that hold their files.
#include <fcntl.h>
#include <hdf5.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "data/data_fixture.h"
#include "data/image_file.h"
#include "io/atomic_file.h"
#include "small_commands.h"
#include "support/process.h"
#include "support/system_calls.h"
#include "trainer_fixture.h"

namespace ebm::test {
namespace {

class HeldRunTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (program_path("toy_bb").empty()) GTEST_SKIP() << "the programs are not built";
  }
  std::string path(const std::string& name) { return (*this / name).string(); }
  Words command(const std::string& iterations) {
    return small_toy_command(path("run"), {"--log-every", "5", "--iterations", iterations});
  }
  /// A run on images.
  Words image_command(const Words& more) { return small_mnist_command(path("run"), more); }
  std::filesystem::path checkpoint() { return *newest_checkpoint(*this / "run"); }
  /// The run refuses to go on for this reason, and calls nothing damaged nor advises to move anything.
  void expect_refused_unharmed(const Finished& end, const std::string& reason) {
    expect_refused("toy_bb", end, 1, reason);
    for (const char* word : {"damaged", "move", "remove", "begin again"})
      EXPECT_EQ(end.err.find(word), std::string::npos) << end.err;
  }
};

TEST_F(HeldRunTest, WithoutLocksItTrainsAndGoesOn) {
  if (!can_intercept_system_calls()) GTEST_SKIP() << "system calls cannot be intercepted";
  for (const char* iterations : {"10", "20"}) ASSERT_EQ(run_command(command(iterations)).status, 0);
  std::filesystem::rename(*this / "run", *this / "whole");
  const struct {
    int error;
    Words environment;
  } cases[] = {{ENOLCK, {}},
               {EOPNOTSUPP, {}},
               {ENOSYS, {}},
               {EBADF, {}},
               {ENOLCK, {"HDF5_USE_FILE_LOCKING=TRUE"}},
               {ENOLCK, {"HDF5_USE_FILE_LOCKING=BEST_EFFORT"}},
               {ENOLCK, {"HDF5_USE_FILE_LOCKING=FALSE"}}};
  for (const auto& [error, environment] : cases) {
    const SystemFaults faults{.flock_error = error};
    for (const char* iterations : {"10", "20"}) {
      const Finished end = run_command(intercepted(command(iterations), faults, {}, environment));
      EXPECT_EQ(end.status, 0) << strerror(error) << ": " << end.err;
      const std::string note = "note: " + path("run") + " cannot be locked (" + strerror(error) + "); ";
      EXPECT_EQ(end.err.find(note), 0u) << end.err;
      EXPECT_EQ(end.err.find("note: ", 1), std::string::npos) << end.err;
    }
    expect_same_runs(*this / "whole", *this / "run", 20);
    std::filesystem::remove_all(*this / "run");
  }
}

TEST_F(HeldRunTest, DataAreReadWithoutLocksToo) {
  if (!can_intercept_system_calls()) GTEST_SKIP() << "system calls cannot be intercepted";
  const Dataset images = random_dataset(9, {28, 28, 1}, 10, 1);
  const auto prepare = [&] {
    write_image_file(*this / "train.h5", [&](ImageSink& sink) { pour(images, sink); });
  };
  prepare();
  const Words train = image_command({"--data", path("train.h5"), "--iterations", "2"});
  {
    const int notebook = open(path("train.h5").c_str(), O_RDWR);
    ASSERT_EQ(flock(notebook, LOCK_EX), 0);
    expect_refused("mnist_bb", run_command(train), 1, "train.h5': it is in use by another program");
    close(notebook);
  }
  const Finished end = run_command(intercepted(train, {.flock_error = ENOLCK}));
  EXPECT_EQ(end.status, 0) << end.err;
}

TEST_F(HeldRunTest, ACheckpointThatIsHeldIsInUse) {
  ASSERT_EQ(run_command(command("10")).status, 0);
  const std::string before = bytes_of(checkpoint());
  {
    const hid_t notebook = H5Fopen(checkpoint().c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
    ASSERT_GE(notebook, 0);
    expect_refused_unharmed(run_command(command("20")), "in use by another program, which has locked it");
    if (can_intercept_system_calls()) {
      Finished end = run_command(intercepted(command("20"), {.flock_error = ENOLCK}));
      end.err.erase(0, end.err.find('\n') + 1);  // the note that the folder cannot be locked
      expect_refused_unharmed(end, "marked as in use by another program");
    }
    // What is on the disk if the notebook dies now.
    write_file(*this / "marked.h5", bytes_of(checkpoint()));
    H5Fclose(notebook);
  }
  write_file(checkpoint(), bytes_of(*this / "marked.h5"));
  expect_refused_unharmed(run_command(command("20")), "h5clear -s '" + checkpoint().string() + "'");
  write_file(checkpoint(), before);
  EXPECT_EQ(run_command(command("20")).status, 0);
}

TEST_F(HeldRunTest, ACheckpointThatTheDiskDoesNotGiveIsNotDamaged) {
  if (!can_intercept_system_calls()) GTEST_SKIP() << "system calls cannot be intercepted";
  ASSERT_EQ(run_command(command("10")).status, 0);
  const SystemFaults faults{.read_error = EIO, .read_error_in = "iteration-00000010"};
  expect_refused_unharmed(run_command(intercepted(command("20"), faults)),
                          "Input/output error; check the disk");
  EXPECT_EQ(run_command(command("20")).status, 0);
}

TEST_F(HeldRunTest, ADamagedCheckpointIsMovedAway) {
  Words keep_all = command("20");
  keep_all.insert(keep_all.end(), {"--checkpoint-every", "10"});
  ASSERT_EQ(run_command(keep_all).status, 0);
  const std::filesystem::path second = checkpoint();
  const std::string whole = bytes_of(second);
  // Cut short, and with one wrong bit among the rows of the log, which are read after the header.
  std::string wrong = whole;
  const auto at = whole.rfind("share_good");
  ASSERT_NE(at, std::string::npos);
  wrong[at] = 'S';
  for (const std::string& bytes : {whole.substr(0, whole.size() / 2), wrong}) {
    write_file(second, bytes);
    const Finished end = run_command(command("30"));
    expect_refused("toy_bb", end, 1,
                   "to go on from the checkpoint before it, move it out of that folder: " + second.string());
    EXPECT_EQ(end.err.find("remove"), std::string::npos) << end.err;
    EXPECT_TRUE(bytes_of(second) == bytes);
  }
  std::filesystem::rename(second, *this / "moved.h5");
  const Finished end = run_command(command("10"));
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_HAS(end.out, "complete at iteration 10");

  write_file(checkpoint(), "");
  expect_refused("toy_bb", run_command(command("10")), 1, "to begin again, move it out of that folder");
}

TEST_F(HeldRunTest, ACheckpointOfAnotherVersionIsNotDamaged) {
  ASSERT_EQ(run_command(command("10")).status, 0);
  Hdf5File other = Hdf5File::create(checkpoint());
  other.write_attribute("/", "checkpoint_version", 2);
  other.close();
  expect_refused_unharmed(run_command(command("20")),
                          "has checkpoint version 2, this program reads version 1");
}

TEST_F(HeldRunTest, ClosedStreamsLeaveTheFilesAlone) {
  const auto closed = [](const Words& command) {
    Words words{"/bin/sh", "-c", "exec \"$@\" <&- >&- 2>&-", "sh"};
    words.insert(words.end(), command.begin(), command.end());
    return run_command(words).status;
  };
  for (const char* iterations : {"10", "20"}) ASSERT_EQ(run_command(command(iterations)).status, 0);
  std::filesystem::rename(*this / "run", *this / "whole");
  EXPECT_EQ(closed(command("10")), 0);
  EXPECT_EQ(closed(command("20")), 0);
  expect_same_runs(*this / "whole", *this / "run", 20);
  EXPECT_TRUE(bytes_of(*this / "whole/density.png") == bytes_of(*this / "run/density.png"));
}

TEST_F(HeldRunTest, SampleLeavesTheFilesOfARunAlone) {
  ASSERT_EQ(run_command(image_command({"--synthetic", "--shape-samples", "20", "--iterations", "2"})).status,
            0);
  const std::string before = bytes_of(*this / "run/samples.png");
  const auto expect_nothing_drawn = [&](Words words) {
    words.insert(words.end(), {"--device", "cpu", "--grid", "1", "--rows", "1", "--columns", "2"});
    expect_refused("sample", run_command(words), 2, "is the folder of a run");
    EXPECT_TRUE(bytes_of(*this / "run/samples.png") == before);
    EXPECT_FALSE(exists(*this / "run/interpolations.png"));
  };
  const std::string sample = program_path("sample"), run = path("run");
  expect_nothing_drawn({sample, run, "--out", run});
  expect_nothing_drawn({sample, run, "--out", run + "/"});
  // In the folder itself, which is the default.
  expect_nothing_drawn({"/usr/bin/env", "-C", run, sample, "."});
  std::filesystem::remove(*this / "run/run.h5");
  expect_nothing_drawn({sample, run, "--out", run});
}

TEST_F(HeldRunTest, AFolderMayBeGivenWithASlash) {
  Words words = command("10");
  words.insert(words.end(), {"--out", path("run") + "//"});
  const Finished end = run_command(words);
  EXPECT_EQ(end.status, 0) << end.err;
  EXPECT_HAS(end.out, "picture " + path("run") + "/density.png, metrics " + path("run") + "/run.h5\n");
  EXPECT_HAS(bytes_of(*this / "run/config.toml"), "out = \"" + path("run") + "\"");
}

}  // namespace
}  // namespace ebm::test
