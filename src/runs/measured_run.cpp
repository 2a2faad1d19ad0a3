// SPDX-License-Identifier: MIT
#include "runs/measured_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "io/progress.h"
#include "train/run_folder.h"

namespace ebm {

namespace {

std::filesystem::path checkpoint_of(const std::filesystem::path& folder) {
  if (!is_run_folder(folder)) throw Error("'" + folder.string() + "' is no folder of a run");
  const auto checkpoint = newest_checkpoint(folder);
  if (!checkpoint) throw Error(folder.string() + " has no checkpoints/iteration-N.h5");
  return *checkpoint;
}

std::string with_seeds(const RepeatedMeasure& measure, int64_t repeats) {
  return fmt::format("{}, seeds {} to {}", measure.protocol, measure.seed, measure.seed + repeats - 1);
}

}  // namespace

MeasuredRun::MeasuredRun(const std::filesystem::path& folder, const StopRequest& request)
    : folder_(folder),
      request_(request),
      checkpoint_(open_checkpoint(checkpoint_of(folder))),
      file_(folder / "evaluation.h5") {
  CheckpointInfo info = read_checkpoint_info(checkpoint_.path());
  iteration_ = info.iteration;
  config_ = std::move(info.config);
  model_ = any_trained_model(config_, checkpoint_.path().string());
}

Told MeasuredRun::told(const std::string& what, int64_t total) const {
  auto progress = std::make_shared<Progress>(folder_.string() + " " + what, total);
  return [this, progress, total](int64_t done) {
    if (const auto stop = request_.requested())
      throw Stopped(*stop, "; the same command goes on with what is not yet measured");
    if (progress->due() || done >= total) progress->update(std::min(done, total), {});
  };
}

int64_t MeasuredRun::done(const RepeatedMeasure& measure) const {
  const MeasuredMetric* const found = file_.find(measure.name);
  if (found == nullptr || found->iteration != iteration_ || found->values.empty()) return 0;
  const int64_t repeats = std::ssize(found->values.front().repeats);
  return found->protocol == with_seeds(measure, repeats) ? repeats : 0;
}

void MeasuredRun::add(const RepeatedMeasure& measure, const std::vector<double>& numbers) {
  const int64_t before = done(measure);
  MeasuredMetric metric{.name = measure.name,
                        .protocol = with_seeds(measure, before + 1),
                        .iteration = iteration_,
                        .values = {}};
  for (size_t i = 0; i < measure.values.size(); ++i) {
    MeasuredValue value{measure.values[i], {}};
    if (before > 0) {
      const auto& kept = file_.find(measure.name)->values;
      value = *std::find_if(kept.begin(), kept.end(),
                            [&](const MeasuredValue& other) { return other.name == value.name; });
    }
    value.repeats.push_back(numbers.at(i));
    metric.values.push_back(std::move(value));
  }
  file_.put(config_, std::move(metric));
}

void MeasuredRun::repeat(const RepeatedMeasure& measure,
                         const std::function<std::vector<double>(uint64_t seed)>& once) {
  for (int64_t i = done(measure); i < measure.repeats; ++i)
    add(measure, once(static_cast<uint64_t>(measure.seed + i)));
  say(measure.name);
}

void MeasuredRun::once(const std::string& name, const std::string& protocol,
                       const std::function<std::vector<MeasuredValue>()>& measure) {
  if (!file_.has(name, protocol, iteration_))
    file_.put(config_, {.name = name, .protocol = protocol, .iteration = iteration_, .values = measure()});
  say(name);
}

void MeasuredRun::say(const std::string& name) const {
  const MeasuredMetric* const metric = file_.find(name);
  if (metric == nullptr) return;
  std::string line = folder_.string() + " " + name + ":";
  for (const MeasuredValue& value : metric->values) {
    line += fmt::format("  {}", value.name);
    for (const double x : value.repeats) line += fmt::format(" {:.6g}", x);
  }
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

}  // namespace ebm
