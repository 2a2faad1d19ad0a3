// SPDX-License-Identifier: MIT
#include "report/paper_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "core/error.h"
#include "io/progress.h"
#include "metrics/spread.h"
#include "report/paper_numbers.h"

namespace ebm {

namespace {

double mean_of(const std::vector<double>& x) {
  return mean_and_deviation(x).mean;
}

std::string mean_and_spread(const std::vector<double>& x, int decimals) {
  const double mean = mean_of(x);
  if (x.size() < 2) return fmt::format("{:.{}f}", mean, decimals);
  return fmt::format("{:.{}f} ± {:.{}f}", mean, decimals, sample_deviation(x), decimals);
}

/// The numbers of one column of one method, and what its footnotes say.
struct Found {
  std::vector<std::vector<double>> runs;  // repeats of each
  std::set<std::string> iterations, protocols;
};

bool belongs(const ReportedRun& run, const PaperRow& row, const PaperColumn& column) {
  return run.method == row.method && run.data == (column.data != nullptr ? column.data : row.data);
}

/// What a run measured for a column, or null.
const MeasuredMetric* metric_of(const PaperColumn& column, const ReportedRun& run) {
  for (const std::string& name : column.metrics)
    for (const MeasuredMetric& metric : run.metrics)
      if (metric.name == name) return &metric;
  return nullptr;
}

Found found_of(const PaperColumn& column, const PaperRow& row, const std::vector<ReportedRun>& runs) {
  Found found;
  for (const ReportedRun& run : runs) {
    const MeasuredMetric* const metric = belongs(run, row, column) ? metric_of(column, run) : nullptr;
    if (metric == nullptr) continue;
    for (const MeasuredValue& value : metric->values)
      if (value.name == column.value && !value.repeats.empty()) found.runs.push_back(value.repeats);
    found.iterations.insert(format_count(metric->iteration));
    found.protocols.insert(metric->protocol);
  }
  return found;
}

std::string cell_of(const Found& found, int decimals) {
  if (found.runs.empty()) return "";
  if (found.runs.size() == 1) return mean_and_spread(found.runs.front(), decimals);
  std::vector<double> means;
  for (const std::vector<double>& repeats : found.runs) means.push_back(mean_of(repeats));
  return mean_and_spread(means, decimals);
}

std::string listed(const std::set<std::string>& parts, const char* between) {
  std::string text;
  for (const std::string& part : parts) text += (text.empty() ? "" : between) + part;
  return text;
}

/// A title, and cells that are empty.
std::vector<std::string> heading(const char* title, size_t columns) {
  std::vector<std::string> cells(columns);
  cells.front() = title;
  return cells;
}

const PaperTable& paper_of(int64_t number, FeatureKind features) {
  if (number == 3 && features == FeatureKind::classifier) return classifier_table();
  for (const PaperTable& table : paper_numbers())
    if (table.number == number) return table;
  throw Error(fmt::format("table {} is not made here; give 1 to 5", number));
}

/// The runs of a row, and of them those without a number in it.
struct RowRuns {
  std::vector<ReportedRun> all, not_measured;
};

RowRuns runs_of(const PaperTable& paper, const PaperRow& row, const std::vector<ReportedRun>& runs) {
  RowRuns of;
  for (const ReportedRun& run : runs) {
    bool in_row = false, measured = false;
    for (const PaperColumn& column : paper.columns) {
      if (!belongs(run, row, column)) continue;
      in_row = true;
      measured |= metric_of(column, run) != nullptr;
    }
    if (in_row) of.all.push_back(run);
    if (in_row && !measured) of.not_measured.push_back(run);
  }
  return of;
}

/// Footnotes on runs of one seed: a spread over them is none over seeds.
std::vector<std::string> notes_on_seeds(const std::vector<ReportedRun>& runs) {
  std::map<std::tuple<std::string, std::string, int64_t>, int> count;
  for (const ReportedRun& run : runs) ++count[{run.method, run.data, run.seed}];
  std::vector<std::string> notes;
  for (const auto& [run, number] : count) {
    const auto& [method, data, seed] = run;
    if (number > 1)
      notes.push_back(fmt::format("{} on {}: {} runs have the seed {}, so that ± is not over seeds alone",
                                  method, data, number, seed));
  }
  return notes;
}

/// Appends a row of a method, with its footnotes. `section` stands before its title in them.
void add_row(Table& table, const PaperTable& paper, const PaperRow& row, const std::string& section,
             const std::vector<ReportedRun>& runs) {
  const size_t place = table.rows.size();
  std::vector<std::string> cells{row.title};
  std::vector<std::pair<size_t, std::set<std::string>>> protocols;  // of columns
  size_t count = 0;
  std::set<std::string> iterations;
  for (size_t i = 0; i < paper.columns.size(); ++i) {
    const Found found = found_of(paper.columns[i], row, runs);
    protocols.emplace_back(cells.size(), found.protocols);
    cells.push_back(cell_of(found, paper.columns[i].decimals));
    if (!row.cells.empty()) cells.emplace_back(row.cells[i]);
    count = std::max(count, found.runs.size());
    iterations.insert(found.iterations.begin(), found.iterations.end());
  }
  table.rows.push_back(std::move(cells));
  if (count > 0)
    table.mark(place, 0,
               fmt::format("{}{}: {} {}, {} iterations; ± over {}", section, row.title, count,
                           count == 1 ? "run" : "runs", listed(iterations, " and "),
                           count == 1 ? "its repeats" : "runs"));
  const RowRuns of = runs_of(paper, row, runs);
  for (const ReportedRun& run : of.not_measured)
    table.mark(place, 0,
               fmt::format("{0} was not evaluated for this table: ./experiments/evaluate {0} {1}", run.folder,
                           paper.measured_by));
  for (const std::string& note : notes_on_seeds(of.all)) table.mark(place, 0, note);
  for (const auto& [column, texts] : protocols)
    for (const std::string& text : texts) table.mark(place, column, "measured: " + text);
}

Table measured_table(const PaperTable& paper, const std::vector<ReportedRun>& runs) {
  Table table{.title = paper.title, .header = {"Model"}, .rows = {}, .footnotes = {}};
  const bool has_papers = std::any_of(paper.rows.begin(), paper.rows.end(),
                                      [](const PaperRow& row) { return !row.cells.empty(); });
  for (const PaperColumn& column : paper.columns) {
    table.header.emplace_back(column.title);
    if (has_papers) table.header.emplace_back("paper");
  }
  std::string section;
  for (const PaperRow& row : paper.rows) {
    if (row.method == nullptr) {
      table.rows.push_back(heading(row.title, table.header.size()));
      section = std::string(row.title) + " ";
    } else {
      add_row(table, paper, row, section, runs);
    }
  }
  return table;
}

/// The runs of a row of Table 5, added up.
struct TimedRuns {
  double count = 0, iterations = 0, seconds = 0, images_per_second = 0;
  std::set<std::string> devices;
};

TimedRuns timed_runs(const PaperTime& row, const std::vector<ReportedRun>& runs) {
  TimedRuns sum;
  for (const ReportedRun& run : runs) {
    if (run.method != row.method || run.data != row.data || !(run.time.seconds > 0)) continue;
    sum.count += 1;
    sum.iterations += static_cast<double>(run.iterations);
    sum.seconds += run.time.seconds;
    sum.images_per_second += run.time.images_per_second;
    sum.devices.insert(run.device);
  }
  return sum;
}

std::vector<std::string> row_of(const PaperTime& paper, const TimedRuns& runs) {
  const bool in_paper = paper.iterations > 0;
  std::vector<std::string> cells{paper.title,
                                 "",
                                 in_paper ? format_count(paper.iterations) : "",
                                 "",
                                 in_paper ? fmt::format("{} h", paper.hours) : "",
                                 "",
                                 "",
                                 listed(runs.devices, ", ")};
  if (runs.count == 0) return cells;
  cells[1] = format_count(std::llround(runs.iterations / runs.count));
  cells[3] = format_duration(runs.seconds / runs.count);
  if (in_paper && runs.iterations > 0)
    cells[5] = fmt::format("{:.3g} h",
                           static_cast<double>(paper.iterations) * runs.seconds / runs.iterations / 3600);
  cells[6] = fmt::format("{:.4g}", runs.images_per_second / runs.count);
  return cells;
}

Table time_table(const std::vector<ReportedRun>& runs) {
  Table table{.title = "Table 5: training time",
              .header = {"Model", "iterations", "paper", "time", "paper", "as many as the paper's",
                         "images/s", "device"},
              .rows = {},
              .footnotes = {}};
  std::string section;
  for (const PaperTime& paper : paper_times()) {
    if (paper.method == nullptr) {
      table.rows.push_back(heading(paper.title, table.header.size()));
      section = paper.title;
      continue;
    }
    const TimedRuns found = timed_runs(paper, runs);
    table.rows.push_back(row_of(paper, found));
    if (found.count > 1)
      table.mark(table.rows.size() - 1, 0,
                 fmt::format("{} {}: the mean of {} runs", section, paper.title, found.count));
  }
  table.footnotes.emplace_back(
      "time: of training alone, without evaluations and checkpoints; the paper's on a Titan GPU of 12 GB");
  table.footnotes.emplace_back("as many as the paper's: the time of so many iterations at the same pace");
  return table;
}

}  // namespace

Table paper_table(int64_t number, const std::vector<ReportedRun>& runs, FeatureKind features) {
  if (number == 5) return time_table(runs);
  return measured_table(paper_of(number, features), runs);
}

Table shapes_table_of(const std::vector<ReportedRun>& runs) {
  return measured_table(shapes_table(), runs);
}

}  // namespace ebm
