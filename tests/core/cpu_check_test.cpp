// SPDX-License-Identifier: MIT
#include <gtest/gtest.h>

#include <map>

#include "core/cpu_features.h"
#include "support/process.h"

#if defined(__x86_64__)
#include <fstream>
#include <set>
#include <sstream>
#include <string>

extern "C" {
// Of this program, by the linker.
extern void (*__preinit_array_start[])();
extern void (*__preinit_array_end[])();
}

namespace ebm::test {
namespace {

std::string missing(const char* built_with, const CpuAnswers& cpu) {
  CpuLine line{};
  const bool any = append_missing(line, built_with, cpu);
  EXPECT_EQ(any, line.size > 0);
  return {line.text, line.size};
}

// What Linux calls the features in /proc/cpuinfo.
const std::map<std::string, std::string> names_of_linux{{"SSE3", "pni"},
                                                        {"LZCNT", "abm"},
                                                        {"BMI", "bmi1"},
                                                        {"AVXVNNI", "avx_vnni"},
                                                        {"AVX512VBMI2", "avx512_vbmi2"},
                                                        {"AVX512VNNI", "avx512_vnni"},
                                                        {"AVX512BITALG", "avx512_bitalg"},
                                                        {"AVX512VPOPCNTDQ", "avx512_vpopcntdq"},
                                                        {"AVX512FP16", "avx512_fp16"},
                                                        {"AVX512BF16", "avx512_bf16"}};

TEST(CpuCheckTest, ThisCpuHasWhatLinuxSays) {
  std::set<std::string> flags;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; flags.empty() && std::getline(file, line);) {
    std::istringstream words(line);
    std::string word;
    if (words >> word && word == "flags") {
      while (words >> word) flags.insert(word);
    }
  }
  ASSERT_TRUE(flags.contains("sse2")) << "no flags in /proc/cpuinfo";
  const CpuAnswers cpu = ask_cpu();
  for (const CpuFeature& feature : cpu_features) {
    std::string name = feature.name;
    for (char& c : name) c = static_cast<char>(std::tolower(c));
    if (const auto found = names_of_linux.find(feature.name); found != names_of_linux.end())
      name = found->second;
    EXPECT_EQ(has_feature(cpu, feature), flags.contains(name)) << feature.name;
  }
}

TEST(CpuCheckTest, WhatAnOlderCpuLacksIsNamed) {
  const CpuAnswers core_i7_920{.words = {0x0098E3FD}, .saved = 0};
  EXPECT_EQ(missing("SSE3 SSSE3 SSE4_1 SSE4_2 POPCNT", core_i7_920), "");
  EXPECT_EQ(missing("AVX AVX2 BMI BMI2 FMA LZCNT MOVBE POPCNT", core_i7_920),
            "LZCNT, MOVBE, BMI, BMI2, AVX, FMA, AVX2");
  EXPECT_EQ(missing("AVX2", core_i7_920), "AVX2") << "AVX is a feature of its own";
  EXPECT_EQ(missing("", core_i7_920), "");
  EXPECT_EQ(missing("AVX512PF LP64 SSE2_MATH", core_i7_920), "")
      << "no feature that a compiler uses by itself";
}

TEST(CpuCheckTest, RegistersMustBeSavedByTheSystem) {
  CpuAnswers cpu{.words = {0x7FFEFBFF, 0xF1BF07AB}, .saved = 0xE7};
  EXPECT_EQ(missing("SSE4_2 AVX FMA AVX2 AVX512F", cpu), "");
  cpu.saved = 0x7;
  EXPECT_EQ(missing("SSE4_2 AVX FMA AVX2 AVX512F", cpu), "AVX512F");
  cpu.saved = 0x3;
  EXPECT_EQ(missing("SSE4_2 AVX FMA AVX2 AVX512F", cpu), "AVX, FMA, AVX2, AVX512F");
}

TEST(CpuCheckTest, AProgramForAnotherCpuSaysSoBeforeItsFirstInstruction) {
  const std::string program = program_path("other_cpu");
  if (program.empty()) GTEST_SKIP() << "there is no other_cpu beside the tests";
  const Finished ended = run_command({program, "--help"});
  expect_refused("other_cpu", ended, 1, "it was built for a CPU with ");
  EXPECT_NE(ended.err.find("make ARCH=x86-64 "), std::string::npos) << ended.err;
  EXPECT_NE(ended.err.find("make dist"), std::string::npos) << ended.err;
}

TEST(CpuCheckTest, ProgramsAreLinkedWithIt) {
  EXPECT_EQ(__preinit_array_end - __preinit_array_start, 1);
}

}  // namespace
}  // namespace ebm::test

#endif
