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

#include "core/launcher.h"

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

}  // namespace

void finish_stdout() {
  const bool flushed = std::fflush(stdout) == 0;
  const int code = errno;
  if ((flushed && std::ferror(stdout) == 0) || nobody_reads_stdout()) return;
  const std::string reason = flushed ? "an earlier write failed" : std::generic_category().message(code);
  throw Error("cannot print to stdout: " + reason + "; free some space there, or send it elsewhere");
}

void begin_program() {
  fill_standard_descriptors();
  for (const int signal : {SIGPIPE, SIGXFSZ}) std::signal(signal, SIG_IGN);
}

Failure failure_of(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const Error& error) {
    return {.status = error.exit_status(), .message = error.what()};
  } catch (const std::bad_alloc&) {
    return {.message = "there is not enough memory; use a smaller batch, network or grid"};
  } catch (const std::exception& error) {
    return {.message = error.what()};
  }
}

void print_failure(const char* program, const Failure& failure) {
  std::fprintf(stderr, "%s: %s\n", program, failure.message.c_str());
}

void let_the_first_speak() {
  sleep(1);
}

int run_program(const char* program, const std::function<int()>& body) {
  begin_program();
  try {
    if (const Launcher started = launcher(); started.size > 1) {
      if (started.rank > 0) {
        let_the_first_speak();
        return 2;
      }
      throw UsageError("runs as one process, but " + started.name + " started " +
                       std::to_string(started.size) + "; start it without " + started.name);
    }
    const int status = body();
    if (status == 0) finish_stdout();
    return status;
  } catch (...) {
    const Failure failure = failure_of(std::current_exception());
    print_failure(program, failure);
    return failure.status;
  }
}

void print(const std::string& text) {
  std::fputs(text.c_str(), stdout);
}

}  // namespace ebm
