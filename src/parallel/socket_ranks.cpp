// SPDX-License-Identifier: MIT
#include "parallel/socket_ranks.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "core/node.h"
#include "core/waiting.h"
#include "parallel/rank_sum.h"
#include "parallel/socket.h"

namespace ebm {

namespace {

using Bytes = std::vector<char>;

enum class Kind : uint32_t { hello, welcome, data, failure };

/// Before each message: which of this job's it is, of how many bytes.
struct Head {
  uint64_t job;  // a number that the first rank drew
  Kind kind;
  int32_t rank_or_status;
  uint64_t bytes;
};
struct Hello {
  Head head;
  int64_t size;  // of the job, as this one has it
};

uint64_t draw_job() {
  std::random_device random;
  return (uint64_t{random()} << 32) | random();
}

/// What the first rank tells the others in the file where they meet, as long as this lives.
class Invitation {
 public:
  /// Throws Error where it cannot be written.
  Invitation(const std::filesystem::path& file, uint16_t port, uint64_t job) : file_(file) {
    const std::string aside = file.string() + "." + std::to_string(getpid());
    std::ofstream text(aside);
    text << node_identity() << " " << host_name() << " " << port << " " << job << "\n";
    text.close();
    std::error_code code;
    if (text) std::filesystem::rename(aside, file, code);
    if (text && !code) return;
    const std::string reason = code ? code.message() : std::strerror(errno);
    std::filesystem::remove(aside, code);
    throw Error("cannot write " + file.string() + ": " + reason +
                "; name a folder that all processes see in EBM_RANK_FOLDER");
  }
  ~Invitation() {
    std::error_code ignored;
    std::filesystem::remove(file_, ignored);
  }
  Invitation(const Invitation&) = delete;
  Invitation& operator=(const Invitation&) = delete;

 private:
  std::filesystem::path file_;
};

class SocketRanks final : public JobRanks {
 public:
  SocketRanks(const Launcher& launcher, const std::filesystem::path& file, double seconds)
      : rank_(launcher.rank),
        size_(launcher.size),
        seconds_(seconds),
        farewell_(std::min(seconds, 10.0)),
        answer_(std::min(seconds / 10, 5.0)) {
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
    hear_the_first();
    if (!heard_) return of_job;
    return {.status = heard_->status, .message = {}};
  }
  void leave(int) override {
    if (rank_ == 0) {
      others_.clear();
      return;
    }
    try {
      for (char any = 0;;) others_.front().receive(&any, 1, limited(farewell_));
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
  static Socket::Look limited(double seconds) {
    return [seconds](double waited) {
      if (waited > seconds) throw Error("no answer");
    };
  }

  /// The first one says what it has heard first, and then goes. What it sent before is no longer wanted.
  void hear_the_first() {
    try {
      while (!heard_) receive_from(0, limited(farewell_));
    } catch (const Error&) {
      // Of a failure, or the first one is gone.
    }
  }

  // --- the beginning

  void gather_others(const std::filesystem::path& file) {
    job_ = draw_job();
    const Socket ear = Socket::listening();
    const Invitation invitation(file, ear.port(), job_);
    others_.resize(static_cast<size_t>(size_ - 1));
    try {
      for (int64_t come = 1; come < size_;) come += welcome(ear.accept(look()));
      max(0);
    } catch (const Error& error) {
      for (size_t i = 0; i < others_.size(); ++i)
        if (others_[i].is_open()) tell(i, {.status = error.exit_status(), .message = error.what()});
      throw;
    }
  }

  /// Takes in one who came, and says so to it. Returns how many more are there: none if it is nobody of this job, or came
  /// before and thought that it was not heard.
  int64_t welcome(Socket other) {
    Hello hello{};
    try {
      other.receive(&hello, sizeof hello, limited(answer_));
    } catch (const Error&) {
      return 0;
    }
    const int64_t rank = hello.head.rank_or_status;
    if (hello.head.job != job_ || hello.head.kind != Kind::hello) return 0;
    const auto place = static_cast<size_t>(rank - 1);
    std::string wrong;
    if (hello.size != size_)
      wrong = "the first process is one of " + std::to_string(size_) + ", another one is one of " +
              std::to_string(hello.size) + "; give all the same EBM_RANKS, and each job a folder of its own";
    else if (rank < 1 || rank >= size_)
      return 0;
    else if (others_[place].is_open() && is_there(others_[place]))
      wrong = "two processes are number " + std::to_string(rank) +
              "; give each its own EBM_RANK, and each job a folder of its own";
    if (!wrong.empty()) {
      others_.push_back(std::move(other));
      throw Error(wrong);
    }
    const bool is_new = !others_[place].is_open();
    others_[place] = std::move(other);
    send_to(place, {.job = job_, .kind = Kind::welcome, .rank_or_status = 0, .bytes = 0}, {});
    return is_new ? 1 : 0;
  }
  static bool is_there(const Socket& other) {
    try {
      char any = 0;
      other.peek(&any, 1);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  void find_first(const std::filesystem::path& file) {
    for (const Waiting waiting;;) {
      std::string node, host, port;
      std::ifstream text(file);
      if (text >> node >> host >> port >> job_) {
        // Containers of one node may each have a network of their own.
        if (node == node_identity() && greet("127.0.0.1", port)) return;
        if (greet(host, port)) return;
      }
      if (waiting.seconds() > seconds_)
        throw no_answer(seconds_, "the first process's file " + file.string());
      usleep(50000);
    }
  }

  /// Whether the one who listens there is the first of this job, which answers at once; else the file is an old one's.
  /// Returns when all are there. Throws Error where the first one fails.
  bool greet(const std::string& host, const std::string& port) {
    Socket first = Socket::connected(host, port, answer_);
    if (!first.is_open()) return false;
    const Hello hello{.head = {.job = job_,
                               .kind = Kind::hello,
                               .rank_or_status = static_cast<int32_t>(rank_),
                               .bytes = sizeof hello.size},
                      .size = size_};
    Head answer{};
    try {
      first.send(&hello, sizeof hello, limited(answer_));
      first.receive(&answer, sizeof answer, limited(answer_));
    } catch (const Error&) {
      return false;
    }
    if (answer.job != job_ || (answer.kind != Kind::welcome && answer.kind != Kind::failure)) return false;
    others_.push_back(std::move(first));
    receive_rest(0, answer, look());
    try {
      max(0);
    } catch (const Error&) {
      hear_the_first();
      if (heard_) throw Error(heard_->message);
      throw;
    }
    return true;
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
    unfinished_.insert(other);
    others_[other].send(&head, sizeof head, look());
    others_[other].send(bytes.data(), bytes.size(), look());
    unfinished_.erase(other);
  }

  /// The next message of data. Throws what a failure says.
  Bytes receive_from(size_t other, const Socket::Look& look) {
    Head head{};
    others_[other].receive(&head, sizeof head, look);
    return receive_rest(other, head, look);
  }
  Bytes receive_rest(size_t other, const Head& head, const Socket::Look& look) {
    if (head.job != job_ || head.bytes > (uint64_t{1} << 40)) throw Error("a message of another job came");
    Bytes bytes(head.bytes);
    others_[other].receive(bytes.data(), bytes.size(), look);
    if (head.kind != Kind::failure) return bytes;
    heard_ = Failure{.status = head.rank_or_status, .message = {bytes.begin(), bytes.end()}};
    throw Error(heard_->message);
  }

  void tell(size_t other, const Failure& failure) noexcept {
    if (unfinished_.contains(other)) return;  // it would take this for the rest of a message
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
  double seconds_, farewell_, answer_;
  uint64_t job_ = 0;
  std::vector<Socket> others_;   // of the first: ranks 1, 2, ...; of another one: the first
  std::set<size_t> unfinished_;  // to whom a message was begun
  std::optional<Failure> heard_;
};

}  // namespace

std::unique_ptr<JobRanks> meet_in_folder(const Launcher& launcher, const std::string& folder,
                                         const std::string& job, double seconds) {
  return std::make_unique<SocketRanks>(launcher, std::filesystem::path(folder) / ("ebm-ranks-" + job),
                                       seconds);
}

}  // namespace ebm
