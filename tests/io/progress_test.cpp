// SPDX-License-Identifier: MIT
#include "io/progress.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <optional>

namespace ebm {
namespace {

// What a Progress with a clock of ours writes.
struct Recorder {
  double time = 100;
  int64_t columns = 200;
  std::string text;
  ProgressOptions options(ProgressOptions::Style style) {
    return {.style = style,
            .write = [this](std::string_view piece) { text += piece; },
            .now = [this] { return time; },
            .columns = [this] { return columns; }};
  }
};

TEST(ProgressTest, FormatsALine) {
  EXPECT_EQ(format_progress({.name = "toy_bb",
                             .iteration = 12000,
                             .total = 150000,
                             .rate = 1523.4,
                             .values = {{"energy_loss", 0.123}, {"kl", 1.5e-7}}}),
            "toy_bb  12,000/150,000  8.0%  1523 it/s  ETA 1:31  energy_loss 0.1230  kl 1.500e-07");
  EXPECT_EQ(
      format_progress({.name = "a", .iteration = 5, .total = 10, .rate = 2.5, .images = 64, .values = {}}),
      "a  5/10  50.0%  2.5 it/s  160 images/s  ETA 0:02");
  EXPECT_EQ(format_progress({.name = "a", .iteration = 0, .total = 10, .values = {}}),
            "a  0/10  0.0%  ? it/s  ETA ?");
  EXPECT_EQ(format_progress(
                {.name = "a", .iteration = 99999, .total = 100000, .rate = 0.5, .values = {{"x", NAN}}}),
            "a  99,999/100,000  99.9%  2.0 s/it  ETA 0:02  x nan");
  EXPECT_EQ(format_progress({.name = "a", .iteration = 10, .total = 10, .rate = 12.34, .values = {{"x", 0}}}),
            "a  10/10  100.0%  12.3 it/s  ETA 0:00  x 0.000");
}

TEST(ProgressTest, FormatsCountsAndDurations) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(-123456), "-123,456");
  EXPECT_EQ(format_count(1234567), "1,234,567");
  EXPECT_EQ(format_duration(0), "0:00");
  EXPECT_EQ(format_duration(59.6), "1:00");
  EXPECT_EQ(format_duration(3599.4), "59:59");
  EXPECT_EQ(format_duration(7439), "2:03:59");
  EXPECT_EQ(format_duration(3 * 86400 + 4 * 3600 + 5 * 60 + 6), "3d 04:05:06");
  EXPECT_EQ(format_duration(-1), "?");
  EXPECT_EQ(format_duration(NAN), "?");
  EXPECT_EQ(format_duration(INFINITY), "?");
}

TEST(ProgressTest, PlainLinesComeAtMostEveryInterval) {
  Recorder recorder;
  Progress progress("run", 1000, 0, recorder.options(ProgressOptions::Style::plain));
  recorder.time += 9.9;
  EXPECT_FALSE(progress.due());
  progress.update(99, {});
  EXPECT_EQ(recorder.text, "");
  recorder.time += 0.1;
  EXPECT_TRUE(progress.due());
  progress.update(100, {{"loss", 2}});
  EXPECT_EQ(recorder.text, "run  100/1,000  10.0%  10.0 it/s  ETA 1:30  loss 2.000\n");
  recorder.time += 1;
  progress.update(200, {});
  progress.message("wrote a checkpoint");
  recorder.time += 0.1;
  progress.update(1000, {});  // the last one in any case, once
  progress.update(1000, {});
  progress.finish();
  const std::string rest = recorder.text.substr(recorder.text.find('\n') + 1);
  EXPECT_EQ(rest.substr(0, 19), "wrote a checkpoint\n");
  EXPECT_EQ(rest.substr(19, 22), "run  1,000/1,000  100.");
  EXPECT_EQ(std::count(recorder.text.begin(), recorder.text.end(), '\n'), 3);
  EXPECT_EQ(recorder.text.find('\r'), std::string::npos);
}

TEST(ProgressTest, TheLiveLineIsRedrawnAndCutToTheTerminal) {
  Recorder recorder;
  recorder.columns = 21;
  {
    Progress progress("run", 1000, 500, recorder.options(ProgressOptions::Style::live));
    recorder.time += 1;
    progress.update(510, {});
    EXPECT_EQ(recorder.text, "\r\x1b[Krun  510/1,000  51.0");
    recorder.time += 0.05;
    progress.update(511, {});
    recorder.text.clear();
    progress.message("note");
    EXPECT_EQ(recorder.text, "\r\x1b[Knote\nrun  510/1,000  51.0");
    recorder.text.clear();
  }
  EXPECT_EQ(recorder.text, "\n");  // the destructor ends the line
}

TEST(ProgressTest, TheLiveLineIsCutBetweenCharacters) {
  Recorder recorder;
  recorder.columns = 4;
  Progress progress("b\xC3\xA4\xC3\xA4\xC3\xA4", 1000, 500, recorder.options(ProgressOptions::Style::live));
  recorder.time += 1;
  progress.update(510, {});
  EXPECT_EQ(recorder.text, "\r\x1b[Kb\xC3\xA4\xC3\xA4");
}

/// While it lives, stderr is a terminal, and TERM what it says; null: not set.
class Terminal {
 public:
  explicit Terminal(const char* term)
      : stderr_(dup(STDERR_FILENO)), master_(posix_openpt(O_RDWR | O_NOCTTY)) {
    if (const char* before = std::getenv("TERM")) term_ = before;
    if (term != nullptr) {
      setenv("TERM", term, 1);
    } else {
      unsetenv("TERM");
    }
    if (master_ < 0 || grantpt(master_) != 0 || unlockpt(master_) != 0) return;
    slave_ = open(ptsname(master_), O_RDWR | O_NOCTTY);
    if (slave_ >= 0) dup2(slave_, STDERR_FILENO);
  }
  ~Terminal() {
    dup2(stderr_, STDERR_FILENO);
    for (const int file : {stderr_, slave_, master_}) close(file);
    if (term_) {
      setenv("TERM", term_->c_str(), 1);
    } else {
      unsetenv("TERM");
    }
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  [[nodiscard]] bool there() const { return slave_ >= 0; }

 private:
  int stderr_, master_, slave_ = -1;
  std::optional<std::string> term_;
};

TEST(ProgressTest, ControlCodesGoToTerminalsThatKnowThem) {
  const auto has_control_codes = [](const char* term) {
    Recorder recorder;
    const Terminal terminal(term);
    EXPECT_TRUE(terminal.there()) << "no pseudoterminal here";
    Progress progress("run", 10, 0, recorder.options(ProgressOptions::Style::automatic));
    progress.update(10, {});
    progress.finish();
    EXPECT_NE(recorder.text, "");
    return recorder.text.find_first_of("\r\x1b") != std::string::npos;
  };
  EXPECT_TRUE(has_control_codes("xterm-256color"));
  EXPECT_FALSE(has_control_codes("dumb"));
  EXPECT_FALSE(has_control_codes(""));
  EXPECT_FALSE(has_control_codes(nullptr));
}

TEST(ProgressTest, ARunThatIsDoneSaysSoAndSilenceIsSilent) {
  Recorder recorder;
  {
    Progress progress("run", 10, 10, recorder.options(ProgressOptions::Style::plain));
    progress.update(10, {});
    EXPECT_EQ(recorder.text, "run  10/10  100.0%  ? it/s  ETA 0:00\n");
  }
  recorder.text.clear();
  Progress progress("run", 10, 0, recorder.options(ProgressOptions::Style::silent));
  progress.update(10, {});
  progress.message("note");
  progress.finish();
  EXPECT_EQ(recorder.text, "");
}

}  // namespace
}  // namespace ebm
