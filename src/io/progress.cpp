// SPDX-License-Identifier: MIT
#include "io/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "io/stop_watch.h"
#include "io/text_columns.h"

namespace ebm {
namespace {

constexpr std::string_view erase_line = "\r\x1b[K";

void write_stderr(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written <= 0) return;  // progress is no reason to stop a run
    text.remove_prefix(static_cast<size_t>(written));
  }
}

int64_t terminal_columns() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/// A terminal that knows control codes: not one that says it is none (TERM=dumb), nor one of no name.
bool is_live_terminal() {
  const char* const name = std::getenv("TERM");
  return isatty(STDERR_FILENO) == 1 && name != nullptr && *name != '\0' && std::string_view(name) != "dumb";
}

std::string format_rate(double rate) {
  if (!(rate > 0) || !std::isfinite(rate)) return "? it/s";
  return rate >= 100 ? fmt::format("{:.0f} it/s", rate)
         : rate >= 1 ? fmt::format("{:.1f} it/s", rate)
                     : fmt::format("{:.1f} s/it", 1 / rate);
}

std::string rate_of(const ProgressState& state) {
  const std::string rate = format_rate(state.rate);
  const double images = state.images * state.rate;
  return images > 0 && std::isfinite(images) ? fmt::format("{}  {:.0f} images/s", rate, images) : rate;
}

std::string format_value(double value) {
  const double size = std::abs(value);
  if (value == 0 || (size >= 1e-3 && size < 1e5)) return fmt::format("{:#.4g}", value);
  return fmt::format("{:.3e}", value);
}

}  // namespace

std::string format_count(int64_t count) {
  std::string digits = fmt::format("{}", count);
  const std::ptrdiff_t first = count < 0 ? 1 : 0;
  for (std::ptrdiff_t at = std::ssize(digits) - 3; at > first; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string format_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return "?";
  const auto s = std::llround(seconds);
  if (s >= 86400) return fmt::format("{}d {:02}:{:02}:{:02}", s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
  if (s >= 3600) return fmt::format("{}:{:02}:{:02}", s / 3600, s / 60 % 60, s % 60);
  return fmt::format("{}:{:02}", s / 60, s % 60);
}

std::string format_progress(const ProgressState& state) {
  const auto left = static_cast<double>(state.total - state.iteration);
  const double share =
      state.total > 0 ? static_cast<double>(state.iteration) / static_cast<double>(state.total) : 1;
  // Rounded down: 100.0% is said when it is done, and not before.
  const double percent = std::floor(1000 * share) / 10;
  const double remaining = left <= 0 ? 0 : state.rate > 0 ? left / state.rate : -1;
  std::string line =
      fmt::format("{}  {}/{}  {:.1f}%  {}  ETA {}", state.name, format_count(state.iteration),
                  format_count(state.total), percent, rate_of(state), format_duration(remaining));
  for (const auto& [name, value] : state.values) line += fmt::format("  {} {}", name, format_value(value));
  return line;
}

Progress::Progress(std::string name, int64_t total, int64_t start, ProgressOptions options)
    : name_(std::move(name)), total_(total), options_(std::move(options)), last_iteration_(start) {
  using Style = ProgressOptions::Style;
  if (!options_.write) options_.write = write_stderr;
  if (!options_.now) options_.now = steady_seconds;
  if (!options_.columns) options_.columns = terminal_columns;
  if (options_.style == Style::automatic) options_.style = is_live_terminal() ? Style::live : Style::plain;
  last_time_ = options_.now();
}

Progress::~Progress() {
  try {
    finish();
  } catch (...) {
  }
}

void Progress::write(std::string_view text) const {
  if (options_.style != ProgressOptions::Style::silent) options_.write(text);
}

bool Progress::due() const {
  const double since = options_.now() - last_time_;
  return since >= (live() ? options_.live_interval : options_.plain_interval);
}

void Progress::update(int64_t iteration, const std::vector<ProgressValue>& values) {
  const bool last = iteration >= total_ && (iteration > last_iteration_ || !printed_);
  if (!last && !due()) return;
  const double now = options_.now();
  if (now > last_time_ && iteration > last_iteration_) {
    const double rate = static_cast<double>(iteration - last_iteration_) / (now - last_time_);
    // An average over about three seconds, so that the live line's figures can be read.
    const double weight = 1 - std::exp(-(now - last_time_) / 3);
    rate_ = rate_ > 0 ? rate_ + weight * (rate - rate_) : rate;
  }
  last_time_ = now;
  last_iteration_ = iteration;
  printed_ = true;
  std::string line = format_progress({.name = name_,
                                      .iteration = iteration,
                                      .total = total_,
                                      .rate = rate_,
                                      .images = options_.images,
                                      .values = values});
  if (live()) {
    // A line that wraps could not be taken back.
    line = std::string(first_columns(line, std::max<int64_t>(options_.columns() - 1, 1)));
    write(std::string(erase_line) + line);
    line_ = std::move(line);
  } else {
    write(line + "\n");
  }
}

void Progress::message(std::string_view text) {
  write(line_.empty() ? fmt::format("{}\n", text) : fmt::format("{}{}\n{}", erase_line, text, line_));
}

void Progress::finish() {
  if (!line_.empty()) write("\n");
  line_.clear();
}

}  // namespace ebm
