// SPDX-License-Identifier: MIT
// A program that was built for another CPU says so, where it would end by "Illegal instruction".
//
// The Makefile compiles this file alone for every CPU of x86-64, with the features that all others are
// compiled for in EBM_BUILT_WITH, and links it into each program. .preinit_array runs before the initialisers
// of the program and of its libraries.
#include "core/cpu_features.h"

#if defined(__x86_64__)
#include <unistd.h>

namespace ebm {
namespace {

const char* name_of_program(char** argv) {
  if (argv == nullptr || argv[0] == nullptr) return "the program";
  const char* name = argv[0];
  for (const char* at = argv[0]; *at != '\0'; ++at) {
    if (*at == '/') name = at + 1;
  }
  return name;
}

void require_cpu(int, char** argv, char**) {
  CpuLine line{};
  append(line, name_of_program(argv));
  append(line, ": it was built for a CPU with ");
  if (!append_missing(line, EBM_BUILT_WITH, ask_cpu())) return;
  append(
      line,
      ", which this one lacks; build it on this machine, or for others with make ARCH=x86-64 (every CPU) or "
      "make dist (those with AVX2)\n");
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, line.text, line.size);
  _exit(1);
}

[[gnu::section(".preinit_array"), gnu::used]] void (*at_start)(int, char**, char**) = require_cpu;

}  // namespace
}  // namespace ebm

#endif
