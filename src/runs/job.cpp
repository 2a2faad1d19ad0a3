// SPDX-License-Identifier: MIT
#include "runs/job.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <span>

#include "core/fnv.h"
#include "io/program.h"
#include "parallel/job.h"

namespace ebm {

namespace {

void print_nothing() {
  const int null = open("/dev/null", O_WRONLY);
  if (null < 0) return;
  dup2(null, STDOUT_FILENO);
  close(null);
}

/// Null, and the failure is said, where the ranks do not find each other: no rank can hear of it.
std::unique_ptr<JobRanks> meet(const char* program, const Launcher& started, int& status) {
  try {
    return open_job(started);
  } catch (...) {
    const Failure failure = failure_of(std::current_exception());
    if (started.rank == 0)
      print_failure(program, failure);
    else
      let_the_first_speak();
    status = failure.status;
    return nullptr;
  }
}

}  // namespace

int run_job(const char* program, const std::function<int(HostRanks*)>& body) {
  const Launcher started = launcher();
  if (started.size == 1) return run_program(program, [&body] { return body(nullptr); });
  begin_program();
  if (started.rank > 0) print_nothing();
  int status = 0;
  const std::unique_ptr<JobRanks> ranks = meet(program, started, status);
  if (ranks == nullptr) return status;
  try {
    status = body(ranks.get());
    if (status == 0) finish_stdout();
    std::fflush(stdout);
    ranks->finish();
    return status;
  } catch (...) {
    const Failure of_job = ranks->fail(failure_of(std::current_exception()));
    std::fflush(stdout);
    if (!of_job.message.empty()) print_failure(program, of_job);
    ranks->leave(of_job.status);
    std::fflush(nullptr);
    _exit(of_job.status);  // no destructor runs beside a call of NCCL's that was left in a thread
  }
}

void require_same(Communicator& ranks, const std::string& text) {
  constexpr int64_t digits = 16;
  const std::string own = fnv1a({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
  std::string first = own;
  ranks.broadcast(first.data(), digits);
  if (first == own) return;
  throw Error(
      "this process has other options than the first one; give all the same command, configuration file and "
      "run folder");
}

}  // namespace ebm
