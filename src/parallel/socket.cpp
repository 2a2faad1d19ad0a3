// SPDX-License-Identifier: MIT
#include "parallel/socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "core/error.h"
#include "core/waiting.h"

namespace ebm {

namespace {

Error failed(const char* call) {
  return Error(std::string(call) + " failed: " + std::strerror(errno) +
               "; processes that train together need TCP between them");
}

Error gone() {
  return Error("another process ended before the job did; its own messages tell more");
}

/// Sleeps until `file` may be ready for `events`, a tenth of a second at most. Whether it is.
bool wait_for(int file, short events) {
  pollfd wanted{.fd = file, .events = events, .revents = 0};
  return poll(&wanted, 1, 100) > 0;
}

bool is_for_later(int code) {
  return code == EAGAIN || code == EWOULDBLOCK || code == EINTR;
}

void send_at_once(int file) {
  const int on = 1;
  setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

}  // namespace

Socket::~Socket() {
  if (file_ >= 0) close(file_);
}
Socket::Socket(Socket&& other) noexcept : file_(std::exchange(other.file_, -1)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

Socket Socket::listening() {
  Socket made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.is_open()) throw failed("socket");
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_addr.s_addr = htonl(INADDR_ANY);
  if (bind(made.file_, reinterpret_cast<const sockaddr*>(&any), sizeof any) != 0) throw failed("bind");
  if (listen(made.file_, SOMAXCONN) != 0) throw failed("listen");
  return made;
}

uint16_t Socket::port() const {
  sockaddr_in own{};
  socklen_t size = sizeof own;
  if (getsockname(file_, reinterpret_cast<sockaddr*>(&own), &size) != 0) throw failed("getsockname");
  return ntohs(own.sin_port);
}

Socket Socket::accept(const Look& look) const {
  const Waiting waiting;
  while (true) {
    Socket made(accept4(file_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (made.is_open()) {
      send_at_once(made.file_);
      return made;
    }
    if (!is_for_later(errno) && errno != ECONNABORTED) throw failed("accept");
    look(waiting.seconds());
    wait_for(file_, POLLIN);
  }
}

Socket Socket::connected(const std::string& host, const std::string& port, double seconds) {
  addrinfo wanted{};
  wanted.ai_family = AF_INET;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), port.c_str(), &wanted, &found) != 0) return {};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, freeaddrinfo);
  for (const addrinfo* address = found; address != nullptr; address = address->ai_next) {
    Socket made(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!made.is_open()) throw failed("socket");
    if (connect(made.file_, address->ai_addr, address->ai_addrlen) != 0 &&
        (errno != EINPROGRESS || !made.becomes_connected(seconds)))
      continue;
    send_at_once(made.file_);
    return made;
  }
  return {};
}

bool Socket::becomes_connected(double seconds) const {
  for (const Waiting waiting; waiting.seconds() <= seconds;) {
    if (!wait_for(file_, POLLOUT)) continue;
    int error = 0;
    socklen_t size = sizeof error;
    return getsockopt(file_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
  }
  return false;
}

void Socket::send(const void* bytes, size_t count, const Look& look) const {
  const Waiting waiting;
  const char* rest = static_cast<const char*>(bytes);
  while (count > 0) {
    const ssize_t sent = ::send(file_, rest, count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      rest += sent;
      count -= static_cast<size_t>(sent);
      continue;
    }
    if (!is_for_later(errno)) throw gone();
    look(waiting.seconds());
    wait_for(file_, POLLOUT);
  }
}

void Socket::receive(void* bytes, size_t count, const Look& look) const {
  const Waiting waiting;
  char* rest = static_cast<char*>(bytes);
  while (count > 0) {
    const ssize_t got = recv(file_, rest, count, MSG_DONTWAIT);
    if (got > 0) {
      rest += got;
      count -= static_cast<size_t>(got);
      continue;
    }
    if (got == 0 || !is_for_later(errno)) throw gone();
    look(waiting.seconds());
    wait_for(file_, POLLIN);
  }
}

bool Socket::peek(void* bytes, size_t count) const {
  const ssize_t got = recv(file_, bytes, count, MSG_DONTWAIT | MSG_PEEK);
  if (got == 0 || (got < 0 && !is_for_later(errno))) throw gone();
  return got == static_cast<ssize_t>(count);
}

}  // namespace ebm
