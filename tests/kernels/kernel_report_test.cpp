// SPDX-License-Identifier: MIT
// What nvcc made of the kernels (scripts/kernel_report): no spill, and 16 bytes at once where four elements
// are taken. The report itself must see each of these faults in files that have it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/files.h"
#include "support/process.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

fs::path report_program() {
  const fs::path path = golden_folder() / "../../scripts/kernel_report";
  return fs::exists(path) ? path : fs::path();
}

Finished check(const fs::path& folder) {
  return run_command({report_program().string(), "--check", folder.string()});
}

TEST(KernelReport, BuiltKernelsSpillNothingAndReadFourAtOnce) {
  const fs::path objects = program_folder() / "../obj/src/kernels/cuda";
  if (report_program().empty()) GTEST_SKIP() << "scripts/kernel_report is not here";
  if (!fs::exists(objects / "formulas.cu.ptxas")) {
    GTEST_SKIP() << "this build has no CUDA kernels (nvcc 12 or later makes them)";
  }
  const Finished report = check(objects);
  EXPECT_EQ(report.status, 0) << report.out << report.err;
}

/// The files that a build would leave of one kernel.
class PlantedKernel : public testing::Test {
 protected:
  static constexpr const char* four_at_once =
      "_ZN3ebm4cuda15elements_kernelINS_10NeighboursIfEENS_7AddBiasEEEvT0_";
  static constexpr const char* small_team = "_ZN3ebm4cuda11team_kernelILi32ENS_8TotalSumEEEvT0_";
  static constexpr const char* wide_access =
      "\tld.global.v4.f32 \t{%f1, %f2, %f3, %f4}, [%rd1];\n\tst.global.v4.f32 \t[%rd1], {%f1, %f2, %f3, "
      "%f4};\n";

  void SetUp() override {
    if (report_program().empty()) GTEST_SKIP() << "scripts/kernel_report is not here";
    folder_ = fs::path(testing::TempDir()) / "kernel_report";
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "formulas.cu.kept");
  }
  void plant(const std::string& symbol, const std::string& body, int spilled) {
    std::ofstream(folder_ / "formulas.cu.ptxas")
        << "ptxas info    : Compiling entry function '" << symbol << "' for 'sm_90'\n"
        << "ptxas info    : Function properties for " << symbol << "\n    " << spilled
        << " bytes stack frame, " << spilled << " bytes spill stores, " << spilled << " bytes spill loads\n"
        << "ptxas info    : Used 32 registers, used 0 barriers\n";
    std::ofstream(folder_ / "formulas.cu.kept/formulas.ptx")
        << ".version 9.0\n.target sm_90\n.weak .entry " << symbol
        << "(\n\t.param .b64 f\n)\n.maxntid 256, 1, 1\n{\n"
        << body << "\tret;\n}\n";
  }
  void expect_fault(const std::string& of_kernel, const std::string& fault) const {
    const Finished report = check(folder_);
    EXPECT_EQ(report.status, 1);
    EXPECT_NE(report.out.find(of_kernel + " (sm_90): " + fault), std::string::npos)
        << report.out << report.err;
  }

  fs::path folder_;
};

TEST_F(PlantedKernel, GoodOnesPass) {
  plant(four_at_once, wide_access, 0);
  EXPECT_EQ(check(folder_).status, 0) << check(folder_).out;
  plant(small_team, "\tld.global.f32 \t%f1, [%rd1];\n", 0);
  EXPECT_EQ(check(folder_).status, 0) << check(folder_).out;
}

TEST_F(PlantedKernel, ASpillIsSeen) {
  plant(small_team, "", 8);
  expect_fault("TotalSum, teams, 32 threads", "spills 16 bytes");
}

TEST_F(PlantedKernel, ASpillInAFunctionOfTheCompilerIsSeen) {
  plant(small_team, "", 0);
  std::ofstream(folder_ / "formulas.cu.ptxas", std::ios::app)
      << "ptxas warning : Registers are spilled to local memory in function '__cuda_sm20_div_rn_f64_full', "
         "12 "
         "bytes spill stores, 12 bytes spill loads\n";
  const Finished report = check(folder_);
  EXPECT_EQ(report.status, 1);
  EXPECT_NE(report.out.find("__cuda_sm20_div_rn_f64_full spills"), std::string::npos) << report.out;
}

TEST_F(PlantedKernel, NarrowAccessesAreSeen) {
  plant(four_at_once, "\tld.global.v2.f32 \t{%f1, %f2}, [%rd1];\n\tst.global.f32 \t[%rd1], %f1;\n", 0);
  expect_fault("AddBias, elements, 16 bytes at once", "reads nothing in 16 bytes at once");
  expect_fault("AddBias, elements, 16 bytes at once", "writes nothing in 16 bytes at once");
  plant(four_at_once, std::string(wide_access) + "\tst.global.f32 \t[%rd1], %f1;\n", 0);
  expect_fault("AddBias, elements, 16 bytes at once", "has 1 stores of less than 16 bytes");
}

TEST_F(PlantedKernel, MissingFilesAreSeen) {
  EXPECT_EQ(check(folder_).status, 1);
  plant(four_at_once, wide_access, 0);
  fs::remove(folder_ / "formulas.cu.ptxas");
  expect_fault("AddBias, elements, 16 bytes at once", "no .ptxas file speaks of it");
}

}  // namespace
}  // namespace ebm::test
