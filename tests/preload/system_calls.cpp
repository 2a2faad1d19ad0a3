// SPDX-License-Identifier: MIT
// A library for LD_PRELOAD that stands before the system calls of a program under test
// (tests/support/system_calls.h). By the environment:
//   EBM_TEST_CALLS=FILE                     writes down there what is written, synced, renamed and removed
//   EBM_TEST_FLOCK_ERROR=N                  flock fails with this errno, as on a file system without locks
//   EBM_TEST_READ_ERROR=N, EBM_TEST_READ_ERROR_IN=TEXT   reading fails so from files with TEXT in their paths
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

/// The function of this name that the program would call without this library.
template <class Function>
Function* original(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

int number_in(const char* variable) {
  const char* text = std::getenv(variable);
  return text == nullptr ? 0 : std::atoi(text);
}

struct Path {
  char text[4096] = "";
};

Path path_of(int descriptor) {
  char link[64];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  Path path;
  const ssize_t length = readlink(link, path.text, sizeof path.text - 1);
  path.text[length < 0 ? 0 : length] = '\0';
  return path;
}

/// One line, `call`, `path` and `target` with tabs between them. errno stays what it was.
void write_down(const char* call, const char* path, const char* target = "") {
  const int before = errno;
  // A number that no test of descriptors looks at, and the system's own calls, which are not written down.
  static const int file = [] {
    const char* name = std::getenv("EBM_TEST_CALLS");
    if (name == nullptr) return -1;
    const auto opened = static_cast<int>(
        syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
    const int kept = fcntl(opened, F_DUPFD_CLOEXEC, 200);
    syscall(SYS_close, opened);
    return kept;
  }();
  char line[3 * 4096];
  const int length = std::snprintf(line, sizeof line, "%s\t%s\t%s\n", call, path, target);
  if (file >= 0 && syscall(SYS_write, file, line, length) != length) std::abort();
  errno = before;
}

template <class Result>
Result written(int descriptor, Result result) {
  if (result >= 0) write_down("write", path_of(descriptor).text);
  return result;
}

/// Whether reading from this descriptor is to fail, with errno set.
bool refused(int descriptor) {
  static const int code = number_in("EBM_TEST_READ_ERROR");
  static const char* const text = std::getenv("EBM_TEST_READ_ERROR_IN");
  if (code == 0 || text == nullptr || std::strstr(path_of(descriptor).text, text) == nullptr) return false;
  errno = code;
  return true;
}

}  // namespace

extern "C" {

int flock(int descriptor, int operation) noexcept {
  static const int code = number_in("EBM_TEST_FLOCK_ERROR");
  if (code == 0) return original<int(int, int)>("flock")(descriptor, operation);
  errno = code;
  return -1;
}

ssize_t read(int descriptor, void* to, size_t size) {
  return refused(descriptor) ? -1 : original<ssize_t(int, void*, size_t)>("read")(descriptor, to, size);
}
ssize_t pread(int descriptor, void* to, size_t size, off_t offset) {
  using Function = ssize_t(int, void*, size_t, off_t);
  return refused(descriptor) ? -1 : original<Function>("pread")(descriptor, to, size, offset);
}
ssize_t pread64(int descriptor, void* to, size_t size, off64_t offset) {
  return pread(descriptor, to, size, offset);
}

ssize_t write(int descriptor, const void* from, size_t size) {
  return written(descriptor, original<ssize_t(int, const void*, size_t)>("write")(descriptor, from, size));
}
ssize_t pwrite(int descriptor, const void* from, size_t size, off_t offset) {
  using Function = ssize_t(int, const void*, size_t, off_t);
  return written(descriptor, original<Function>("pwrite")(descriptor, from, size, offset));
}
ssize_t pwrite64(int descriptor, const void* from, size_t size, off64_t offset) {
  return pwrite(descriptor, from, size, offset);
}
ssize_t writev(int descriptor, const iovec* parts, int count) {
  return written(descriptor, original<ssize_t(int, const iovec*, int)>("writev")(descriptor, parts, count));
}
int ftruncate(int descriptor, off_t size) noexcept {
  return written(descriptor, original<int(int, off_t)>("ftruncate")(descriptor, size));
}
int ftruncate64(int descriptor, off64_t size) noexcept {
  return ftruncate(descriptor, size);
}

int fsync(int descriptor) {
  const int result = original<int(int)>("fsync")(descriptor);
  if (result == 0) write_down("sync", path_of(descriptor).text);
  return result;
}
int rename(const char* from, const char* to) noexcept {
  const int result = original<int(const char*, const char*)>("rename")(from, to);
  if (result == 0) write_down("rename", from, to);
  return result;
}
int remove(const char* path) noexcept {
  const int result = original<int(const char*)>("remove")(path);
  if (result == 0) write_down("remove", path);
  return result;
}
int unlink(const char* path) noexcept {
  const int result = original<int(const char*)>("unlink")(path);
  if (result == 0) write_down("remove", path);
  return result;
}

}  // extern "C"
