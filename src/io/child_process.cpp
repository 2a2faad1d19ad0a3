// SPDX-License-Identifier: MIT
#include "io/child_process.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/error.h"

namespace ebm {

namespace {

[[noreturn]] void become(std::vector<char*>& words, int err, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(127);  // it ended before it could be waited for
  dup2(err, STDERR_FILENO);
  execv(words[0], words.data());
  _exit(127);
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t count = read(descriptor, part.data(), part.size());
    if (count > 0) text.append(part.data(), static_cast<size_t>(count));
    if (count == 0 || (count < 0 && errno != EINTR)) return text;
  }
}

Error cannot_start(const std::string& program) {
  return Error("cannot start " + program + ": " + std::strerror(errno));
}

}  // namespace

ChildEnd run_child(std::vector<std::string> words) {
  if (access(words.at(0).c_str(), X_OK) != 0) throw cannot_start(words[0]);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) throw cannot_start(words[0]);
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child == 0) become(arguments, pipe_ends[1], parent);
  close(pipe_ends[1]);
  if (child < 0) {
    close(pipe_ends[0]);
    throw cannot_start(words[0]);
  }
  ChildEnd end;
  end.err = read_all(pipe_ends[0]);
  close(pipe_ends[0]);
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  end.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return end;
}

}  // namespace ebm
