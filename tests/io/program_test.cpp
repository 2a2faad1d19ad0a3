// SPDX-License-Identifier: MIT
#include "io/program.h"

#include <fcntl.h>
#include <sys/wait.h>

#include <fstream>
#include <sstream>
#include <vector>

#include "io_fixture.h"

namespace ebm {
namespace {

class ProgramTest : public test::IoTest {
 protected:
  /// The exit status of a process whose main is run_program with this body, and whose standard streams were
  /// set up by `prepare`. What it says on stderr comes into err_.
  int status_of(const std::function<void()>& prepare, const std::function<int()>& body) {
    const std::string log = *this / "err";
    const pid_t child = fork();
    if (child == 0) {
      dup2(open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600), STDERR_FILENO);
      print_to("/dev/null");
      prepare();
      _exit(run_program("program", body));
    }
    int status = 0;
    waitpid(child, &status, 0);
    std::ostringstream text;
    text << std::ifstream(log).rdbuf();
    err_ = text.str();
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  static void print_to(const char* path) {
    std::fflush(stdout);
    dup2(open(path, O_WRONLY), STDOUT_FILENO);
  }
  static int print_a_line() {
    std::printf("the result\n");
    return 0;
  }
  std::string err_;
};

TEST_F(ProgramTest, AClosedStreamsNumberIsTakenByNoFile) {
  const std::vector<std::vector<int>> closed{{0}, {1}, {2}, {0, 1}, {1, 2}, {0, 2}, {0, 1, 2}};
  for (const auto& numbers : closed) {
    const auto close_them = [&] {
      for (const int number : numbers) close(number);
    };
    const auto open_and_print = [&] {
      const std::string path = *this / "file";
      const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
      std::printf("to stdout\n");
      std::fprintf(stderr, "to stderr\n");
      std::fflush(stdout);
      char byte;
      if (numbers.front() == 0 && read(0, &byte, 1) != 0) return 3;
      return file > 2 && std::filesystem::file_size(path) == 0 ? 0 : 4;
    };
    EXPECT_EQ(status_of(close_them, open_and_print), 0) << numbers.size() << " from " << numbers.front();
  }
}

TEST_F(ProgramTest, OpenStreamsStay) {
  const auto nothing = [] {};
  const auto print = [] {
    std::fprintf(stderr, "to stderr\n");
    return 7;
  };
  EXPECT_EQ(status_of(nothing, print), 7);
  EXPECT_EQ(err_, "to stderr\n");
}

TEST_F(ProgramTest, AResultThatCannotBePrintedIsAnError) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full";
  EXPECT_EQ(status_of([] { print_to("/dev/full"); }, print_a_line), 1);
  EXPECT_EQ(err_,
            "program: cannot print to stdout: No space left on device; free some space there, or send it "
            "elsewhere\n");
  // Lost before the end, as where a line is to be seen at once.
  const auto flushed = [] {
    print_a_line();
    std::fflush(stdout);
    return 0;
  };
  EXPECT_EQ(status_of([] { print_to("/dev/full"); }, flushed), 1);
  EXPECT_HAS(err_, "program: cannot print to stdout: an earlier write failed; ");
  EXPECT_EQ(status_of([] { print_to("/dev/null"); }, print_a_line), 0);
  EXPECT_EQ(err_, "");
}

TEST_F(ProgramTest, AReaderOfStdoutMayGo) {
  const auto to_nobody = [] {
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    if (pipe(ends) != 0) _exit(9);
    std::fflush(stdout);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[1]);
    close(ends[0]);
  };
  EXPECT_EQ(status_of(to_nobody, print_a_line), 0);
  EXPECT_EQ(err_, "");
}

}  // namespace
}  // namespace ebm
