// SPDX-License-Identifier: MIT
// MetricTable and the reading of run.h5 (io/run_log.h).

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "io/comma_list.h"
#include "io/run_log.h"

namespace ebm {

void MetricTable::append(int64_t iteration, std::span<const double> values) {
  if (values.size() != names.size()) {
    throw Error(fmt::format("metrics at iteration {}: got {} values for {} names; give one each", iteration,
                            values.size(), names.size()));
  }
  if (iteration < 0)
    throw Error(fmt::format("metrics at iteration {}: give an iteration of at least 0", iteration));
  if (!iterations.empty() && iteration <= iterations.back()) {
    throw Error(fmt::format("metrics at iteration {}: the log is already at {}; append in ascending order",
                            iteration, iterations.back()));
  }
  iterations.push_back(iteration);
  for (size_t i = 0; i < values.size(); ++i) columns[i].push_back(values[i]);
}

void MetricTable::save(Hdf5File& file, std::string_view group) const {
  const std::vector<int64_t> dims{static_cast<int64_t>(iterations.size())};
  file.write_dataset(fmt::format("{}/iteration", group), iterations, dims);
  for (size_t i = 0; i < names.size(); ++i) {
    file.write_dataset(fmt::format("{}/{}", group, names[i]), columns[i], dims);
  }
}

MetricTable MetricTable::load(const Hdf5File& file, std::string_view group) {
  MetricTable table;
  table.iterations = file.read_dataset<int64_t>(fmt::format("{}/iteration", group)).values;
  // A row that a full disk kept from being written.
  while (!table.iterations.empty() && table.iterations.back() < 0) table.iterations.pop_back();
  for (const auto& name : file.list(group)) {
    if (name == "iteration") continue;
    auto column = file.read_dataset<double>(fmt::format("{}/{}", group, name)).values;
    // A run that goes on, or was killed, may have written a metric's next row and not yet its iteration.
    if (column.size() < table.iterations.size()) {
      throw DamagedFile(fmt::format(
          "metric '{}' of '{}' has {} rows, iteration has {}; the file is damaged: use an older copy", name,
          file.path().string(), column.size(), table.iterations.size()));
    }
    column.resize(table.iterations.size());
    table.names.push_back(name);
    table.columns.push_back(std::move(column));
  }
  if (std::adjacent_find(table.iterations.begin(), table.iterations.end(), std::greater_equal<>()) !=
      table.iterations.end()) {
    throw DamagedFile(
        fmt::format("'{}/iteration' of '{}' does not ascend; the file is damaged: use an older copy", group,
                    file.path().string()));
  }
  return table;
}

RunLogContent read_run_log(const std::filesystem::path& path) {
  const Hdf5File file = Hdf5File::open_read(path);
  RunLogContent content;
  content.config = file.read_attribute<std::string>("/", "config");
  for (const auto& name : file.list_attributes("/")) {
    if (name != "config") content.environment.push_back({name, file.read_attribute<std::string>("/", name)});
  }
  content.metrics = MetricTable::load(file, "metrics");
  if (file.has_attribute("metrics", "evaluated"))
    content.evaluated = comma_list(file.read_attribute<std::string>("metrics", "evaluated"));
  if (file.has("training")) {
    content.time.seconds = file.read_dataset<double>("training/seconds").values.at(0);
    content.time.images_per_second = file.read_dataset<double>("training/images_per_second").values.at(0);
  }
  return content;
}

}  // namespace ebm
