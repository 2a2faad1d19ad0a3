// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

namespace ebm {

/// A connection to another process, or an ear for connections. Calls wait by polling, and between two polls call `look`
/// with the seconds that this wait has taken: it throws where the wait is to end.
class Socket {
 public:
  using Look = std::function<void(double waited)>;

  Socket() = default;
  explicit Socket(int file) : file_(file) {}
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;

  /// Listens at a free port of all of this host's addresses.
  static Socket listening();
  uint16_t port() const;
  /// Of a listening one: the next process that connects.
  Socket accept(const Look& look) const;
  /// Not open where nobody listens there, or not within so many seconds. A name is looked up first, which takes as long
  /// as the system lets it.
  static Socket connected(const std::string& host, const std::string& port, double seconds);

  bool is_open() const { return file_ >= 0; }
  /// Throws Error where the other process is gone.
  void send(const void* bytes, size_t count, const Look& look) const;
  void receive(void* bytes, size_t count, const Look& look) const;
  /// Whether so many bytes are there, which are copied and stay. Throws Error where the other process is gone.
  bool peek(void* bytes, size_t count) const;

 private:
  /// Whether a connection that is being made comes about.
  bool becomes_connected(double seconds) const;

  int file_ = -1;
};

}  // namespace ebm
