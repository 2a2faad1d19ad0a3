// SPDX-License-Identifier: MIT
// Runs this project's programs as their users do.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace ebm::test {

/// The path of a program of this test program's build (beside it). Empty if there is none.
std::string program_path(const std::string& name);

struct Finished {
  int status = 0;  ///< exit status; 128 + signal if a signal ended it
  std::string out, err;
};

/// A program at work. stdout and stderr are gathered in temporary files.
class Process {
 public:
  explicit Process(std::vector<std::string> command);
  ~Process();  // kills it when it is still at work
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  void signal(int number);
  bool running();
  Finished wait();

 private:
  pid_t pid_ = -1;
  bool ended_ = false;
  int status_ = 0;
  std::string out_, err_;  // files
};

/// Runs a command to its end.
Finished run_command(std::vector<std::string> command);

/// The program ended with this status and one line on stderr, which starts with its name and holds `message`.
void expect_refused(const std::string& program, const Finished& run, int status, const std::string& message);

}  // namespace ebm::test
