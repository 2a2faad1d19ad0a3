// SPDX-License-Identifier: MIT
#include "evaluate/evaluation_file.h"

#include <algorithm>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/file_lock.h"
#include "io/hdf5_file.h"

namespace ebm {

namespace {

MeasuredMetric read_metric(const Hdf5File& file, const std::string& name) {
  MeasuredMetric metric{.name = name,
                        .protocol = file.read_attribute<std::string>(name, "protocol"),
                        .iteration = file.read_attribute<int64_t>(name, "iteration"),
                        .values = {}};
  if (file.has_attribute(name, "checkpoint"))
    metric.checkpoint = file.read_attribute<std::string>(name, "checkpoint");
  for (const std::string& value : file.list(name))
    metric.values.push_back({value, file.read_dataset<double>(name + "/" + value).values});
  return metric;
}

}  // namespace

EvaluationFile::EvaluationFile(std::filesystem::path path) : path_(std::move(path)) {
  read();
}

void EvaluationFile::read() {
  if (std::error_code ignored; !std::filesystem::exists(path_, ignored)) return;
  try {
    const Hdf5File file = Hdf5File::open_read(path_);
    config_ = file.read_attribute<std::string>("/", "config");
    metrics_.clear();
    for (const std::string& name : file.list("/")) metrics_.push_back(read_metric(file, name));
  } catch (const Error& error) {
    throw Error(std::string(error.what()) + "; move " + path_.string() + " away, and evaluate measures anew");
  }
}

bool EvaluationFile::has(const std::string& name, const std::string& protocol,
                         const std::string& checkpoint) const {
  const MeasuredMetric* const found = find(name);
  return found != nullptr && found->protocol == protocol && found->checkpoint == checkpoint;
}

const MeasuredMetric* EvaluationFile::find(const std::string& name) const {
  const auto found = std::find_if(metrics_.begin(), metrics_.end(),
                                  [&](const MeasuredMetric& metric) { return metric.name == name; });
  return found == metrics_.end() ? nullptr : &*found;
}

void EvaluationFile::put(const std::string& config, MeasuredMetric metric) {
  const FileLock lock(path_.parent_path(), ".evaluation.lock");
  read();
  config_ = config;
  std::erase_if(metrics_, [&](const MeasuredMetric& other) { return other.name == metric.name; });
  // as the file lists them
  std::sort(metric.values.begin(), metric.values.end(),
            [](const MeasuredValue& a, const MeasuredValue& b) { return a.name < b.name; });
  metrics_.push_back(std::move(metric));
  write();
}

void EvaluationFile::write() const {
  write_atomically(path_, [this](const std::filesystem::path& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    file.write_attribute("/", "config", config_);
    for (const MeasuredMetric& metric : metrics_) {
      for (const MeasuredValue& value : metric.values)
        file.write_dataset(metric.name + "/" + value.name, std::span<const double>(value.repeats),
                           {std::ssize(value.repeats)});
      file.write_attribute(metric.name, "protocol", metric.protocol);
      file.write_attribute(metric.name, "iteration", metric.iteration);
      file.write_attribute(metric.name, "checkpoint", metric.checkpoint);
    }
    file.close();
  });
}

}  // namespace ebm
