// SPDX-License-Identifier: MIT
#include "report/sweep_results.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include "io/atomic_file.h"
#include "metrics/spread.h"
#include "train/evaluation.h"

namespace ebm {

namespace {

constexpr const char* layout = "ebm sweep 1";
constexpr std::array<const char*, 4> status_names{"waiting", "complete", "stopped", "failed"};

const char* name_of(RunStatus status) {
  return status_names[static_cast<size_t>(status)];
}

RunStatus status_named(const std::string& name, const std::string& file) {
  for (size_t i = 0; i < status_names.size(); ++i)
    if (name == status_names[i]) return static_cast<RunStatus>(i);
  throw DamagedFile(fmt::format("'{}' has a run with the status '{}'; run the sweep again", file, name));
}

const double* find(const std::vector<NamedNumber>& numbers, const std::string& name) {
  const auto found =
      std::find_if(numbers.begin(), numbers.end(), [&](const NamedNumber& one) { return one.name == name; });
  return found == numbers.end() ? nullptr : &found->value;
}

using Numbers = std::vector<NamedNumber> SweptRun::*;

/// The names of all runs, in the order in which they come.
std::vector<std::string> names_of(const std::vector<SweptRun>& runs, Numbers numbers) {
  std::vector<std::string> names;
  for (const SweptRun& run : runs) {
    for (const NamedNumber& one : run.*numbers)
      if (std::find(names.begin(), names.end(), one.name) == names.end()) names.push_back(one.name);
  }
  return names;
}

/// One array over the runs for each name.
void write_numbers(Hdf5File& file, const std::string& group, const std::vector<SweptRun>& runs,
                   Numbers numbers) {
  for (const std::string& name : names_of(runs, numbers)) {
    std::vector<double> values;
    for (const SweptRun& run : runs) {
      const double* value = find(run.*numbers, name);
      values.push_back(value == nullptr ? not_there : *value);
    }
    file.write_dataset(group + "/" + name, values, {std::ssize(values)});
  }
}

void write_options(Hdf5File& file, const std::string& group, const std::vector<OptionValue>& options) {
  file.make_group(group);
  for (const OptionValue& option : options) write_option(file, group, option);
}

std::string run_group(const std::string& group, int64_t seed) {
  return fmt::format("{}/runs/seed-{}", group, seed);
}

void write_configuration(Hdf5File& file, const SweptConfiguration& configuration, int64_t position) {
  const std::string group = "configurations/" + configuration.name;
  const std::vector<SweptRun>& runs = configuration.runs;
  write_options(file, group + "/changed", configuration.changed);
  write_options(file, group + "/options", configuration.options);
  file.write_attribute(group, "position", position);
  std::vector<int64_t> seeds, iterations;
  std::vector<double> seconds;
  std::vector<uint8_t> complete;
  for (const SweptRun& run : runs) {
    seeds.push_back(run.seed);
    iterations.push_back(run.iteration);
    seconds.push_back(run.seconds);
    complete.push_back(run.status == RunStatus::complete ? 1 : 0);
    const std::string name = run_group(group, run.seed);
    file.make_group(name);
    file.write_attribute(name, "status", name_of(run.status));
    file.write_attribute(name, "message", run.message);
    file.write_attribute(name, "version", run.version);
    file.write_attribute(name, "command", run.command);
  }
  const std::vector<int64_t> dims{std::ssize(runs)};
  file.write_dataset(group + "/seed", seeds, dims);
  file.write_dataset(group + "/iteration", iterations, dims);
  file.write_dataset(group + "/seconds", seconds, dims);
  file.write_dataset(group + "/complete", complete, dims);
  write_numbers(file, group + "/evaluated", runs, &SweptRun::evaluated);
  write_numbers(file, group + "/training", runs, &SweptRun::training);
}

void read_numbers(const Hdf5File& file, const std::string& group, std::vector<SweptRun>& runs,
                  Numbers numbers) {
  if (!file.has(group)) return;
  for (const std::string& name : file.list(group)) {
    const std::vector<double> values = file.read_dataset<double>(group + "/" + name).values;
    for (size_t i = 0; i < runs.size(); ++i) (runs[i].*numbers).push_back({name, values.at(i)});
  }
}

SweptConfiguration read_configuration(const Hdf5File& file, const std::string& name) {
  const std::string group = "configurations/" + name;
  SweptConfiguration configuration{.name = name, .changed = {}, .options = {}, .runs = {}};
  const std::vector<double> seconds = file.read_dataset<double>(group + "/seconds").values;
  for (const int64_t seed : file.read_dataset<int64_t>(group + "/seed").values) {
    SweptRun& run = configuration.runs.emplace_back();
    run.seed = seed;
    run.seconds = seconds.at(configuration.runs.size() - 1);
    const std::string attributes = run_group(group, seed);
    run.status = status_named(file.read_attribute<std::string>(attributes, "status"), file.path().string());
    run.message = file.read_attribute<std::string>(attributes, "message");
  }
  read_numbers(file, group + "/evaluated", configuration.runs, &SweptRun::evaluated);
  read_numbers(file, group + "/training", configuration.runs, &SweptRun::training);
  return configuration;
}

std::optional<double> number_of(const SweptRun& run, const std::string& column) {
  if (column == "seconds") return run.seconds;
  const double* value = find(run.evaluated, column);
  if (value == nullptr) value = find(run.training, column);
  return value == nullptr ? std::nullopt : std::optional(*value);
}

/// Of the complete runs of a configuration.
std::vector<double> column_of(const SweptConfiguration& configuration, const std::string& column) {
  std::vector<double> values;
  for (const SweptRun& run : configuration.runs) {
    const std::optional<double> value = number_of(run, column);
    if (run.status == RunStatus::complete && value) values.push_back(*value);
  }
  return values;
}

std::vector<SweptRun> complete_runs(const SweepResults& results) {
  std::vector<SweptRun> runs;
  for (const SweptConfiguration& configuration : results.configurations) {
    std::copy_if(configuration.runs.begin(), configuration.runs.end(), std::back_inserter(runs),
                 [](const SweptRun& run) { return run.status == RunStatus::complete; });
  }
  return runs;
}

std::vector<std::string> default_columns(const std::vector<SweptRun>& runs) {
  std::vector<std::string> names = names_of(runs, &SweptRun::evaluated);
  std::erase_if(names, [&](const std::string& name) {
    return std::all_of(runs.begin(), runs.end(), [&](const SweptRun& run) {
      const double* value = find(run.evaluated, name);
      return value == nullptr || std::isnan(*value);
    });
  });
  return names;
}

void require_column(const std::vector<SweptRun>& runs, const std::string& name) {
  const auto has = [&](const SweptRun& run) { return number_of(run, name).has_value(); };
  if (runs.empty() || std::any_of(runs.begin(), runs.end(), has)) return;
  std::vector<std::string> names = names_of(runs, &SweptRun::evaluated);
  for (const std::string& other : names_of(runs, &SweptRun::training)) names.push_back(other);
  throw UsageError(
      fmt::format("'{}' is no column of these runs; give one of seconds, {}", name, fmt::join(names, ", ")));
}

/// Ascending by the mean of a column; those that have none, or NaN, last.
std::vector<const SweptConfiguration*> sorted(const SweepResults& results, const std::string& column) {
  std::vector<const SweptConfiguration*> rows;
  for (const SweptConfiguration& one : results.configurations) rows.push_back(&one);
  if (column.empty()) return rows;
  const auto key = [&](const SweptConfiguration* one) {
    const std::vector<double> values = column_of(*one, column);
    const double mean = values.empty() ? not_there : mean_and_deviation(values).mean;
    return std::pair(std::isnan(mean), std::isnan(mean) ? 0 : mean);
  };
  std::stable_sort(rows.begin(), rows.end(), [&](const auto* a, const auto* b) { return key(a) < key(b); });
  return rows;
}

}  // namespace

void check_sweep_file(const std::filesystem::path& path) {
  if (std::error_code ignored; !std::filesystem::exists(path, ignored)) return;
  const Hdf5File file = Hdf5File::open_read(path);
  if (!file.has_attribute("/", "layout") || file.read_attribute<std::string>("/", "layout") != layout)
    throw Error(fmt::format("'{}' is not the file of a sweep; give another", path.string()));
}

void write_sweep(const std::filesystem::path& path, const SweepResults& results) {
  write_atomically(path, [&](const std::filesystem::path& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    file.write_attribute("/", "layout", layout);
    file.write_attribute("/", "program", results.program);
    file.write_attribute("/", "table", results.table);
    for (const NameValue& entry : results.environment) file.write_attribute("/", entry.name, entry.value);
    int64_t position = 0;
    for (const SweptConfiguration& one : results.configurations) write_configuration(file, one, position++);
    file.close();
  });
}

SweepResults read_sweep(const std::filesystem::path& path) {
  check_sweep_file(path);
  const Hdf5File file = Hdf5File::open_read(path);
  SweepResults results;
  results.program = file.read_attribute<std::string>("/", "program");
  std::vector<std::pair<int64_t, std::string>> names;
  for (const std::string& name : file.list("configurations"))
    names.emplace_back(file.read_attribute<int64_t>("configurations/" + name, "position"), name);
  std::sort(names.begin(), names.end());
  for (const auto& [position, name] : names) results.configurations.push_back(read_configuration(file, name));
  return results;
}

Table sweep_table(const SweepResults& results, const SweepColumns& columns) {
  const std::vector<SweptRun> complete = complete_runs(results);
  std::vector<std::string> names = columns.names;
  for (const std::string& name : names) require_column(complete, name);
  if (!columns.sort.empty()) require_column(complete, columns.sort);
  if (names.empty()) names = default_columns(complete);
  Table table{.title = {}, .header = {"configuration", "runs"}, .rows = {}, .footnotes = {}};
  table.header.insert(table.header.end(), names.begin(), names.end());
  table.header.emplace_back("seconds");
  size_t all = 0;
  for (const SweptConfiguration* one : sorted(results, columns.sort)) {
    const size_t done = column_of(*one, "seconds").size(), runs = one->runs.size();
    all += runs;
    std::vector<std::string> row{one->name,
                                 done == runs ? std::to_string(runs) : fmt::format("{} of {}", done, runs)};
    for (const std::string& name : names) row.push_back(mean_and_spread(column_of(*one, name)));
    row.push_back(mean_and_spread(column_of(*one, "seconds")));
    table.rows.push_back(std::move(row));
    for (const SweptRun& run : one->runs) {
      if (run.status == RunStatus::failed)
        table.footnotes.push_back(
            fmt::format("failed: {} with seed {}: {}", one->name, run.seed, run.message));
    }
  }
  table.title = fmt::format("{}, {} of {} runs: mean ± standard deviation over seeds", results.program,
                            complete.size(), all);
  return table;
}

}  // namespace ebm
