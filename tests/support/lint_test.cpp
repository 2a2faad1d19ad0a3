// SPDX-License-Identifier: MIT
// scripts/lint sees each fault that it is there for, in a small repository that has it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/files.h"
#include "support/process.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

class LintTest : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path script = golden_folder() / "../../scripts/lint";
    if (!fs::exists(script)) GTEST_SKIP() << "scripts/lint is not here";
    if (run_command({"/bin/sh", "-c", "command -v python3 && command -v git"}).status != 0)
      GTEST_SKIP() << "there is no python3 or no git";
    fs::remove_all(root_);
    fs::create_directories(root_ / "scripts");
    fs::copy_file(script, root_ / "scripts/lint");
    ASSERT_EQ(run_command({"/usr/bin/env", "git", "-C", root_.string(), "init", "-q"}).status, 0);
    plant("src/bounds/bound.h", "#pragma once\n#include \"layers/layer.h\"\n#include \"core/view.h\"\n");
  }
  void TearDown() override { fs::remove_all(root_); }

  /// A file that git knows; the licence's line comes first.
  void plant(const std::string& name, const std::string& text, const std::string& first = licence) {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name) << first << text;
    ASSERT_EQ(run_command({"/usr/bin/env", "git", "-C", root_.string(), "add", name}).status, 0);
  }
  Finished lint() const { return run_command({(root_ / "scripts/lint").string()}); }
  /// The line that `text` (the second of the file `name`) makes lint say.
  void expect_fault(const std::string& name, const std::string& text, const std::string& said) {
    plant(name, (name.ends_with("h") ? "#pragma once\n" : "\n") + text + "\n");
    const Finished done = lint();
    EXPECT_EQ(done.status, 1) << text;
    EXPECT_NE(done.out.find(name + ":3: " + said), std::string::npos) << done.out << done.err;
    plant(name, name.ends_with("h") ? "#pragma once\n" : "\n");
  }

  static constexpr const char* licence = "// SPDX-License-Identifier: MIT\n";
  const fs::path root_ = fs::path(testing::TempDir()) / "lint_test";
};

TEST_F(LintTest, GoodFilesHaveNoFault) {
  plant("src/io/file.cpp", "#include <hdf5.h>\n#include \"core/error.h\"\n");
  plant("src/kernels/cpu/product.cpp", "#include <dnnl.hpp>\n#pragma omp simd\n");
  plant("src/kernels/cuda/launch.cuh", "#pragma once\n#include <cub/block/block_reduce.cuh>\n");
  const Finished done = lint();
  EXPECT_EQ(done.status, 0) << done.out << done.err;
  EXPECT_EQ(done.out, "house rules: no fault\n");
}

TEST_F(LintTest, IncludesThatPointUpOrAside) {
  expect_fault("src/linalg/lobpcg.cpp", "#include \"layers/layer.h\"", "#include \"layers/layer.h\"");
  expect_fault("src/core/view.h", "#include \"kernels/kernels.h\"", "#include \"kernels/kernels.h\"");
  expect_fault("src/layers/linear.h", "#include \"linalg/gram.h\"", "#include \"linalg/gram.h\"");
  expect_fault("src/attic/old.h", "#include \"core/view.h\"", "#include \"core/view.h\"");
  expect_fault("tests/reference/matrix.h", "#include \"core/view.h\"", "#include \"core/view.h\"");
}

TEST_F(LintTest, LibrariesInAnotherRoom) {
  expect_fault("src/train/state.cpp", "#include <hdf5.h>", "#include <hdf5.: another room's library");
  expect_fault("src/data/folder.cpp", "#include <png.h>", "#include <png.: another room's library");
  expect_fault("src/io/jpeg.cpp", "#include <turbojpeg.h>", "#include <turbojpeg.: another room's library");
  expect_fault("src/linalg/svd.cpp", "#include <lapacke.h>", "#include <lapacke.: another room's library");
  expect_fault("src/linalg/gram.cpp", "#pragma omp parallel for", "#pragma omp: another room's library");
  expect_fault("src/train/method.cpp", "#include <cublas_v2.h>", "");
  expect_fault("src/train/method.cpp", "cudaMalloc(&block, 4);",
               "cudaMalloc: only src/kernels names vendors'");
}

TEST_F(LintTest, SumsInNoFixedOrder) {
  expect_fault("src/kernels/cuda/sum.cuh", "  atomicAdd(total, x);", "atomicAdd(: sums are taken in a fixed");
}

TEST_F(LintTest, HeadersLicencesAndPaths) {
  expect_fault("scripts/run.py", std::string("folder = '/ho") + "me/somebody/data'",
               std::string("/ho") + "me/somebody: a path of one machine");
  plant("src/core/open.h", "int open();\n");
  EXPECT_NE(lint().out.find("src/core/open.h:1: a header without #pragma once"), std::string::npos);
  plant("src/core/open.h", "#pragma once\n");
  plant("src/core/free.cpp", "int x;\n", "");
  EXPECT_NE(lint().out.find("src/core/free.cpp:1: no SPDX-License-Identifier"), std::string::npos);
}

TEST_F(LintTest, PackagesThatScriptsDepsDoesNotList) {
  plant("scripts/deps", "echo fmt hdf5\n");
  plant("scripts/containers/environment.yml",
        "channels:\n  - conda-forge\ndependencies:\n  - fmt\n  - hdf5=*=mpi*  # parallel\n");
  EXPECT_EQ(lint().out, "house rules: no fault\n");
  plant("scripts/containers/environment.yml", "dependencies:\n  - fmt\n  - zlib\n");
  plant("scripts/containers/Dockerfile", "RUN apt-get -y install libfmt-dev\n");
  const std::string said = lint().out;
  for (const char* fault : {"environment.yml:1: zlib: not among", "environment.yml:1: lacks hdf5",
                            "Dockerfile:2: packages are installed by scripts/deps"})
    EXPECT_NE(said.find(fault), std::string::npos) << said;
}

}  // namespace
}  // namespace ebm::test
