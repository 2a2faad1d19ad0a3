// SPDX-License-Identifier: MIT
// Leaks of other people's libraries, which AddressSanitizer is not to report; those that do not go through
// them still are.

extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5\n"          // a little at each damaged file or full disk
         "leak:cublasLtCreate\n";  // each engine that cuDNN considers makes a handle
}

// What was left out is not listed either: programs under test write to stderr what the tests expect.
extern "C" const char* __lsan_default_options() {
  return "print_suppressions=0";
}

#ifdef __SANITIZE_ADDRESS__
// A library that another one closes (cuDNN does) takes along the pointers to what it leaves behind, and its
// name. None is closed.
extern "C" int dlclose(void*) {
  return 0;
}
#endif
