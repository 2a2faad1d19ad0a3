// SPDX-License-Identifier: MIT
#include "runs/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <deque>
#include <list>
#include <thread>

#include "io/atomic_file.h"
#include "io/child_process.h"
#include "io/file_lock.h"
#include "io/program.h"
#include "io/progress.h"
#include "io/stop_watch.h"
#include "runs/planned_run.h"

namespace ebm {

namespace {

namespace fs = std::filesystem;

constexpr auto look_interval = std::chrono::milliseconds(20);
constexpr double log_interval = 2;  // seconds between looks at the runs' logs

fs::path folder_of(const fs::path& out) {
  fs::path folder = out;
  folder.replace_extension();
  if (folder == out) throw UsageError("'" + out.string() + "' has no ending; give a name such as sweep.h5");
  return folder;
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error)
    throw Error("cannot make the folder " + folder.string() + ": " + error.message() +
                "; choose another with --out, or mend its permissions");
}

/// A run at work.
struct Job {
  size_t run;
  ChildProcess process;
  uintmax_t log_start;  // bytes that earlier starts left in its log
  int64_t iterations;   // that it has done
};

/// What a program said last in its log: its own line of an error, where there is one.
std::string last_words(const fs::path& log, uintmax_t from, const std::string& program) {
  const auto bytes = read_file(log);
  const size_t first = std::min<size_t>(from, bytes.size());
  std::string text(bytes.begin() + static_cast<std::ptrdiff_t>(first), bytes.end()), last;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.starts_with(program + ": ")) return line;
    if (!line.empty()) last = std::move(line);
    at = end + 1;
  }
  return last;
}

class Sweep {
 public:
  Sweep(const SweepOptions& options, const std::vector<NameValue>& environment)
      : options_(options), table_(read_grid_table(options.table)) {
    results_.program = fs::path(table_.program).filename().string();
    results_.table = table_.text;
    results_.environment = environment;
  }

  /// Has the program check every run, and writes nothing.
  void plan(const fs::path& folder);
  /// Looks which runs are complete.
  void survey();
  void train(const StopRequest& request);
  SweepResults results() && { return std::move(results_); }

 private:
  SweptRun& result_of(const PlannedRun& run) {
    auto& runs = results_.configurations[run.configuration].runs;
    return *std::find_if(runs.begin(), runs.end(), [&](const SweptRun& one) { return one.seed == run.seed; });
  }
  std::string name_of(const PlannedRun& run) const {
    return fmt::format("{}/seed-{}", table_.points[run.configuration].name, run.seed);
  }
  void start(size_t index);
  void finish(const Job& job, int status);
  void judge(const PlannedRun& run, const Job& job, int status);
  void look_at_logs();
  void tell(const std::string& line) { progress_->message(line); }
  void write() const { write_sweep(options_.out, results_); }

  const SweepOptions& options_;
  GridTable table_;
  SweepResults results_;
  std::vector<PlannedRun> runs_;
  std::deque<size_t> waiting_;
  std::list<Job> jobs_;
  std::optional<Progress> progress_;
  int64_t ended_ = 0;  // iterations of runs that are not at work
  double looked_ = 0;
};

void Sweep::plan(const fs::path& folder) {
  const fs::path program = program_named(table_.program);
  for (size_t point = 0; point < table_.points.size(); ++point) {
    const GridPoint& given = table_.points[point];
    for (const int64_t seed : table_.seeds) {
      try {
        runs_.push_back(plan_run(program, folder, table_, point, seed));
      } catch (const Error& error) {
        throw Error(fmt::format("{}:{}: {}", options_.table.string(), given.line, error.what()));
      }
    }
    SweptConfiguration& configuration = results_.configurations.emplace_back();
    configuration.name = given.name;
    for (const OptionValue& option : config_options(runs_.back().config, program.string())) {
      if (option.name == "seed" || option.name == "out") continue;
      configuration.options.push_back(option);
      const auto same = [&](const OptionValue& one) { return one.name == option.name; };
      if (std::any_of(given.options.begin(), given.options.end(), same))
        configuration.changed.push_back(option);
    }
  }
}

void Sweep::survey() {
  int64_t total = 0;
  for (size_t i = 0; i < runs_.size(); ++i) {
    const PlannedRun& run = runs_[i];
    SweptRun& result = results_.configurations[run.configuration].runs.emplace_back();
    result.seed = run.seed;
    try {
      result = read_swept_run(run);
      if (is_complete(run)) {
        result.status = RunStatus::complete;
        continue;
      }
    } catch (const Error& error) {  // the program makes run.h5 anew from the checkpoint
      std::fprintf(stderr, "note: %s\n", error.what());
    }
    waiting_.push_back(i);
    total += run.iterations;
    ended_ += std::min(iterations_logged(run), run.iterations);
  }
  progress_.emplace("sweep", total, ended_);
  print(fmt::format("{} runs, {} complete\n", runs_.size(), runs_.size() - waiting_.size()));
  std::fflush(stdout);
  write();
}

void Sweep::start(size_t index) {
  const PlannedRun& run = runs_[index];
  const fs::path log = run.folder / "log.txt";
  std::error_code ignored;
  fs::create_directories(run.folder, ignored);  // else the log cannot be opened, which says why
  const uintmax_t size = fs::exists(log, ignored) ? fs::file_size(log, ignored) : 0;
  jobs_.push_back(
      {.run = index,
       .process = ChildProcess(run.command, {{"OMP_NUM_THREADS", std::to_string(options_.threads)}}, log),
       .log_start = size,
       .iterations = std::min(iterations_logged(run), run.iterations)});
  ended_ -= jobs_.back().iterations;
}

void Sweep::judge(const PlannedRun& run, const Job& job, int status) {
  SweptRun& result = result_of(run);
  try {
    result = read_swept_run(run);
    const bool stopped = status == 128 + SIGTERM || status == 0;
    result.status = status == 0 && iterations_done(run) >= run.iterations ? RunStatus::complete
                    : stopped                                             ? RunStatus::stopped
                                                                          : RunStatus::failed;
    if (result.status == RunStatus::failed) {
      result.message = last_words(run.folder / "log.txt", job.log_start, results_.program);
      if (result.message.empty() || status > 128) result.message = fmt::format("status {}", status);
    }
  } catch (const Error& error) {
    result.status = RunStatus::failed;
    result.message = error.what();
  }
}

void Sweep::finish(const Job& job, int status) {
  const PlannedRun& run = runs_[job.run];
  judge(run, job, status);
  const SweptRun& result = result_of(run);
  ended_ += run.iterations;  // of a failed one too: nothing of it is left to be done
  switch (result.status) {
    case RunStatus::complete:
      tell(fmt::format("{}: complete, {} of training", name_of(run), format_duration(result.seconds)));
      break;
    case RunStatus::failed:
      tell(fmt::format("{}: failed: {}", name_of(run), result.message));
      break;
    default:
      tell(fmt::format("{}: stopped", name_of(run)));
  }
  write();
}

void Sweep::look_at_logs() {
  if (steady_seconds() - looked_ < log_interval || !progress_->due()) return;
  int64_t done = ended_;
  for (Job& job : jobs_) {
    job.iterations = std::max(job.iterations, iterations_logged(runs_[job.run]));
    done += job.iterations;
  }
  looked_ = steady_seconds();
  progress_->update(done, {});
}

void Sweep::train(const StopRequest& request) {
  bool asked = false;
  while (!jobs_.empty() || (!waiting_.empty() && !asked)) {
    if (request.requested() && !asked) {
      asked = true;
      for (const Job& job : jobs_) job.process.ask_to_stop();
    }
    while (!asked && !waiting_.empty() && std::ssize(jobs_) < options_.jobs) {
      start(waiting_.front());
      waiting_.pop_front();
    }
    std::erase_if(jobs_, [this](Job& job) {
      const std::optional<int> status = job.process.status();
      if (status) finish(job, *status);
      return status.has_value();
    });
    look_at_logs();
    std::this_thread::sleep_for(look_interval);
  }
  progress_->finish();
}

}  // namespace

SweepEnd run_sweep(const SweepOptions& options, const std::vector<NameValue>& environment) {
  check_sweep_file(options.out);
  const fs::path folder = folder_of(options.out);
  Sweep sweep(options, environment);
  sweep.plan(folder);
  make_folder(folder);
  // Inherited by the runs: those that outlive a killed sweep are waited for too.
  const FileLock lock(folder, ".sweep.lock", "waiting for another sweep in " + folder.string());
  const StopRequest request;
  sweep.survey();
  sweep.train(request);
  return {std::move(sweep).results(), request.requested()};
}

}  // namespace ebm
