// SPDX-License-Identifier: MIT
// What the ranks of an emulated communicator share: memory of this machine, of threads or processes alike.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>

namespace ebm::emulated {

/// What a rank does with another one in a group.
struct Message {
  int peer;
  int type;
  uint64_t bytes;
  bool operator==(const Message&) const = default;
};

/// An operation, as a rank asks for it.
struct Request {
  enum class Kind { all_reduce, reduce_scatter, all_gather, broadcast, messages };
  static constexpr int most_messages = 16;
  Kind kind;
  int type = 0, operation = 0, root = 0;
  uint64_t count = 0;
  int sends = 0, receives = 0;
  Message sent[most_messages] = {}, received[most_messages] = {};

  /// Whether two ranks ask for the same, but for messages.
  bool agrees(const Request& other) const {
    return kind == other.kind && type == other.type && operation == other.operation && root == other.root &&
           count == other.count;
  }
};

/// A rank's way into the memory of all. Operation k of a rank lies in its block k % 2: it can bring k + 2 only when all
/// have brought k + 1, and so have read k.
class Exchange {
 public:
  static constexpr uint64_t most_bytes = uint64_t{64} << 20;  // of one operation of one rank

  /// Waits for all ranks.
  Exchange(const std::string& name, int size, int rank);
  ~Exchange();
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;

  int size() const { return size_; }
  int rank() const { return rank_; }
  /// Brings operation `number` (from 1, each once), whose `bytes` the caller has put at own_block().
  char* own_block(uint64_t number) { return block(rank_, number); }
  void bring(uint64_t number, const Request& request);
  bool all_brought(uint64_t number) const;
  bool any_brought(uint64_t number) const;
  const Request& request(int rank, uint64_t number) const { return ranks()[rank].requests[number % 2]; }
  const char* bytes(int rank, uint64_t number) { return block(rank, number); }

  /// This rank is no longer there.
  void leave();
  /// Whether another rank is gone: it left, or its process died.
  bool others_are_gone() const;

 private:
  struct Rank {
    std::atomic<uint64_t> brought;
    std::atomic<int> here;  // 1: there, 2: it left
    pid_t process;
    Request requests[2];
  };
  Rank* ranks() const { return reinterpret_cast<Rank*>(memory_); }
  char* block(int rank, uint64_t number) {
    return memory_ + table_bytes + (2 * static_cast<uint64_t>(rank) + number % 2) * most_bytes;
  }
  uint64_t memory_bytes() const { return table_bytes + 2 * most_bytes * static_cast<uint64_t>(size_); }
  static constexpr uint64_t table_bytes = uint64_t{1} << 16;

  int size_, rank_;
  char* memory_ = nullptr;
};

}  // namespace ebm::emulated
