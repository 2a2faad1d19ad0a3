// SPDX-License-Identifier: MIT
#include "runs/measured_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "core/fnv.h"
#include "io/atomic_file.h"
#include "io/progress.h"
#include "train/run_folder.h"

namespace ebm {

namespace {

std::filesystem::path newest_of(const std::filesystem::path& folder) {
  if (!is_run_folder(folder)) throw Error("'" + folder.string() + "' is no folder of a run");
  return checkpoint_of(folder.string());
}

std::string with_seeds(const RepeatedMeasure& measure, int64_t repeats) {
  return fmt::format("{}, seeds {} to {}", measure.protocol, measure.seed, measure.seed + repeats - 1);
}

}  // namespace

MeasuredRun::MeasuredRun(const std::filesystem::path& folder, const StopRequest& request)
    : folder_(folder),
      request_(request),
      checkpoint_(open_checkpoint(newest_of(folder))),
      file_(folder / "evaluation.h5") {
  CheckpointInfo info = read_checkpoint_info(checkpoint_.path());
  iteration_ = info.iteration;
  config_ = std::move(info.config);
  content_ = fnv1a(read_file(checkpoint_.path()));
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
  if (found == nullptr || found->checkpoint != content_ || found->values.empty()) return 0;
  const size_t repeats = found->values.front().repeats.size();
  std::vector<std::string> names;
  for (const MeasuredValue& value : found->values) {
    names.push_back(value.name);
    if (value.repeats.size() != repeats) return 0;
  }
  if (!std::is_permutation(names.begin(), names.end(), measure.values.begin(), measure.values.end()))
    return 0;
  const auto count = static_cast<int64_t>(repeats);
  return found->protocol == with_seeds(measure, count) ? count : 0;
}

void MeasuredRun::add(const RepeatedMeasure& measure, const std::vector<double>& numbers) {
  const int64_t before = done(measure);
  MeasuredMetric metric{.name = measure.name,
                        .protocol = with_seeds(measure, before + 1),
                        .iteration = iteration_,
                        .values = {},
                        .checkpoint = content_};
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
  if (!file_.has(name, protocol, content_)) {
    file_.put(config_, {.name = name,
                        .protocol = protocol,
                        .iteration = iteration_,
                        .values = measure(),
                        .checkpoint = content_});
  }
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
