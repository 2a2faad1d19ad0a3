// SPDX-License-Identifier: MIT
#include "support/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "support/files.h"

namespace ebm::test {

namespace {

std::string temporary_file() {
  std::string name = (std::filesystem::temp_directory_path() / "ebm_process_XXXXXX").string();
  const int file = mkstemp(name.data());
  if (file < 0) throw std::runtime_error("no temporary file in " + name);
  close(file);
  return name;
}

std::string taken_content(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  std::filesystem::remove(file);
  return text.str();
}

}  // namespace

std::string program_path(const std::string& name) {
  const auto path = program_folder() / name;
  return std::filesystem::exists(path) ? path.string() : "";
}

Process::Process(std::vector<std::string> command) : out_(temporary_file()), err_(temporary_file()) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ > 0) return;
  dup2(open("/dev/null", O_RDONLY), 0);
  dup2(open(out_.c_str(), O_WRONLY), 1);
  dup2(open(err_.c_str(), O_WRONLY), 2);
  execv(arguments[0], arguments.data());
  _exit(127);
}

Process::~Process() {
  if (!ended_) {
    signal(SIGKILL);
    wait();
  }
}

void Process::signal(int number) {
  kill(pid_, number);
}

bool Process::running() {
  if (!ended_) ended_ = waitpid(pid_, &status_, WNOHANG) == pid_;
  return !ended_;
}

Finished Process::wait() {
  if (!ended_) waitpid(pid_, &status_, 0);
  ended_ = true;
  const int status = WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  return {status, taken_content(out_), taken_content(err_)};
}

Finished run_command(std::vector<std::string> command) {
  return Process(std::move(command)).wait();
}

void expect_refused(const std::string& program, const Finished& run, int status, const std::string& message) {
  EXPECT_EQ(run.status, status);
  EXPECT_EQ(std::count(run.err.begin(), run.err.end(), '\n'), 1) << run.err;
  EXPECT_TRUE(run.err.starts_with(program + ": ")) << run.err;
  EXPECT_NE(run.err.find(message), std::string::npos) << run.err << "lacks: " << message;
}

}  // namespace ebm::test
