// SPDX-License-Identifier: MIT
// What a CPU of x86-64 can do, and what of it a program was built for.
//
// All of this is static and uses no library: the copy in cpu_check.cpp must be of instructions that every CPU
// has, and a linker would put another file's copy of a shared function in its place.
#pragma once
#if defined(__x86_64__)

#include <cpuid.h>

#include <cstddef>
#include <cstdint>

namespace ebm {

/// Where cpuid tells of features (Intel's manual, volume 2A, CPUID), and in which registers.
enum CpuWord { leaf1_ecx, leaf7_ebx, leaf7_ecx, leaf7_edx, leaf7_1_eax, extended1_ecx, cpu_words };

struct CpuAnswers {
  uint32_t words[cpu_words];
  uint32_t saved;  ///< XCR0: the registers that the operating system keeps for each thread
};

/// A feature whose instructions a compiler uses by itself, by the name of its macro (__AVX2__).
struct CpuFeature {
  const char* name;
  CpuWord word;
  int bit;
  uint32_t saved;  ///< the bits of XCR0 that it needs
};

static constexpr uint32_t ymm = 0x6, zmm = 0xE6;
static constexpr CpuFeature cpu_features[] = {{"SSE3", leaf1_ecx, 0, 0},
                                              {"SSSE3", leaf1_ecx, 9, 0},
                                              {"SSE4_1", leaf1_ecx, 19, 0},
                                              {"SSE4_2", leaf1_ecx, 20, 0},
                                              {"SSE4A", extended1_ecx, 6, 0},
                                              {"POPCNT", leaf1_ecx, 23, 0},
                                              {"LZCNT", extended1_ecx, 5, 0},
                                              {"MOVBE", leaf1_ecx, 22, 0},
                                              {"BMI", leaf7_ebx, 3, 0},
                                              {"BMI2", leaf7_ebx, 8, 0},
                                              {"TBM", extended1_ecx, 21, 0},
                                              {"GFNI", leaf7_ecx, 8, 0},
                                              {"AVX", leaf1_ecx, 28, ymm},
                                              {"F16C", leaf1_ecx, 29, ymm},
                                              {"FMA", leaf1_ecx, 12, ymm},
                                              {"FMA4", extended1_ecx, 16, ymm},
                                              {"XOP", extended1_ecx, 11, ymm},
                                              {"AVX2", leaf7_ebx, 5, ymm},
                                              {"AVXVNNI", leaf7_1_eax, 4, ymm},
                                              {"AVX512F", leaf7_ebx, 16, zmm},
                                              {"AVX512DQ", leaf7_ebx, 17, zmm},
                                              {"AVX512IFMA", leaf7_ebx, 21, zmm},
                                              {"AVX512CD", leaf7_ebx, 28, zmm},
                                              {"AVX512BW", leaf7_ebx, 30, zmm},
                                              {"AVX512VL", leaf7_ebx, 31, zmm},
                                              {"AVX512VBMI", leaf7_ecx, 1, zmm},
                                              {"AVX512VBMI2", leaf7_ecx, 6, zmm},
                                              {"AVX512VNNI", leaf7_ecx, 11, zmm},
                                              {"AVX512BITALG", leaf7_ecx, 12, zmm},
                                              {"AVX512VPOPCNTDQ", leaf7_ecx, 14, zmm},
                                              {"AVX512FP16", leaf7_edx, 23, zmm},
                                              {"AVX512BF16", leaf7_1_eax, 5, zmm}};

/// Asks the CPU at hand.
[[maybe_unused]] static CpuAnswers ask_cpu() {
  CpuAnswers cpu{};
  uint32_t eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid(1, &eax, &ebx, &ecx, &edx) != 0) cpu.words[leaf1_ecx] = ecx;
  constexpr uint32_t osxsave = 1U << 27;
  if ((ecx & osxsave) != 0) {
    uint32_t high = 0;
    asm("xgetbv" : "=a"(cpu.saved), "=d"(high) : "c"(0));
  }
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) != 0) {
    const uint32_t last = eax;
    cpu.words[leaf7_ebx] = ebx;
    cpu.words[leaf7_ecx] = ecx;
    cpu.words[leaf7_edx] = edx;
    if (last >= 1 && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0) cpu.words[leaf7_1_eax] = eax;
  }
  if (__get_cpuid(0x80000001, &eax, &ebx, &ecx, &edx) != 0) cpu.words[extended1_ecx] = ecx;
  return cpu;
}

[[maybe_unused]] static bool has_feature(const CpuAnswers& cpu, const CpuFeature& feature) {
  return (cpu.words[feature.word] >> feature.bit & 1) != 0 && (cpu.saved & feature.saved) == feature.saved;
}

/// Whether `word` is among the words of `text`, which blanks separate.
[[maybe_unused]] static bool is_word_of(const char* text, const char* word) {
  for (const char* at = text; *at != '\0';) {
    const char* w = word;
    while (*w != '\0' && *at == *w) ++at, ++w;
    if (*w == '\0' && (*at == ' ' || *at == '\0')) return true;
    while (*at != '\0' && *at != ' ') ++at;
    while (*at == ' ') ++at;
  }
  return false;
}

/// A line of text that is put together.
struct CpuLine {
  char text[1024];
  size_t size;
};
[[maybe_unused]] static void append(CpuLine& line, const char* text) {
  for (; *text != '\0' && line.size < sizeof line.text; ++text) line.text[line.size++] = *text;
}

/// Appends the features named in `built_with` ("AVX AVX2 ...") that this CPU lacks, "AVX, AVX2"; false if
/// none.
[[maybe_unused]] static bool append_missing(CpuLine& line, const char* built_with, const CpuAnswers& cpu) {
  bool any = false;
  for (const CpuFeature& feature : cpu_features) {
    if (!is_word_of(built_with, feature.name) || has_feature(cpu, feature)) continue;
    if (any) append(line, ", ");
    append(line, feature.name);
    any = true;
  }
  return any;
}

}  // namespace ebm

#endif
