// SPDX-License-Identifier: MIT
// Trains a table of configurations with several seeds each, and gathers what came out in one file.
//
//   ./experiments/sweep table.toml --jobs 4          # runs/table.h5, runs in runs/table/NAME/seed-S
//   ./experiments/sweep --show runs/table.h5 --columns kl_data_model,modes --sort kl_data_model
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "io/comma_list.h"
#include "io/options.h"
#include "io/program.h"
#include "runs/sweep.h"

namespace {

using namespace ebm;

struct Config {
  std::string table, out, columns, sort;
  int64_t jobs = 1, threads = 0;
  bool show = false;
};

Options declare_options(Config& config) {
  Options options("sweep", "Trains a table of configurations with several seeds each, into one HDF5 file.");
  options.add_argument("TABLE", &config.table,
                       "the configurations, TOML (docs/training.md); with --show the file of a sweep");
  options.add("out", &config.out,
              "the file (default: runs/TABLE.h5); runs lie in the folder of that name without ending");
  options.add("jobs", &config.jobs, "runs at a time", {1, 1024});
  options.add("threads", &config.threads, "of each run; 0: the cores divided by the jobs", {0, 1024});
  options.group("The table that is printed");
  options.add("show", &config.show, "print the table of a sweep's file alone");
  options.add("columns", &config.columns, "names of metrics, with commas (default: all of evaluations)");
  options.add("sort", &config.sort, "by the mean of this metric, or seconds, ascending");
  return options;
}

std::string printed(const SweepResults& results, const Config& config) {
  return written(sweep_table(results, {.names = comma_list(config.columns), .sort = config.sort}),
                 TableFormat::text);
}

int show(const Options& options, const Config& config) {
  for (const char* name : {"out", "jobs", "threads"}) {
    if (options.was_given(name))
      throw UsageError(fmt::format("--{} has no use with --show; leave it out", name));
  }
  print(printed(read_sweep(config.table), config));
  return 0;
}

/// Throws Error when there are runs that are not complete, for another reason than a signal to the sweep.
void require_complete(const SweepResults& results) {
  std::string names;
  int64_t count = 0;
  for (const SweptConfiguration& configuration : results.configurations) {
    for (const SweptRun& run : configuration.runs) {
      if (run.status == RunStatus::complete) continue;
      names += fmt::format("{}{}/seed-{}", count++ == 0 ? "" : ", ", configuration.name, run.seed);
    }
  }
  if (count > 0)
    throw Error(
        fmt::format("{} {} not complete: {}; the log.txt of each says why, and the same command tries "
                    "again",
                    count, count == 1 ? "run is" : "runs are", names));
}

int sweep(int argc, char** argv) {
  Config config;
  Options options = declare_options(config);
  if (!options.parse(argc, argv)) return 0;
  if (config.show) return show(options, config);
  if (config.out.empty())
    options.set_default("out", "runs/" + std::filesystem::path(config.table).stem().string() + ".h5");
  const int64_t cores = std::thread::hardware_concurrency();
  const int64_t threads = config.threads > 0 ? config.threads : std::max<int64_t>(cores / config.jobs, 1);
  const SweepEnd end =
      run_sweep({.table = config.table, .out = config.out, .jobs = config.jobs, .threads = threads},
                environment(argc, argv, static_cast<int>(threads)));
  if (end.stop) {
    print(fmt::format("stopped by {}; the same command goes on from there\n", end.stop->name));
    return end.stop->exit_status();
  }
  print(printed(end.results, config) + config.out + "\n");
  require_complete(end.results);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("sweep", [&] { return sweep(argc, argv); });
}
