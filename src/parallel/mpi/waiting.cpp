// SPDX-License-Identifier: MIT
#include "parallel/mpi/waiting.h"

#include <cstring>

#include "core/waiting.h"

namespace ebm::mpi {

namespace {

constexpr int failure_tag = 1;
constexpr size_t longest_message = 3000;  // sent at once, whoever listens

bool is_done(MPI_Request& request) {
  int done = 0;
  check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  return done != 0;
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

void FailureChannel::listen() {
  if (heard()) throw Error(heard()->message);
}

bool done_within(MPI_Request& request, double seconds) {
  const Waiting waiting;
  while (!is_done(request)) {
    if (waiting.seconds() > seconds) return false;
    waiting.rest();
  }
  return true;
}

void await(MPI_Request& request, const char* call, double seconds, FailureChannel& failures) {
  Waiting waiting;
  while (!is_done(request)) {
    waiting.rest();
    if (!waiting.is_time_to_look()) continue;
    failures.listen();
    if (waiting.seconds() > seconds) throw no_answer(seconds, call);
  }
}

}  // namespace ebm::mpi
