// SPDX-License-Identifier: MIT
#include "parallel/mpi/waiting.h"

#include <sched.h>
#include <unistd.h>

#include <chrono>
#include <cstring>

namespace ebm::mpi {

namespace {

constexpr int failure_tag = 1;
constexpr size_t longest_message = 3000;  // sent at once, whoever listens

class Clock {
 public:
  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Lets others compute while this thread polls. It sleeps only when it has waited long: messages move on while they are
/// polled for.
void rest(double waited) {
  constexpr double long_wait = 2;
  constexpr useconds_t nap = 200;
  if (waited > long_wait)
    usleep(nap);
  else
    sched_yield();
}

bool is_done(MPI_Request& request) {
  int done = 0;
  check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
}

std::string seconds_text(double seconds) {
  std::string text = std::to_string(seconds);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

void check(int code, const char* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING] = "";
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw Error(std::string(call) + " failed: " + text);
}

FailureChannel::FailureChannel() {
  check(MPI_Comm_dup(MPI_COMM_WORLD, &communicator_), "MPI_Comm_dup");
  check(MPI_Comm_set_errhandler(communicator_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(communicator_, &rank_), "MPI_Comm_rank");
  check(MPI_Comm_size(communicator_, &size_), "MPI_Comm_size");
}

void FailureChannel::tell(const Failure& failure) {
  if (told_) return;
  told_ = true;
  const std::string message = failure.message.substr(0, longest_message);
  sent_ = std::string(reinterpret_cast<const char*>(&failure.status), sizeof failure.status) + message;
  for (int rank = 0; rank < size_; ++rank) {
    if (rank == rank_) continue;
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Isend(sent_.data(), static_cast<int>(sent_.size()), MPI_BYTE, rank, failure_tag, communicator_,
                    &request),
          "MPI_Isend");
    check(MPI_Request_free(&request), "MPI_Request_free");
  }
}

const std::optional<Failure>& FailureChannel::heard() {
  if (heard_) return heard_;
  int there = 0;
  MPI_Status status;
  check(MPI_Iprobe(MPI_ANY_SOURCE, failure_tag, communicator_, &there, &status), "MPI_Iprobe");
  if (there == 0) return heard_;
  std::string bytes(longest_message + sizeof(Failure::status), '\0');
  check(MPI_Recv(bytes.data(), static_cast<int>(bytes.size()), MPI_BYTE, status.MPI_SOURCE, failure_tag,
                 communicator_, &status),
        "MPI_Recv");
  int count = 0;
  check(MPI_Get_count(&status, MPI_BYTE, &count), "MPI_Get_count");
  bytes.resize(static_cast<size_t>(count));
  Failure failure;
  std::memcpy(&failure.status, bytes.data(), sizeof failure.status);
  failure.message = bytes.substr(sizeof failure.status);
  heard_ = failure;
  return heard_;
}

bool done_within(MPI_Request& request, double seconds) {
  const Clock clock;
  while (!is_done(request)) {
    if (clock.seconds() > seconds) return false;
    rest(clock.seconds());
  }
  return true;
}

void await(MPI_Request& request, const char* call, double seconds, FailureChannel& failures) {
  constexpr int64_t between = 64;  // polls of the request for one of the failures and the clock
  const Clock clock;
  for (int64_t polls = 0; !is_done(request); ++polls) {
    rest(clock.seconds());
    if (polls % between != 0) continue;
    if (failures.heard()) throw Error(failures.heard()->message);
    if (clock.seconds() > seconds)
      throw Error("the other processes did not answer for " + seconds_text(seconds) + " s (" + call +
                  "): one of them hangs, or is slower than that; EBM_RANK_TIMEOUT names the seconds");
  }
}

}  // namespace ebm::mpi
