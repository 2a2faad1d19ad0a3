// SPDX-License-Identifier: MIT
// Prints a table of the paper from what ./experiments/evaluate measured, with the paper's numbers beside; Table 5
// from the time that training took.
//
//   ./experiments/tables 1 runs/mnist_stacked_* --format latex
#include <cstdio>

#include "io/options.h"
#include "io/program.h"
#include "runs/reported_run.h"

namespace {

using namespace ebm;

enum class TableData { paper, shapes };

struct Config {
  std::vector<std::string> runs;
  int64_t table = 1;
  TableData data = TableData::paper;
  FeatureKind features = FeatureKind::inception;
  TableFormat format = TableFormat::text;
};

/// A number before the runs is the table's: ./experiments/tables 3 RUN...
void take_number(Options& options, Config& config) {
  const std::string first = config.runs.front();
  if (first.size() != 1 || first < "1" || first > "5" || options.was_given("table")) return;
  options.set_default("table", first);
  config.runs.erase(config.runs.begin());
  if (config.runs.empty())
    throw UsageError("table " + first + " of which runs? give their folders behind it");
}

int print_table(int argc, char** argv) {
  Config config;
  Options options("tables",
                  "Prints a table of the paper from runs: 1 to 4 from what evaluate measured, 5 from the "
                  "time that they took.");
  options.add_arguments("RUN", &config.runs, "folders of runs; a number before them is that of the table");
  options.add("table", &config.table, "its number in the paper: 1 to 5", {1, 5});
  options.add_choice("data", &config.data, {{"paper", TableData::paper}, {"shapes", TableData::shapes}},
                     "of table 1: StackedMNIST, or the shapes of --synthetic, by the same protocol");
  options.add_choice("features", &config.features,
                     {{"inception", FeatureKind::inception}, {"classifier", FeatureKind::classifier}},
                     "of table 3; by a classifier's it has other numbers than the paper");
  options.add_choice("format", &config.format,
                     {{"text", TableFormat::text},
                      {"csv", TableFormat::csv},
                      {"latex", TableFormat::latex},
                      {"html", TableFormat::html}},
                     "of the output");
  if (!options.parse(argc, argv)) return 0;
  take_number(options, config);
  const bool of_shapes = config.data == TableData::shapes;
  if (of_shapes && config.table != 1) throw UsageError("--data shapes is of table 1; give --table 1");
  std::vector<ReportedRun> runs;
  for (const std::string& folder : config.runs)
    runs.push_back(config.table == 5 ? timed_run(folder) : measured_run(folder));
  const Table table = of_shapes ? shapes_table_of(runs) : paper_table(config.table, runs, config.features);
  std::fputs(written(table, config.format).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("tables", [&] { return print_table(argc, argv); });
}
