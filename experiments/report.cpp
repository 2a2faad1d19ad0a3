// SPDX-License-Identifier: MIT
// Runs as one HTML page, which opens without a network: configuration, curves, pictures, measures, environment.
//
//   ./experiments/report runs/cifar10_* -o report.html
#include <cstdio>

#include "io/atomic_file.h"
#include "io/options.h"
#include "io/program.h"
#include "report/run_report.h"
#include "runs/reported_run.h"

namespace {

using namespace ebm;

int write_report(int argc, char** argv) {
  std::vector<std::string> folders;
  std::string out = "report.html";
  int64_t pictures = 40;
  Options options("report", "Writes runs as one HTML page that opens without a network.");
  options.add_arguments("RUN", &folders, "folders of runs, also of runs that go on");
  options.add("out", &out, "the page");
  options.add("pictures", &pictures, "of each run and kind, at most: evenly spread, the newest among them",
              {1, 10000});
  if (!options.parse(argc, argv)) return 0;
  std::vector<RunOfReport> runs;
  for (const std::string& folder : folders) runs.push_back(read_run(folder, static_cast<size_t>(pictures)));
  const std::string page = run_report(runs, tables_of(folders));
  write_file(out, page);
  std::printf("%s (%.1f MB)\n", out.c_str(), static_cast<double>(page.size()) / 1e6);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("report", [&] { return write_report(argc, argv); });
}
