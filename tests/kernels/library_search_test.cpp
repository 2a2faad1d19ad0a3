// SPDX-License-Identifier: MIT
// Libraries that the loader does not find lie in CUDA's usual folders or in those of Python's packages.
#include "kernels/library_search.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "../io/io_fixture.h"
#include "support/environment.h"
#include "support/process.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

class LibrarySearchTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (run_command({"/bin/sh", "-c", "command -v g++"}).status != 0) GTEST_SKIP() << "there is no g++";
  }
  /// libNAME.so in `folder`, whose function NAME gives 7, or what the library `needed` (built before) gives.
  /// No library says where another lies.
  fs::path build(const std::string& name, const fs::path& folder, const std::string& needed = "") {
    fs::create_directories(folder);
    const fs::path source = *this / (name + ".cpp"), library = folder / ("lib" + name + ".so");
    std::ofstream(source) << (needed.empty() ? "" : "extern \"C\" int " + needed + "();\n")
                          << "extern \"C\" int " << name << "() { return "
                          << (needed.empty() ? "7" : needed + "()") << "; }\n";
    const std::string flags = needed.empty() ? "" : " -L'" + (*this / "built").string() + "' -l" + needed;
    const Finished made = run_command({"/bin/sh", "-c",
                                       "g++ -shared -fPIC '" + source.string() + "' -o '" + library.string() +
                                           "' -Wl,-soname,lib" + name + ".so" + flags});
    EXPECT_EQ(made.status, 0) << made.err;
    fs::create_directories(*this / "built");
    fs::copy_file(library, *this / ("built/lib" + name + ".so"), fs::copy_options::overwrite_existing);
    return library;
  }
  static int call(const OpenedLibrary& library, const std::string& name) {
    EXPECT_NE(library.handle, nullptr) << library.reason;
    if (library.handle == nullptr) return -1;
    const auto function = reinterpret_cast<int (*)()>(dlsym(library.handle, name.c_str()));
    return function != nullptr ? function() : -2;
  }
};

TEST_F(LibrarySearchTest, WhatALibraryNeedsIsInTheToolkitsFolder) {
  build("ebm_search_a", *this / "cuda/lib64");
  build("ebm_search_b", *this / "cuda/lib64", "ebm_search_a");
  const fs::path c = build("ebm_search_c", *this / "here", "ebm_search_b");
  EXPECT_EQ(open_library(c.string()).handle, nullptr);
  EXPECT_HAS(open_library(c.string()).reason, "libebm_search_b.so");
  const Environment home("CUDA_HOME", (*this / "cuda").string());
  EXPECT_EQ(call(open_library(c.string()), "ebm_search_c"), 7);
}

TEST_F(LibrarySearchTest, ANameIsFoundInTheWheelsOfAVirtualEnvironment) {
  build("ebm_search_d", *this / "venv/lib/python3.11/site-packages/nvidia/cudnn/lib");
  EXPECT_EQ(open_library("libebm_search_d.so").handle, nullptr);
  const Environment venv("VIRTUAL_ENV", (*this / "venv").string());
  EXPECT_EQ(call(open_library("libebm_search_d.so"), "ebm_search_d"), 7);
}

TEST_F(LibrarySearchTest, OrBesideThePythonOnThePath) {
  build("ebm_search_e", *this / "python/lib/python3.12/site-packages/nvidia/cu13/lib");
  fs::create_directories(*this / "python/bin");
  std::ofstream(*this / "python/bin/python3") << "#!/bin/sh\n";
  const Environment path("PATH", (*this / "python/bin").string() + ":" + std::getenv("PATH"));
  EXPECT_EQ(call(open_library("libebm_search_e.so"), "ebm_search_e"), 7);
}

/// Of NCCL alone, and before one that the loader finds or has open by that name.
TEST_F(LibrarySearchTest, NcclIsTakenFromItsOwnHomeFirst) {
  const fs::path mine = *this / "nccl/lib" / collective_library, other = *this / "other" / collective_library;
  fs::rename(build("ebm_search_f", *this / "nccl/lib"), mine);
  fs::rename(build("ebm_search_g", *this / "other"), other);
  ASSERT_NE(open_library(other.string()).handle, nullptr);
  build("ebm_search_h", *this / "nccl/lib");
  const Environment home("NCCL_HOME", (*this / "nccl").string());
  EXPECT_EQ(call(open_library(collective_library), "ebm_search_f"), 7);
  EXPECT_EQ(open_library("libebm_search_h.so").handle, nullptr);
  const Environment none("NCCL_HOME", (*this / "none").string());
  const OpenedLibrary found = open_library(collective_library);
  if (found.handle == nullptr) EXPECT_HAS(found.reason, "none/lib64/libnccl.so.2");
}

TEST_F(LibrarySearchTest, TheLoadersOwnPlacesComeFirst) {
  build("m", *this / "cuda/lib64");  // a libm.so of another kind
  const Environment home("CUDA_HOME", (*this / "cuda").string());
  const OpenedLibrary found = open_library("libm.so.6");
  ASSERT_NE(found.handle, nullptr) << found.reason;
  EXPECT_NE(dlsym(found.handle, "sin"), nullptr);
}

TEST_F(LibrarySearchTest, OpenedOnesAreListed) {
  const fs::path library = build("cublas_made_up", *this / "cuda/lib64");
  ASSERT_NE(open_library(library.string()).handle, nullptr);
  const std::vector<std::string> opened = opened_cuda_libraries();
  EXPECT_NE(std::find(opened.begin(), opened.end(), library.string()), opened.end());
  for (const std::string& file : opened) EXPECT_EQ(file.find("libc.so"), std::string::npos);
}

}  // namespace
}  // namespace ebm::test
