// SPDX-License-Identifier: MIT
// Under AddressSanitizer: the HDF5 library leaks a little when it meets a damaged file or a full disk, which
// the tests of src/io give it by the thousand. Leaks that do not go through it are still reported.

extern "C" const char* __lsan_default_suppressions() {
  return "leak:libhdf5\n";
}
