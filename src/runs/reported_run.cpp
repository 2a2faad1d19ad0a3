// SPDX-License-Identifier: MIT
#include "runs/reported_run.h"

#include "runs/trained_model.h"
#include "train/run_folder.h"
#include "train/state.h"

namespace ebm {

namespace {

/// What a run was trained on, else by its networks: the data are named as tables name them.
std::string data_of(const TrainedModel& model) {
  const NetworkOptions& networks = model.networks;
  if (model.shapes) return "shapes";
  if (networks.kind == NetworkKind::mlp) return networks.channels == 3 ? "stacked_mnist" : "mnist";
  return networks.kind == NetworkKind::dcgan ? "cifar10" : "animeface";
}

}  // namespace

ReportedRun timed_run(const std::string& folder) {
  const auto checkpoint = newest_checkpoint(folder);
  if (!checkpoint)
    throw Error(folder + " has no checkpoints/iteration-N.h5, which tell how long training took");
  const CheckpointInfo info = read_checkpoint_info(*checkpoint);
  const TrainedModel model = trained_model(info.config, checkpoint->string());
  ReportedRun run{.method = model.method,
                  .data = data_of(model),
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

ReportedRun measured_run(const std::string& folder) {
  const std::filesystem::path path = std::filesystem::path(folder) / "evaluation.h5";
  const EvaluationFile file(path);
  std::string config = file.config(), source = path.string();
  if (config.empty()) {
    const auto checkpoint = newest_checkpoint(folder);
    if (!checkpoint)
      throw Error(folder + " has neither evaluation.h5 nor checkpoints/iteration-N.h5; give a run's folder");
    source = checkpoint->string();
    config = read_checkpoint_info(*checkpoint).config;
  }
  const TrainedModel model = trained_model(config, source);
  return {.method = model.method,
          .data = data_of(model),
          .seed = model.seed,
          .metrics = file.metrics(),
          .folder = folder};
}

std::vector<Table> tables_of(const std::vector<std::string>& folders) {
  std::vector<ReportedRun> measured, timed;
  for (const std::string& folder : folders) {
    const auto checkpoint = newest_checkpoint(folder);
    if (!checkpoint || any_trained_model(read_checkpoint_info(*checkpoint).config, folder).toy) continue;
    timed.push_back(timed_run(folder));
    measured.push_back(measured_run(folder));
  }
  std::vector<Table> tables;
  const auto add_unless_empty = [&](Table table, const Table& without_runs) {
    if (table.rows != without_runs.rows) tables.push_back(std::move(table));
  };
  const auto add = [&](int64_t number, const std::vector<ReportedRun>& runs, FeatureKind features) {
    add_unless_empty(paper_table(number, runs, features), paper_table(number, {}, features));
  };
  for (const int64_t number : {1, 2, 3}) add(number, measured, FeatureKind::inception);
  add(3, measured, FeatureKind::classifier);
  add(4, measured, FeatureKind::inception);
  add(5, timed, FeatureKind::inception);
  add_unless_empty(shapes_table_of(measured), shapes_table_of({}));
  return tables;
}

}  // namespace ebm
