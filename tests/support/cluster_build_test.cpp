// SPDX-License-Identifier: MIT
// What the Makefile takes from where on machines of other kinds: scripts/places.mk, scripts/jobs and scripts/deps, with
// stand-ins for libraries and for Slurm's and apt's commands.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "../io/io_fixture.h"
#include "support/files.h"
#include "support/process.h"
#include "support/script_tree.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

class ClusterBuildTest : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path root = golden_folder() / "../..";
    if (!fs::exists(root / "Makefile")) GTEST_SKIP() << "the Makefile is not here";
    if (run_command({"/bin/sh", "-c", "command -v make && command -v g++"}).status != 0)
      GTEST_SKIP() << "there is no make or no g++";
    for (const char* script : {"deps", "jobs", "places.mk"}) tree_.copy_script(script);
    for (const char* file : {"Makefile", "src/kernels/cuda/cuda.mk", "src/parallel/mpi/mpi.mk"}) {
      fs::create_directories(tree_.path(file).parent_path());
      fs::copy_file(root / file, tree_.path(file));
    }
  }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories(tree_.path(file).parent_path());
    std::ofstream(tree_.path(file)) << text;
  }
  /// A shell's line in the tree, with nothing of this process's environment but a PATH.
  Finished shell(const std::string& line, const std::string& path) const {
    return run_command({"/usr/bin/env", "-i", "PATH=" + path, "/bin/bash", "-c",
                        "cd '" + tree_.path("").string() + "' && " + line});
  }
  Finished make(const std::string& words) const { return shell("make NVCC= " + words, "/usr/bin:/bin"); }
  /// With the stand-ins of bin/ and no other command.
  Finished alone(const std::string& line) const { return shell(line, tree_.path("bin").string()); }
  std::string there(const std::string& file) const { return tree_.path(file).string(); }

  ScriptTree tree_{"ebm-bb-cluster"};
};

TEST_F(ClusterBuildTest, ALibraryOfANamedPlaceIsFoundAtRunTime) {
  // As this project's libraries: of no folder that the loader knows.
  write("hdf5/include/hdf5.h", "extern \"C\" int answer();\n");
  write("hdf5/include/H5pubconf.h", "");
  write("answer.cpp", "extern \"C\" int answer() { return 42; }\n");
  write("asks.cpp", "#include <hdf5.h>\nint main() { return answer(); }\n");
  fs::create_directories(tree_.path("hdf5/lib64"));
  ASSERT_EQ(shell("g++ -shared -fPIC answer.cpp -o hdf5/lib64/libhdf5.so", "/usr/bin:/bin").status, 0);
  write("asks.mk",
        "asks: asks.cpp\n\t$(CXX) $(CPPFLAGS_ALL) $(LDFLAGS_ALL) $< -o $@ $(filter -L% -lhdf5,$(LIBS))\n");
  const Finished built = make("-f Makefile -f asks.mk asks HDF5_ROOT=hdf5");
  ASSERT_EQ(built.status, 0) << built.out << built.err;
  EXPECT_EQ(run_command({"/usr/bin/env", "-i", there("asks")}).status, 42);

  const Finished module = shell(
      "rm asks && CPATH=$PWD/hdf5/include LIBRARY_PATH=$PWD/hdf5/lib64 make NVCC= -f Makefile -f asks.mk "
      "asks",
      "/usr/bin:/bin");
  ASSERT_EQ(module.status, 0) << module.out << module.err;
  EXPECT_EQ(run_command({"/usr/bin/env", "-i", there("asks")}).status, 42);
}

TEST_F(ClusterBuildTest, APlaceWithoutTheThingIsRefused) {
  write("half/include/hdf5.h", "");  // no library
  for (const char* wrong : {"HDF5_ROOT=half", "DNNL_ROOT=/none", "CUDA_HOME=/none", "MPI_HOME=/none"}) {
    const Finished done = make(std::string("found ") + wrong);
    EXPECT_EQ(done.status, 2) << wrong;
    EXPECT_HAS(done.err, std::string("*** ") + wrong + ": ");
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
  }
}

TEST_F(ClusterBuildTest, CondaCountsWhenItHasWhatTheBuildNeeds) {
  write("print.mk", "print:\n\t@echo '$(PLACES_CPPFLAGS)' '$(RPATHS)'\n");
  write("conda/include/hdf5.h", "");
  write("conda/lib/libhdf5.so", "");
  const std::string print = "-s -f Makefile -f print.mk print CONDA_PREFIX=" + there("conda");
  EXPECT_EQ(make(print).out.find("conda"), std::string::npos) << "an environment for other work";
  write("conda/include/dnnl.hpp", "");
  write("conda/lib/libdnnl.so", "");
  const std::string said = make(print).out;
  EXPECT_HAS(said, "-isystem " + there("conda/include"));
  EXPECT_HAS(said, "-Wl,-rpath," + there("conda/lib"));
}

TEST_F(ClusterBuildTest, WhatIsMissingIsSaidWithItsVariable) {
  tree_.plant("awk", "exec /usr/bin/awk \"$@\"\n");
  tree_.plant("sed", "exec /usr/bin/sed \"$@\"\n");
  tree_.plant("g++", "exit 1\n");
  const Finished done = alone("/bin/bash scripts/deps check build");
  EXPECT_EQ(done.status, 1);
  EXPECT_HAS(done.out, "  HDF5            MISSING (HDF5_ROOT names another place)\n");
  EXPECT_HAS(done.out, "  g++             " + there("bin/g++") + "\n");
  EXPECT_HAS(done.err, "make: missing: make pkg-config fmt ");
}

TEST_F(ClusterBuildTest, JobsAreThoseThatAMachineGrants) {
  tree_.plant("nproc", "echo 64\n");
  const auto jobs = [&](const std::string& variables) {
    return alone(variables + " /bin/bash scripts/jobs").out;
  };
  EXPECT_EQ(jobs(""), "64\n");
  EXPECT_EQ(jobs("MAKEFLAGS=-j7"), "") << "the user's own";
  EXPECT_EQ(jobs("SLURM_JOB_ID=1 SLURM_CPUS_ON_NODE=128"), "64\n") << "no more than this process may use";
  EXPECT_TRUE(jobs("SLURM_JOB_ID=1 SLURM_CPUS_ON_NODE=16").starts_with("16 (the CPUs of this Slurm job"));
  EXPECT_TRUE(jobs("SLURM_JOB_ID=1 SLURM_CPUS_PER_TASK=8 SLURM_CPUS_ON_NODE=16").starts_with("8 ("));
  EXPECT_TRUE(jobs("SLURM_CONF=/etc/slurm.conf").starts_with("4 (no more on a login node"));
  tree_.plant("sbatch", "");
  EXPECT_TRUE(jobs("").starts_with("4 (no more on a login node"));
  EXPECT_TRUE(jobs("SLURM_JOB_ID=1").starts_with("64"));
}

TEST_F(ClusterBuildTest, MakeTakesTheseJobsAndACpuThatAllNodesHave) {
  for (const char* command : {"nproc", "sbatch"}) tree_.plant(command, "echo 64\n");
  write("print.mk", "print:\n\t@echo '$(filter -j%,$(MAKEFLAGS)) $(CPU_FOUND)'\n");
  const auto print = [&](const std::string& words) {
    return shell("make NVCC= -s -f Makefile -f print.mk print " + words, there("bin") + ":/usr/bin:/bin").out;
  };
  const std::string said = print("");
  EXPECT_TRUE(said.starts_with("-j4 ")) << said;
  EXPECT_TRUE(print("-j9").starts_with("-j9 ")) << "the user's own";
#if defined(__x86_64__)
  EXPECT_HAS(said, "-march=x86-64-v3 (Slurm is here");
#endif
  EXPECT_HAS(print("ARCH=native"), "-march=native (this CPU");
}

class OfferTest : public ClusterBuildTest {
 protected:
  void SetUp() override {
    ClusterBuildTest::SetUp();
    if (IsSkipped()) return;
    if (run_command({"/bin/sh", "-c", "command -v script"}).status != 0) GTEST_SKIP() << "there is no script";
    // A Debian machine that lacks everything, and a user who is not root.
    tree_.plant("id", "echo ${FAKE_UID:-1000}\n");
    tree_.plant("sudo", "echo sudo \"$@\" >>did\n");
    tree_.plant("apt-get", "echo \"$@\" >>did\n");
    tree_.plant("apt-cache", "");
    tree_.plant("dpkg-query", "");
    tree_.plant("g++", "exit 1\n");
  }
  /// scripts/deps offer, of a person at a terminal who types `answer`.
  Finished at_terminal(const std::string& answer, const std::string& variables = "") const {
    return shell(
        "printf '" + answer + "' | script -qec '" + variables + " scripts/deps offer run build' /dev/null",
        there("bin") + ":/usr/bin:/bin");
  }
  std::string did() const {
    const std::string text = tree_.content("did");
    fs::remove(tree_.path("did"));
    return text;
  }
};

TEST_F(OfferTest, APersonIsAskedBeforeSudo) {
  const Finished no = at_terminal("no\\n");
  EXPECT_EQ(no.status, 1);
  EXPECT_HAS(no.out, "make: missing: g++ make pkg-config ");
  EXPECT_HAS(no.out, "make: nothing was installed; needed first: sudo apt-get install g++ make pkg-config ");
  EXPECT_EQ(did(), "");
  const Finished yes = at_terminal("y\\n");
  EXPECT_EQ(yes.status, 0) << yes.out;
  const std::string done = did();
  EXPECT_HAS(done, "sudo apt-get -q update\n");
  EXPECT_HAS(done, "install g++ make pkg-config libfmt-dev ");
}

TEST_F(OfferTest, RootAndWhereNobodySitsGoOn) {
  EXPECT_EQ(at_terminal("", "FAKE_UID=0").status, 0);
  EXPECT_HAS(did(), "install g++ make ");
  const Finished done = shell("scripts/deps offer run build </dev/null", there("bin") + ":/usr/bin:/bin");
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_HAS(did(), "sudo env DEBIAN_FRONTEND=noninteractive apt-get ");
}

}  // namespace
}  // namespace ebm::test
