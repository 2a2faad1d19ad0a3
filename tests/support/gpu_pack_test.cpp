// SPDX-License-Identifier: MIT
// scripts/gpu_pack: what is in the pack, that it runs where it is unpacked, and that it says when it does not
// or is too large.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <random>

#include "support/devices.h"
#include "support/files.h"
#include "support/process.h"
#include "support/script_tree.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

/// A distribution, as far as packing goes.
class GpuPackTest : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string reason = why_no_scripts(); !reason.empty()) GTEST_SKIP() << reason;
    if (!fs::exists(script_path("gpu_pack"))) GTEST_SKIP() << "a distribution has no scripts/gpu_pack";
    if (run_command({"/bin/sh", "-c", "command -v xz && command -v strip"}).status != 0)
      GTEST_SKIP() << "there is no xz or no strip";
    fs::remove(pack_);
    for (const char* name : {"gpu_check", "timed_steps.py"}) dist_.copy_script(name);
    for (const char* name : {"emulation_tests", "access_tests", "toy_bb", "cifar10_bb"})
      dist_.plant(name, "true\n");
    fs::create_directories(dist_.path("docs"));
    std::ofstream(dist_.path("docs/method.md")) << "left out\n";
    fs::create_directories(dist_.path("share/licenses"));
    std::ofstream(dist_.path("share/licenses/fmt")) << "kept\n";
  }
  Finished pack(std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {script_path("gpu_pack").string(), "--from",
                                     dist_.path("").parent_path().string(), "--out", pack_.string()});
    return run_command(options);
  }
  std::string listing() const { return run_command({"/usr/bin/env", "tar", "-tJf", pack_.string()}).out; }
  bool holds(const std::string& name) const {
    return listing().find("ebm-bb-planted/" + name + "\n") != std::string::npos;
  }
  ScriptTree dist_{"ebm-bb-planted"};
  fs::path pack_ = fs::path(testing::TempDir()) / "pack.tar.xz";
};

TEST_F(GpuPackTest, RunsWhereItIsUnpacked) {
  if (program_path("toy_bb").empty() || program_path("cifar10_bb").empty())
    GTEST_SKIP() << "the programs are not built";
  if (!why_missing("emulated").empty()) GTEST_SKIP() << why_missing("emulated");
  for (const char* name : {"toy_bb", "cifar10_bb"})
    fs::copy_file(program_path(name), dist_.path("bin") / name, fs::copy_options::overwrite_existing);
  fs::copy_file(emulated_library(), dist_.path("lib/libebm_cuda_emulated.so"));
  const Finished finished = pack();
  EXPECT_EQ(finished.status, 0) << finished.out << finished.err;
  EXPECT_NE(finished.out.find("2 passed, 0 failed, 0 not run"), std::string::npos) << finished.out;
  EXPECT_NE(finished.out.find("\n" + fs::canonical(pack_).string() + ": "), std::string::npos)
      << finished.out;
  EXPECT_TRUE(finished.out.ends_with(" MiB\n")) << finished.out;
  for (const char* name : {"bin/toy_bb", "scripts/gpu_check", "share/licenses/fmt"})
    EXPECT_TRUE(holds(name)) << name;
  for (const char* name : {"lib/libebm_cuda_emulated.so", "bin/emulation_tests", "bin/access_tests", "docs/"})
    EXPECT_FALSE(holds(name)) << name;
  EXPECT_TRUE(fs::exists(dist_.path("docs/method.md"))) << "the distribution itself was changed";
}

TEST_F(GpuPackTest, SaysWhenItIsTooLarge) {
  std::string noise(400 * 1024, '\0');
  std::generate(noise.begin(), noise.end(),
                [random = std::mt19937(1)]() mutable { return static_cast<char>(random()); });
  std::ofstream(dist_.path("lib/noise")) << noise;
  const Finished finished = pack({"--limit", "0.3"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_NE(finished.out.find("not rehearsed: "), std::string::npos) << finished.out;
  EXPECT_NE(finished.err.find(" takes 0.4 MiB, more than 0.3; "), std::string::npos) << finished.err;
}

TEST_F(GpuPackTest, SaysWhenItDoesNotRun) {
  std::ofstream(dist_.path("lib/libebm_cuda_emulated.so")) << "any";
  dist_.plant("toy_bb", "echo broken; exit 3\n");
  const Finished failing = pack();
  EXPECT_EQ(failing.status, 1);
  EXPECT_NE(failing.err.find("gpu_check --emulated "), std::string::npos) << failing.err;
  fs::remove(dist_.path("bin/toy_bb"));
  const Finished lacking = pack();
  EXPECT_EQ(lacking.status, 1);
  EXPECT_NE(lacking.err.find("gpu_pack: not every step ran in "), std::string::npos) << lacking.err;
}

TEST_F(GpuPackTest, RefusesWhatIsNoDistribution) {
  expect_refused("gpu_pack",
                 run_command({script_path("gpu_pack").string(), "--from", dist_.path("bin").string()}), 1,
                 " is no distribution: it has no scripts/gpu_check; make dist makes one");
}

}  // namespace
}  // namespace ebm::test
