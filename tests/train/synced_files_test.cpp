// SPDX-License-Identifier: MIT
// What stands in docs/formats.md of every file: written aside, synced, renamed, and the folder synced; so
// that a loss of power leaves it whole or absent. The order of the programs' own calls is looked at.
#include <algorithm>

#include "data/pictures.h"
#include "io/atomic_file.h"
#include "small_commands.h"
#include "support/devices.h"
#include "support/process.h"
#include "support/system_calls.h"
#include "trainer_fixture.h"

namespace ebm::test {
namespace {

using Calls = std::vector<SystemCall>;

/// What is wrong with how the file came to be: with the last renaming that gave it its name.
std::string fault_of(const Calls& calls, const std::filesystem::path& file) {
  const auto is = [](const char* name, const std::filesystem::path& path) {
    return [=](const SystemCall& call) { return call.name == name && call.path == path; };
  };
  const auto renamed = std::find_if(calls.rbegin(), calls.rend(), [&](const SystemCall& call) {
    return call.name == "rename" && call.target == file;
  });
  if (renamed == calls.rend()) return "was not renamed from a file aside";
  if (renamed->path.parent_path() != file.parent_path()) return "came from another folder";
  const auto written = std::find_if(renamed, calls.rend(), is("write", renamed->path));
  if (written == calls.rend()) return "was not seen being written";
  const auto synced = std::find_if(renamed, calls.rend(), is("sync", renamed->path));
  if (synced == calls.rend() || synced > written) return "was not synced between writing and renaming";
  // Nothing else happens before the folder is synced: what comes next may hang on this file.
  if (renamed == calls.rbegin()) return "stands in a folder that was not synced";
  const SystemCall& next = *(renamed - 1);
  if (next.name != "sync" || next.path != file.parent_path())
    return "stands in a folder that was not synced next";
  return "";
}

class SyncedFilesTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (program_path("toy_bb").empty()) GTEST_SKIP() << "the programs are not built";
    if (!can_intercept_system_calls()) GTEST_SKIP() << "system calls cannot be intercepted";
    folder_ = std::filesystem::canonical(folder_);
  }
  std::string path(const std::string& name) { return (*this / name).string(); }

  /// Runs the command to its end, expects all that it left in `out` to be synced, and `files` to be there.
  Calls expect_synced(const Words& command, const std::string& out, const std::vector<std::string>& files) {
    std::filesystem::remove(*this / "calls");
    const Finished end = run_command(intercepted(command, {}, *this / "calls"));
    EXPECT_EQ(end.status, 0) << end.err;
    Calls calls = read_system_calls(*this / "calls");
    for (const std::string& file : files) EXPECT_TRUE(exists(*this / out / file)) << file;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(*this / out)) {
      if (entry.is_regular_file()) {
        EXPECT_EQ(fault_of(calls, entry.path()), "") << entry.path();
      }
    }
    return calls;
  }
  Words toy(const Words& more) { return small_toy_command(path("run"), more); }
  Words images(const Words& more) {
    return small_mnist_command(path("run"), joined({"--synthetic", "--shape-samples", "20"}, more));
  }
};

TEST_F(SyncedFilesTest, EveryFileOfARun) {
  const Words options{"--iterations",       "40", "--checkpoint-every", "10", "--eval-every", "20",
                      "--keep-checkpoints", "2",  "--dump-iteration",   "5"};
  const std::vector<std::string> files{"run.h5",
                                       "config.toml",
                                       "density.png",
                                       "iteration-5.h5",
                                       "samples/density-00000020.png",
                                       "samples/density-00000040.png",
                                       "checkpoints/iteration-00000030.h5",
                                       "checkpoints/iteration-00000040.h5"};
  const Calls calls = expect_synced(toy(options), "run", files);

  // An old checkpoint goes when the newer one is safe.
  const auto at = [&](const char* name, const std::filesystem::path& path) {
    return std::find_if(calls.begin(), calls.end(), [&](const SystemCall& call) {
      return call.name == name && (call.name == "rename" ? call.target : call.path) == path;
    });
  };
  const auto gone = at("remove", *this / "run/checkpoints/iteration-00000020.h5");
  const auto newer = at("rename", *this / "run/checkpoints/iteration-00000040.h5");
  ASSERT_TRUE(gone != calls.end() && newer != calls.end());
  EXPECT_LT(newer + 1, gone);
  EXPECT_EQ((newer + 1)->name, "sync");

  // A run that goes on writes the log anew.
  const Finished resumed = run_command(
      intercepted(toy({"--iterations", "50", "--log-every", "5"}), {}, *this / "calls of the second"));
  EXPECT_EQ(resumed.status, 0) << resumed.err;
  EXPECT_EQ(fault_of(read_system_calls(*this / "calls of the second"), *this / "run/run.h5"), "");
}

TEST_F(SyncedFilesTest, PicturesOfImagesAndOfSample) {
  expect_synced(images({"--iterations", "2"}), "run",
                {"samples.png", "samples/samples-00000002.png", "checkpoints/iteration-00000002.h5"});
  std::filesystem::create_directory(*this / "drawn");
  expect_synced({program_path("sample"), path("run"), "--device", "cpu", "--grid", "2", "--rows", "1",
                 "--columns", "2", "--out", path("drawn")},
                "drawn", {"samples.png", "interpolations.png"});
}

TEST_F(SyncedFilesTest, PreparedData) {
  std::filesystem::create_directory(*this / "cats");
  for (uint32_t i = 0; i < 4; ++i)
    write_png(*this / "cats" / ("p" + std::to_string(i) + ".png"), noise_image(8, 8, i));
  expect_synced({program_path("prepare_data"), "--dataset", "image_folder", "--size", "8", "--valid-share",
                 "0.5", "--from", path("cats"), "--out", path("data")},
                "data", {"cats-train.h5", "cats-valid.h5"});
}

/// On the emulated GPU.
TEST_F(SyncedFilesTest, PlansOfConvolutions) {
  const auto names = devices_with_convolutions();
  if (std::find(names.begin(), names.end(), "emulated") == names.end())
    GTEST_SKIP() << "no emulated convolutions";
  Words command{"/usr/bin/env", "EBM_CUDA_LIBRARY=" + emulated_library()};
  const Words training{program_path("cifar10_bb"),
                       "--device",
                       "cuda",
                       "--latent",
                       "3",
                       "--batch",
                       "4",
                       "--width",
                       "2",
                       "--grid",
                       "2",
                       "--hinge",
                       "0",
                       "--synthetic",
                       "--shape-samples",
                       "20",
                       "--iterations",
                       "1",
                       "--out",
                       path("run")};
  command.insert(command.end(), training.begin(), training.end());
  expect_synced(command, "run", {"convolution_plans.txt", "samples.png"});
}

}  // namespace
}  // namespace ebm::test
