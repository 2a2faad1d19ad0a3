// SPDX-License-Identifier: MIT
#include "runs/planned_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "io/child_process.h"
#include "train/run_folder.h"

namespace ebm {

namespace {

/// As it stands on a command line.
std::string word_of(const OptionValue& option) {
  if (const bool* flag = std::get_if<bool>(&option.value))
    return (*flag ? "--" : "--no-") + with_dashes(option.name);
  return "--" + with_dashes(option.name) + "=" + value_text(option.value);
}

/// The last row in which an evaluation has a number.
std::optional<size_t> last_evaluated(const RunLogContent& log) {
  const MetricTable& table = log.metrics;
  for (size_t row = table.iterations.size(); row-- > 0;) {
    for (size_t c = 0; c < table.names.size(); ++c) {
      const bool evaluated =
          std::find(log.evaluated.begin(), log.evaluated.end(), table.names[c]) != log.evaluated.end();
      if (evaluated && !std::isnan(table.columns[c][row])) return row;
    }
  }
  return std::nullopt;
}

}  // namespace

std::filesystem::path program_named(const std::string& name) {
  const std::filesystem::path path(name);
  return path.has_parent_path() ? path : program_folder() / path;
}

PlannedRun plan_run(const std::filesystem::path& program, const std::filesystem::path& folder,
                    const GridTable& table, size_t point, int64_t seed) {
  const GridPoint& configuration = table.points[point];
  PlannedRun run{.configuration = point,
                 .seed = seed,
                 .folder = folder / configuration.name / fmt::format("seed-{}", seed),
                 .command = {program.string()},
                 .config = {}};
  for (const OptionValue& option : configuration.options) run.command.push_back(word_of(option));
  run.command.push_back(fmt::format("--seed={}", seed));
  run.command.push_back("--out=" + run.folder.string());
  std::vector<std::string> check = run.command;
  check.emplace_back("--print-config");
  const ChildEnd end = run_child(std::move(check), ChildOut::taken);
  if (end.status != 0)
    throw Error(fmt::format("configuration '{}', seed {}: {}", configuration.name, seed, end.reason()));
  run.config = end.out;
  for (const OptionValue& option : config_options(run.config, program.string())) {
    if (const auto* count = std::get_if<int64_t>(&option.value);
        count != nullptr && option.name == "iterations")
      run.iterations = *count;
  }
  if (run.iterations < 1) throw Error(program.string() + " trains for no iterations; give toy_bb or another");
  return run;
}

int64_t iterations_done(const PlannedRun& run) {
  const auto newest = newest_checkpoint(run.folder);
  return newest ? open_checkpoint(*newest).read_attribute<int64_t>("/", "iteration") : 0;
}

int64_t iterations_logged(const PlannedRun& run) {
  try {
    const auto rows =
        Hdf5File::open_read(run.folder / "run.h5").read_dataset<int64_t>("metrics/iteration").values;
    return rows.empty() ? 0 : rows.back();
  } catch (const Error&) {
    return 0;  // not there yet, or just made anew
  }
}

bool is_complete(const PlannedRun& run) {
  try {
    const auto newest = newest_checkpoint(run.folder);
    if (!newest) return false;
    const Hdf5File file = open_checkpoint(*newest);
    return file.read_attribute<int64_t>("/", "iteration") >= run.iterations &&
           file.read_attribute<std::string>("/", "config") == run.config;
  } catch (const Error&) {
    return false;  // the program says what is wrong
  }
}

SweptRun read_swept_run(const PlannedRun& run) {
  SweptRun result;
  result.seed = run.seed;
  result.command = command_line(run.command);
  const std::filesystem::path path = run.folder / "run.h5";
  if (std::error_code ignored; !std::filesystem::exists(path, ignored)) return result;
  const RunLogContent log = read_run_log(path);
  result.seconds = log.time.seconds;
  for (const NameValue& entry : log.environment)
    if (entry.name == "version") result.version = entry.value;
  const std::optional<size_t> row = last_evaluated(log);
  if (!row) return result;
  result.iteration = log.metrics.iterations[*row];
  for (size_t c = 0; c < log.metrics.names.size(); ++c) {
    const std::string& name = log.metrics.names[c];
    const bool evaluated = std::find(log.evaluated.begin(), log.evaluated.end(), name) != log.evaluated.end();
    (evaluated ? result.evaluated : result.training).push_back({name, log.metrics.columns[c][*row]});
  }
  return result;
}

}  // namespace ebm
