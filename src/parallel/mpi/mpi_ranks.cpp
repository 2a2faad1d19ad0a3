// SPDX-License-Identifier: MIT
// The Communicator of processes on host memory, over MPI: libebm_mpi.so.
//
// A call waits for the other ranks: host memory has no queue. All goes through staging memory of this class, which
// lives as long as the process: a rank that gives up leaves the call unfinished, and its arrays go. The memory grows in
// the first iteration. Sums are not MPI's, whose order hangs on its version and on the message's size: each rank sums a
// part in the order of the ranks, and all get all parts.
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/library_door.h"
#include "parallel/mpi/interface.h"
#include "parallel/mpi/waiting.h"
#include "parallel/rank_sum.h"

namespace ebm::mpi {

namespace {

int count_of_mpi(int64_t bytes) {
  if (bytes <= INT_MAX) return static_cast<int>(bytes);
  throw Error("a message of " + std::to_string(bytes) +
              " bytes is more than MPI takes; use a smaller network");
}

class MpiRanks final : public JobRanks {
 public:
  explicit MpiRanks(double seconds) : seconds_(seconds), farewell_seconds_(std::min(seconds, 10.0)) {
    check(MPI_Comm_dup(MPI_COMM_WORLD, &data_), "MPI_Comm_dup");
    check(MPI_Comm_set_errhandler(data_, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
    check(MPI_Comm_rank(data_, &rank_), "MPI_Comm_rank");
    check(MPI_Comm_size(data_, &size_), "MPI_Comm_size");
  }

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }

  void all_reduce(View values, Type travel) override {
    travel == Type::bfloat16 ? reduce<bfloat16>(values) : reduce<float>(values);
  }

  void all_gather(void* blocks, int64_t bytes) override {
    auto* const block = static_cast<char*>(blocks);
    char* const own = bytes_of(own_, bytes);
    char* const all = bytes_of(all_, bytes * size_);
    std::memcpy(own, block + bytes * rank_, static_cast<size_t>(bytes));
    gather(own, all, bytes);
    std::memcpy(block, all, static_cast<size_t>(bytes * size_));
  }

  void broadcast(void* values, int64_t bytes) override {
    char* const own = bytes_of(own_, bytes);
    std::memcpy(own, values, static_cast<size_t>(bytes));
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Ibcast(own, count_of_mpi(bytes), MPI_BYTE, 0, data_, &request), "MPI_Ibcast");
    await_all(request, "broadcast");
    std::memcpy(values, own, static_cast<size_t>(bytes));
  }

  int64_t max(int64_t number) override {
    own_number_ = number;
    MPI_Request request = MPI_REQUEST_NULL;
    check(MPI_Iallreduce(&own_number_, &largest_, 1, MPI_INT64_T, MPI_MAX, data_, &request),
          "MPI_Iallreduce");
    await_all(request, "agreement");
    return largest_;
  }

  void listen() override { failures_.listen(); }
  double time_limit() const override { return seconds_; }

  void finish() override {
    max(0);
    check(MPI_Finalize(), "MPI_Finalize");
  }

  Failure fail(const Failure& own) override {
    try {
      const std::optional<Failure>& heard = failures_.heard();
      const bool of_another = heard && heard->message == own.message;  // which await() threw
      Failure told = own;
      if (rank_ > 0)
        told.message += " (process " + std::to_string(rank_) + " of " + std::to_string(size_) + ")";
      if (!of_another) failures_.tell(told);
      MPI_Request request = MPI_REQUEST_NULL;
      check(MPI_Ibarrier(failures_.communicator(), &request), "MPI_Ibarrier");
      if (!done_within(request, farewell_seconds_)) {
        alone_ = true;
        return told;
      }
      Failure of_job = of_another ? *heard : own;
      farewell_[0] = {.status = rank_ == 0 ? of_job.status : 0, .unfinished = unfinished_ ? 1 : 0};
      check(MPI_Iallreduce(&farewell_[0], &farewell_[1], 2, MPI_INT, MPI_MAX, failures_.communicator(),
                           &request),
            "MPI_Iallreduce");
      if (!done_within(request, farewell_seconds_)) alone_ = true;
      of_job.status = farewell_[1].status;
      unfinished_ = farewell_[1].unfinished != 0;
      if (rank_ > 0) of_job.message.clear();
      return of_job;
    } catch (const Error&) {
      alone_ = true;
      return own;
    }
  }

  void leave(int status) override {
    MPI_Request request = MPI_REQUEST_NULL;
    if (!alone_ && MPI_Ibarrier(failures_.communicator(), &request) == MPI_SUCCESS)
      alone_ = !done_within(request, farewell_seconds_);
    if (!alone_ && !unfinished_) {
      MPI_Finalize();
      return;
    }
    // Something is still on its way, which MPI_Finalize might wait for.
    if (!alone_ && rank_ > 0) sleep(static_cast<unsigned>(farewell_seconds_) + 1);  // rank 0 ends all
    MPI_Abort(MPI_COMM_WORLD, status);
  }

 private:
  static constexpr int64_t small_sum = 2048;

  static char* bytes_of(std::vector<double>& memory, int64_t bytes) {
    const auto wanted = static_cast<size_t>((bytes + 7) / 8);
    if (memory.size() < wanted) memory.resize(wanted);
    return reinterpret_cast<char*>(memory.data());
  }
  template <class T>
  static T* numbers(std::vector<double>& memory, int64_t count) {
    return reinterpret_cast<T*>(bytes_of(memory, count * static_cast<int64_t>(sizeof(T))));
  }
  /// Numbers travel as T.
  template <class T>
  void reduce(View values) {
    const int64_t count = values.size();
    const bool small = count <= small_sum;  // one message is faster than two
    const int64_t part = small ? count : (count + size_ - 1) / size_;
    const int64_t bytes = part * static_cast<int64_t>(sizeof(T));
    T *own = numbers<T>(own_, small ? count : part * size_), *all = numbers<T>(all_, part * size_);
    round_for_ranks(values.data, count, own);
    if (small) {
      gather(own, all, bytes);
      sum_over_ranks(all, size_, part, count, own);
      return expand_from_ranks(own, count, values.data);
    }
    std::fill(own + count, own + part * size_, T{});
    MPI_Request request = MPI_REQUEST_NULL;
    const int n = count_of_mpi(bytes);
    check(MPI_Ialltoall(own, n, MPI_BYTE, all, n, MPI_BYTE, data_, &request), "MPI_Ialltoall");
    await_all(request, "sum");
    sum_over_ranks(all, size_, part, part, own);
    gather(own, all, bytes);
    expand_from_ranks(all, count, values.data);
  }
  void await_all(MPI_Request& request, const char* call) {
    unfinished_ = true;
    await(request, call, seconds_, failures_);
    unfinished_ = false;
  }
  /// all = the blocks of all ranks.
  void gather(const void* own, void* all, int64_t bytes) {
    MPI_Request request = MPI_REQUEST_NULL;
    const int n = count_of_mpi(bytes);
    check(MPI_Iallgather(own, n, MPI_BYTE, all, n, MPI_BYTE, data_, &request), "MPI_Iallgather");
    await_all(request, "gathering");
  }

  double seconds_, farewell_seconds_;
  MPI_Comm data_ = MPI_COMM_NULL;
  int rank_ = 0, size_ = 1;
  FailureChannel failures_;
  struct {
    int status, unfinished;
  } farewell_[2] = {};       // of this rank, of all
  bool unfinished_ = false;  // a call was given up, on some rank
  bool alone_ = false;       // the others did not come to the farewell
  int64_t own_number_ = 0, largest_ = 0;
  std::vector<double> own_, all_;  // staging, on 8 bytes
};

}  // namespace

}  // namespace ebm::mpi

extern "C" __attribute__((visibility("default"))) ebm::JobRanks* ebm_open_mpi(const char* interface_version,
                                                                              double seconds, char* message,
                                                                              size_t capacity) {
  const ebm::LibraryDoor door{.library = "libebm_mpi.so",
                              .same_build = std::strcmp(ebm::mpi::interface_version, interface_version) == 0,
                              .message = message,
                              .capacity = capacity};
  return door.open([&]() -> ebm::JobRanks* {
    int provided = 0;
    ebm::mpi::check(MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided), "MPI_Init_thread");
    if (provided < MPI_THREAD_FUNNELED)
      throw ebm::Error("its MPI takes no programs with threads; build with another MPI");
    return new ebm::mpi::MpiRanks(seconds);
  });
}
