// SPDX-License-Identifier: MIT
// Prints a table of the paper from what ./experiments/evaluate measured, with the paper's numbers beside; Table 5
// from the time that training took.
//
//   ./experiments/tables runs/mnist_stacked_* --table 1 --format latex
#include <cstdio>

#include "io/options.h"
#include "io/program.h"
#include "report/paper_tables.h"
#include "runs/run_config.h"
#include "runs/trained_model.h"
#include "train/run_folder.h"

namespace {

using namespace ebm;

struct Config {
  std::vector<std::string> runs;
  int64_t table = 1;
  FeatureKind features = FeatureKind::inception;
  TableFormat format = TableFormat::text;
};

/// What a run in that folder was trained on, by its networks: the data are named as tables name them.
std::string data_of(const NetworkOptions& networks) {
  if (networks.kind == NetworkKind::mlp) return networks.channels == 3 ? "stacked_mnist" : "mnist";
  return networks.kind == NetworkKind::dcgan ? "cifar10" : "animeface";
}

ReportedRun timed(const std::string& folder) {
  const auto checkpoint = newest_checkpoint(folder);
  if (!checkpoint)
    throw Error(folder + " has no checkpoints/iteration-N.h5, which tell how long training took");
  const CheckpointInfo info = read_checkpoint_info(*checkpoint);
  const TrainedModel model = trained_model(info.config, checkpoint->string());
  ReportedRun run{.method = model.method,
                  .data = data_of(model.networks),
                  .seed = model.seed,
                  .iterations = info.iteration,
                  .time = info.time};
  std::string cpu;
  for (const NameValue& entry : read_run_log(std::filesystem::path(folder) / "run.h5").environment) {
    if (entry.name == "device") run.device = entry.value;
    if (entry.name == "cpu") cpu = entry.value;
  }
  if (run.device.starts_with("cpu")) run.device += ", " + cpu;
  return run;
}

ReportedRun measured(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / "evaluation.h5";
  if (std::error_code ignored; !std::filesystem::exists(path, ignored))
    throw Error("there is no " + path.string() + "; measure the run with ./experiments/evaluate " + folder);
  const EvaluationFile file(path);
  const TrainedModel model = trained_model(file.config(), path.string());
  return {
      .method = model.method, .data = data_of(model.networks), .seed = model.seed, .metrics = file.metrics()};
}

int print_table(int argc, char** argv) {
  Config config;
  Options options("tables",
                  "Prints a table of the paper from runs: 1 to 4 from what evaluate measured, 5 from the "
                  "time that they took.");
  options.add_arguments("RUN", &config.runs, "folders of runs that were measured");
  options.add("table", &config.table, "its number in the paper: 1 to 5", {1, 5});
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
  std::vector<ReportedRun> runs;
  for (const std::string& folder : config.runs)
    runs.push_back(config.table == 5 ? timed(folder) : measured(folder));
  std::fputs(written(paper_table(config.table, runs, config.features), config.format).c_str(), stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return ebm::run_program("tables", [&] { return print_table(argc, argv); });
}
