// SPDX-License-Identifier: MIT
#include "parallel/socket_ranks.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <vector>

#include "core/waiting.h"
#include "parallel/rank_sum.h"
#include "parallel/socket.h"

namespace ebm {

namespace {

using Bytes = std::vector<char>;

enum class Kind : uint32_t { hello, data, failure };

/// Before each message: which of this job's it is, of how many bytes.
struct Head {
  uint64_t job;  // a number that the first rank drew
  Kind kind;
  int32_t rank_or_status;
  uint64_t bytes;
};

uint64_t draw_job() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

std::string host_name() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

class SocketRanks final : public JobRanks {
 public:
  SocketRanks(const Launcher& launcher, const std::filesystem::path& file, double seconds)
      : rank_(launcher.rank), size_(launcher.size), seconds_(seconds), farewell_(std::min(seconds, 10.0)) {
    rank_ == 0 ? gather_others(file) : find_first(file);
  }

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }
  void all_reduce(View values, Type travel) override {
    travel == Type::bfloat16 ? reduce<bfloat16>(values) : reduce<float>(values);
  }
  void all_gather(void* blocks, int64_t bytes) override {
    const auto block = static_cast<size_t>(bytes);
    auto* const all = static_cast<char*>(blocks);
    const char* const own = all + block * static_cast<size_t>(rank_);
    give({all, block * static_cast<size_t>(size_)},
         meet({own, own + block}, [](const std::vector<Bytes>& of) {
           Bytes joined;
           for (const Bytes& one : of) joined.insert(joined.end(), one.begin(), one.end());
           return joined;
         }));
  }
  void broadcast(void* values, int64_t bytes) override {
    auto* const own = static_cast<char*>(values);
    const auto count = static_cast<size_t>(bytes);
    give({own, count}, meet(rank_ == 0 ? Bytes(own, own + count) : Bytes{},
                            [](const std::vector<Bytes>& of) { return of.front(); }));
  }
  int64_t max(int64_t number) override {
    Bytes own(sizeof number);
    std::memcpy(own.data(), &number, sizeof number);
    const Bytes largest = meet(own, [](const std::vector<Bytes>& of) {
      return *std::max_element(of.begin(), of.end(),
                               [](const Bytes& a, const Bytes& b) { return number_of(a) < number_of(b); });
    });
    return number_of(largest);
  }

  void listen() override {
    for (size_t i = 0; i < others_.size(); ++i) {
      Head head{};
      if (!others_[i].is_open() || !others_[i].peek(&head, sizeof head) || head.kind != Kind::failure)
        continue;
      receive_from(i, look());
    }
  }
  double time_limit() const override { return seconds_; }

  void finish() override { max(0); }

  Failure fail(const Failure& own) override {
    Failure of_job = heard_ ? *heard_ : own;
    if (!heard_ && rank_ > 0)
      of_job.message += " (process " + std::to_string(rank_) + " of " + std::to_string(size_) + ")";
    for (size_t i = 0; i < others_.size(); ++i) tell(i, of_job);
    if (rank_ == 0) return of_job;
    // The first one says what it has heard first, and then goes.
    try {
      receive_from(0, farewell());
    } catch (const Error&) {
      if (!heard_) return of_job;
    }
    return {.status = heard_->status, .message = {}};
  }
  void leave(int) override {
    if (rank_ == 0) {
      others_.clear();
      return;
    }
    try {
      char none = 0;
      others_.front().receive(&none, 1, farewell());
    } catch (const Error&) {
      // The first one is gone: it has spoken.
    }
  }

 private:
  static int64_t number_of(const Bytes& bytes) {
    int64_t number = 0;
    std::memcpy(&number, bytes.data(), sizeof number);
    return number;
  }
  struct Place {
    char* bytes;
    size_t count;
  };
  static void give(const Place& to, const Bytes& bytes) {
    if (bytes.size() != to.count)
      throw Error("the processes exchange different things; give all the same command");
    std::memcpy(to.bytes, bytes.data(), to.count);
  }
  Socket::Look look() const {
    return [limit = seconds_](double waited) {
      if (waited > limit) throw no_answer(limit, "a message");
    };
  }
  Socket::Look farewell() const {
    return [limit = farewell_](double waited) {
      if (waited > limit) throw Error("no farewell");
    };
  }

  // --- the beginning

  void gather_others(const std::filesystem::path& file) {
    job_ = draw_job();
    const Socket ear = Socket::listening();
    const std::string aside = file.string() + "." + std::to_string(getpid());
    std::ofstream(aside) << host_name() << " " << ear.port() << " " << job_ << "\n";
    std::error_code code;
    std::filesystem::rename(aside, file, code);
    if (code)
      throw Error("cannot write " + file.string() + ": " + code.message() +
                  "; name a folder that all processes see in EBM_RANK_FOLDER");
    others_.resize(static_cast<size_t>(size_ - 1));
    for (int64_t come = 1; come < size_;) {
      Socket other = ear.accept(look());
      Head hello{};
      try {
        other.receive(&hello, sizeof hello, farewell());
      } catch (const Error&) {
        continue;  // nobody of this job
      }
      const int64_t rank = hello.rank_or_status;
      if (hello.job != job_ || hello.kind != Kind::hello || rank < 1 || rank >= size_) continue;
      if (others_[static_cast<size_t>(rank - 1)].is_open())
        throw Error("two processes are number " + std::to_string(rank) + "; give each its own EBM_RANK");
      others_[static_cast<size_t>(rank - 1)] = std::move(other);
      ++come;
    }
    std::filesystem::remove(file, code);
    max(0);
  }

  void find_first(const std::filesystem::path& file) {
    for (const Waiting waiting;;) {
      std::string host, port;
      std::ifstream text(file);
      if (text >> host >> port >> job_) {
        Socket first = Socket::connected(host == host_name() ? "127.0.0.1" : host, port);
        if (first.is_open() && greet(first)) return;
      }
      if (waiting.seconds() > seconds_)
        throw no_answer(seconds_, "the first process's file " + file.string());
      usleep(50000);
    }
  }

  /// Whether the one who listens there is the first of this job and takes this rank; one of another job closes. It
  /// answers when all are there, at the first max().
  bool greet(Socket& first) {
    const Head hello{
        .job = job_, .kind = Kind::hello, .rank_or_status = static_cast<int32_t>(rank_), .bytes = 0};
    try {
      first.send(&hello, sizeof hello, look());
      others_.push_back(std::move(first));
      max(0);
      return true;
    } catch (const Error&) {
      others_.clear();
      return false;
    }
  }

  // --- messages

  /// What the first rank makes of all ranks' bytes, on all.
  template <class Combine>
  Bytes meet(const Bytes& own, const Combine& combine) {
    if (rank_ > 0) {
      send_to(0, {.job = job_, .kind = Kind::data, .rank_or_status = 0, .bytes = own.size()}, own);
      return receive_from(0, look());
    }
    std::vector<Bytes> all{own};
    for (size_t i = 0; i < others_.size(); ++i) all.push_back(receive_from(i, look()));
    const Bytes result = combine(all);
    for (size_t i = 0; i < others_.size(); ++i)
      send_to(i, {.job = job_, .kind = Kind::data, .rank_or_status = 0, .bytes = result.size()}, result);
    return result;
  }

  void send_to(size_t other, const Head& head, const Bytes& bytes) {
    others_[other].send(&head, sizeof head, look());
    others_[other].send(bytes.data(), bytes.size(), look());
  }

  /// The next message of data. Throws what a failure says.
  Bytes receive_from(size_t other, const Socket::Look& look) {
    Head head{};
    others_[other].receive(&head, sizeof head, look);
    if (head.job != job_ || head.bytes > (uint64_t{1} << 40)) throw Error("a message of another job came");
    Bytes bytes(head.bytes);
    others_[other].receive(bytes.data(), bytes.size(), look);
    if (head.kind != Kind::failure) return bytes;
    heard_ = Failure{.status = head.rank_or_status, .message = {bytes.begin(), bytes.end()}};
    throw Error(heard_->message);
  }

  void tell(size_t other, const Failure& failure) noexcept {
    try {
      send_to(other,
              {.job = job_,
               .kind = Kind::failure,
               .rank_or_status = failure.status,
               .bytes = failure.message.size()},
              {failure.message.begin(), failure.message.end()});
    } catch (const Error&) {
      // That one is gone already.
    }
  }

  template <class T>
  void reduce(View values) {
    const int64_t count = values.size();
    Bytes own(static_cast<size_t>(count) * sizeof(T));
    round_for_ranks(values.data, count, reinterpret_cast<T*>(own.data()));
    const Bytes sum = meet(own, [count](const std::vector<Bytes>& of) {
      Bytes joined;
      for (const Bytes& one : of) joined.insert(joined.end(), one.begin(), one.end());
      Bytes result(static_cast<size_t>(count) * sizeof(T));
      sum_over_ranks(reinterpret_cast<const T*>(joined.data()), std::ssize(of), count, count,
                     reinterpret_cast<T*>(result.data()));
      return result;
    });
    expand_from_ranks(reinterpret_cast<const T*>(sum.data()), count, values.data);
  }

  int64_t rank_, size_;
  double seconds_, farewell_;
  uint64_t job_ = 0;
  std::vector<Socket> others_;  // of the first: ranks 1, 2, ...; of another one: the first
  std::optional<Failure> heard_;
};

}  // namespace

std::unique_ptr<JobRanks> meet_in_folder(const Launcher& launcher, const std::string& folder,
                                         const std::string& job, double seconds) {
  return std::make_unique<SocketRanks>(launcher, std::filesystem::path(folder) / ("ebm-ranks-" + job),
                                       seconds);
}

}  // namespace ebm
