// SPDX-License-Identifier: MIT
// A program for a CPU that there is not (the Makefile says which): its first own instruction is one that no
// CPU executes, in an initialiser. src/core/cpu_check.cpp must end it before.

namespace {

int initialise() {
  __builtin_trap();
}
[[maybe_unused]] const int first = initialise();

}  // namespace

int main() {
  return 0;
}
