// SPDX-License-Identifier: MIT
#pragma once
// The line on stderr that says how far a run is:
//   toy_bb  12,000/150,000  8.0%  1523 it/s  ETA 1:31  energy_loss 0.1230  ...
// On a terminal one live line; else (a file, a batch job, TERM=dumb) a plain line now and then.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ebm {

struct ProgressValue {
  std::string_view name;
  double value = 0;
};

struct ProgressState {
  std::string_view name = {};
  int64_t iteration = 0;  // done
  int64_t total = 0;      // to be done in all
  double rate = 0;        // iterations per second; 0 or less: not known yet
  double images = 0;      // of an iteration, whose rate is told too; 0: it is not
  std::vector<ProgressValue> values = {};
};

/// The line for a state, without line end.
[[nodiscard]] std::string format_progress(const ProgressState& state);

/// "12,345", "-1,000".
[[nodiscard]] std::string format_count(int64_t count);

/// "0:07", "1:31", "2:03:59", "3d 04:05:06"; "?" when it is not finite or negative.
[[nodiscard]] std::string format_duration(double seconds);

struct ProgressOptions {
  enum class Style { automatic, live, plain, silent };
  Style style = Style::automatic;  // live when stderr is a terminal that knows control codes
  double plain_interval = 10;      // seconds between plain lines, at least
  double live_interval = 0.1;      // seconds between redrawings of the live line, at least
  double images = 0;               // of an iteration, to tell images a second; 0: not to tell
  /// For tests: where text goes (stderr), a clock in seconds, the terminal's width.
  std::function<void(std::string_view)> write = {};
  std::function<double()> now = {};
  std::function<int64_t()> columns = {};
};

class Progress {
 public:
  /// A run of `total` iterations, of which `start` are done already. Throws nothing.
  Progress(std::string name, int64_t total, int64_t start = 0, ProgressOptions options = {});
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();  // ends a live line

  /// Whether a call of update now would print: for callers to whom values cost something.
  [[nodiscard]] bool due() const;
  /// Tells that `iteration` iterations are done, and the latest values; prints when due, and at the last
  /// iteration.
  void update(int64_t iteration, const std::vector<ProgressValue>& values);
  /// Prints a line of text of its own (a checkpoint was written), without disturbing the live line.
  void message(std::string_view text);
  /// Ends the live line.
  void finish();

 private:
  void write(std::string_view text) const;
  [[nodiscard]] bool live() const { return options_.style == ProgressOptions::Style::live; }

  std::string name_;
  int64_t total_;
  ProgressOptions options_;
  double last_time_;  // of the last printed line
  int64_t last_iteration_;
  double rate_ = 0;  // smoothed over the last lines
  bool printed_ = false;
  std::string line_;  // the live line now on the terminal
};

}  // namespace ebm
