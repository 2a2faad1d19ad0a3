// SPDX-License-Identifier: MIT
#include "io/program.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <new>
#include <string>
#include <system_error>

#include "core/error.h"

namespace ebm {
namespace {

/// A file opened later would take the number of a standard stream that was closed at the start, and what is
/// printed would go into it.
void fill_standard_descriptors() {
  for (const int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(number, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest free number, which is this one. A folder can be neither read nor written.
    if (open("/dev/null", O_RDWR) < 0 && open("/", O_RDONLY | O_DIRECTORY) < 0) _exit(1);
  }
}

/// Whether whoever read stdout has gone away, and so wants no more.
bool nobody_reads_stdout() {
  pollfd entry{.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&entry, 1, 0) == 1 && (entry.revents & (POLLERR | POLLHUP)) != 0;
}

/// Throws Error when something that was printed on stdout is lost.
void finish_stdout() {
  const bool flushed = std::fflush(stdout) == 0;
  const int code = errno;
  if ((flushed && std::ferror(stdout) == 0) || nobody_reads_stdout()) return;
  const std::string reason = flushed ? "an earlier write failed" : std::generic_category().message(code);
  throw Error("cannot print to stdout: " + reason + "; free some space there, or send it elsewhere");
}

}  // namespace

int run_program(const char* program, const std::function<int()>& body) {
  fill_standard_descriptors();
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
  try {
    const int status = body();
    if (status == 0) finish_stdout();
    return status;
  } catch (const Error& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
    return error.exit_status();
  } catch (const std::bad_alloc&) {
    std::fprintf(stderr, "%s: there is not enough memory; use a smaller batch, network or grid\n", program);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", program, error.what());
  }
  return 1;
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

}  // namespace ebm
