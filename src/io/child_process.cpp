// SPDX-License-Identifier: MIT
#include "io/child_process.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "core/error.h"

namespace ebm {

namespace {

Error cannot_start(const std::string& program) {
  return Error("cannot start " + program + ": " + std::strerror(errno));
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const { return number_; }

 private:
  int number_;
};

/// What a child writes while nobody reads.
int memory_file() {
  return memfd_create("child", MFD_CLOEXEC);
}

std::string content(const Descriptor& file) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t count = pread(file.number(), part.data(), part.size(), std::ssize(text));
    if (count > 0) text.append(part.data(), static_cast<size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> list;
  for (std::string& word : words) list.push_back(word.data());
  list.push_back(nullptr);
  return list;
}

std::vector<std::string> variables(const std::vector<NameValue>& replaced) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const bool kept = std::none_of(replaced.begin(), replaced.end(),
                                   [&](const NameValue& one) { return text.starts_with(one.name + "="); });
    if (kept) all.push_back(text);
  }
  for (const NameValue& one : replaced) all.push_back(one.name + "=" + one.value);
  return all;
}

/// `out`, `err`: descriptors that take the place of the child's own.
pid_t start(std::vector<std::string> words, const std::vector<NameValue>& environment, int out, int err) {
  if (access(words.at(0).c_str(), X_OK) != 0) throw cannot_start(words[0]);
  std::vector<std::string> texts = variables(environment);
  const std::vector<char*> arguments = pointers(words), settings = pointers(texts);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw cannot_start(words[0]);
  if (child > 0) return child;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // it ended before it could be waited for
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  execve(arguments[0], arguments.data(), settings.data());
  _exit(127);
}

int exit_status(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

int wait_for(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return exit_status(status);
}

}  // namespace

std::filesystem::path program_folder() {
  std::error_code code;
  return std::filesystem::canonical("/proc/self/exe", code).parent_path();
}

std::string ChildEnd::reason() const {
  const size_t last = err.find_last_not_of('\n');
  if (last == std::string::npos) return "status " + std::to_string(status);
  const std::string lines = err.substr(0, last + 1);
  return lines.substr(lines.rfind('\n') + 1);
}

ChildEnd run_child(std::vector<std::string> words, ChildOut out) {
  const std::string program = words.at(0);
  const Descriptor own_out(out == ChildOut::taken ? memory_file() : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0));
  const Descriptor err(memory_file());
  if (own_out.number() < 0 || err.number() < 0) throw cannot_start(program);
  ChildEnd end;
  end.status = wait_for(start(std::move(words), {}, own_out.number(), err.number()));
  if (out == ChildOut::taken) end.out = content(own_out);
  end.err = content(err);
  return end;
}

ChildProcess::ChildProcess(std::vector<std::string> words, const std::vector<NameValue>& environment,
                           const std::filesystem::path& log) {
  constexpr int for_all = 0666;
  const Descriptor file(open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, for_all));
  if (file.number() < 0) throw Error("cannot write " + log.string() + ": " + std::strerror(errno));
  pid_ = start(std::move(words), environment, file.number(), file.number());
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(other.status_) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0 || status_) return;
  ask_to_stop();
  wait_for(pid_);
}

std::optional<int> ChildProcess::status() {
  int status = 0;
  if (!status_ && waitpid(pid_, &status, WNOHANG) == pid_) status_ = exit_status(status);
  return status_;
}

void ChildProcess::ask_to_stop() const {
  if (!status_) kill(pid_, SIGTERM);
}

}  // namespace ebm
