// SPDX-License-Identifier: MIT
#include "evaluate/evaluation_file.h"

#include <algorithm>

#include "io/atomic_file.h"
#include "io/hdf5_file.h"

namespace ebm {

EvaluationFile::EvaluationFile(std::filesystem::path path) : path_(std::move(path)) {
  if (std::error_code ignored; !std::filesystem::exists(path_, ignored)) return;
  const Hdf5File file = Hdf5File::open_read(path_);
  config_ = file.read_attribute<std::string>("/", "config");
  for (const std::string& name : file.list("/")) {
    MeasuredMetric metric{.name = name,
                          .protocol = file.read_attribute<std::string>(name, "protocol"),
                          .iteration = file.read_attribute<int64_t>(name, "iteration"),
                          .values = {}};
    for (const std::string& value : file.list(name))
      metric.values.push_back({value, file.read_dataset<double>(name + "/" + value).values});
    metrics_.push_back(std::move(metric));
  }
}

bool EvaluationFile::has(const std::string& name, const std::string& protocol, int64_t iteration) const {
  const MeasuredMetric* const found = find(name);
  return found != nullptr && found->protocol == protocol && found->iteration == iteration;
}

const MeasuredMetric* EvaluationFile::find(const std::string& name) const {
  const auto found = std::find_if(metrics_.begin(), metrics_.end(),
                                  [&](const MeasuredMetric& metric) { return metric.name == name; });
  return found == metrics_.end() ? nullptr : &*found;
}

void EvaluationFile::put(const std::string& config, MeasuredMetric metric) {
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
    }
    file.close();
  });
}

}  // namespace ebm
