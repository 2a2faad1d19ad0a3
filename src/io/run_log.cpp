// SPDX-License-Identifier: MIT
#include "io/run_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "io/atomic_file.h"
#include "io/comma_list.h"
#include "io/hdf5_support.h"
#include "io/signals.h"

namespace ebm {
namespace {

using hdf5::Handle;

constexpr hsize_t rows_per_chunk = 256;
constexpr int64_t no_iteration = -1;
constexpr double not_evaluated = std::numeric_limits<double>::quiet_NaN();
constexpr size_t longest_text = 60000;  // what fits an object header, and so under its checksum
constexpr const char* remedy = "check the folder and start again";

// `never_written` (a value of `type`) is what rows hold that were counted but could not be written.
Handle extendible_dataset(hid_t group, const std::string& name, hid_t type, const void* never_written) {
  const hsize_t rows = 0, unlimited = H5S_UNLIMITED, chunk = rows_per_chunk;
  const Handle space = hdf5::own_space(H5Screate_simple(1, &rows, &unlimited));
  const Handle creation = hdf5::own_list(H5Pcreate(H5P_DATASET_CREATE));
  const Handle access = hdf5::own_list(H5Pcreate(H5P_DATASET_ACCESS));
  // A cache of two chunks: the default's 1 MiB and 521 slots for each metric would be most of a small run's
  // memory.
  if (H5Pset_chunk(creation.id(), 1, &chunk) < 0 ||
      H5Pset_fill_value(creation.id(), type, never_written) < 0 ||
      H5Pset_obj_track_times(creation.id(), false) < 0 ||
      H5Pset_chunk_cache(access.id(), 7, 2 * rows_per_chunk * sizeof(double), 1.0) < 0) {
    return {};
  }
  return hdf5::own_dataset(
      H5Dcreate2(group, name.c_str(), type, space.id(), H5P_DEFAULT, creation.id(), access.id()));
}

Handle scalar_dataset(hid_t group, const char* name) {
  const Handle space = hdf5::own_space(H5Screate(H5S_SCALAR));
  const Handle creation = hdf5::own_list(H5Pcreate(H5P_DATASET_CREATE));
  if (H5Pset_alloc_time(creation.id(), H5D_ALLOC_TIME_EARLY) < 0 ||
      H5Pset_obj_track_times(creation.id(), false) < 0) {
    return {};
  }
  return hdf5::own_dataset(
      H5Dcreate2(group, name, H5T_NATIVE_DOUBLE, space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT));
}

// Appends `count` values from row `row` on, and hands them to the operating system. False when HDF5 cannot.
bool append_values(const Handle& dataset, hid_t type, hsize_t row, hsize_t count, const void* values) {
  const hsize_t rows = row + count;
  if (H5Dset_extent(dataset.id(), &rows) < 0) return false;
  if (count > 0) {
    const Handle memory = hdf5::own_space(H5Screate_simple(1, &count, nullptr));
    const Handle space = hdf5::own_space(H5Dget_space(dataset.id()));
    if (!memory.valid() || !space.valid() ||
        H5Sselect_hyperslab(space.id(), H5S_SELECT_SET, &row, nullptr, &count, nullptr) < 0 ||
        H5Dwrite(dataset.id(), type, memory.id(), space.id(), H5P_DEFAULT, values) < 0) {
      return false;
    }
  }
  return H5Dflush(dataset.id()) >= 0;
}

bool write_string(hid_t object, const std::string& name, const std::string& value) {
  if (value.size() > longest_text || value.find('\0') != std::string::npos) {
    throw Error(fmt::format("run log: '{}' has {} bytes; give at most {} without NUL", name, value.size(),
                            longest_text));
  }
  const Handle type = hdf5::string_type(std::max<size_t>(value.size(), 1));
  const Handle space = hdf5::own_space(H5Screate(H5S_SCALAR));
  Handle attribute =
      hdf5::own_attribute(H5Acreate2(object, name.c_str(), type.id(), space.id(), H5P_DEFAULT, H5P_DEFAULT));
  return attribute.valid() && H5Awrite(attribute.id(), type.id(), value.c_str()) >= 0 && attribute.close();
}

// `history` with the columns that a log of `metrics` has.
MetricTable with_columns(const MetricTable& history, const std::vector<std::string>& metrics) {
  MetricTable table{.names = metrics, .iterations = history.iterations, .columns = {}};
  const std::vector<double> absent(history.iterations.size(), not_evaluated);
  table.columns.assign(metrics.size(), absent);
  for (size_t i = 0; i < history.names.size(); ++i) {
    const auto found = std::find(metrics.begin(), metrics.end(), history.names[i]);
    if (found != metrics.end()) {
      table.columns[static_cast<size_t>(found - metrics.begin())] = history.columns[i];
    } else {
      table.names.push_back(history.names[i]);
      table.columns.push_back(history.columns[i]);
    }
  }
  return table;
}

}  // namespace

struct RunLog::Impl {
  std::filesystem::path path;
  size_t metrics = 0;  // the first columns of the table, which append is given
  MetricTable table;
  bool failed = false;
  std::vector<double> row;
  Handle file;
  Handle iteration;              // closed before the file
  std::vector<Handle> datasets;  // one a column
  Handle seconds, images_per_second;

  [[noreturn]] void fail() {
    failed = true;
    throw hdf5::failure(fmt::format("cannot write the run log '{}'", path.string()), remedy);
  }

  // Creates everything that the file will ever hold but rows: the single-writer mode allows no more.
  void make(const std::filesystem::path& temporary, const std::string& config,
            const std::vector<NameValue>& environment, const std::vector<std::string>& evaluated) {
    const Handle access = hdf5::file_access();
    file = hdf5::own_file(H5Fcreate(temporary.c_str(), H5F_ACC_TRUNC, H5P_DEFAULT, access.id()));
    if (!file.valid() || !write_string(file.id(), "config", config)) fail();
    for (const auto& [name, value] : environment) {
      if (!write_string(file.id(), name, value)) fail();
    }
    const Handle group =
        hdf5::own_object(H5Gcreate2(file.id(), "metrics", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    if (!group.valid() || !write_string(group.id(), "evaluated", comma_text(evaluated))) fail();
    iteration = extendible_dataset(group.id(), "iteration", H5T_NATIVE_INT64, &no_iteration);
    if (!iteration.valid()) fail();
    for (const auto& name : table.names) {
      datasets.push_back(extendible_dataset(group.id(), name, H5T_NATIVE_DOUBLE, &not_evaluated));
      if (!datasets.back().valid()) fail();
    }
    const Handle training =
        hdf5::own_object(H5Gcreate2(file.id(), "training", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    if (!training.valid()) fail();
    seconds = scalar_dataset(training.id(), "seconds");
    images_per_second = scalar_dataset(training.id(), "images_per_second");
    if (!seconds.valid() || !images_per_second.valid()) fail();
  }

  void write_time(const TrainingTime& time) {
    const auto write = [](const Handle& dataset, double value) {
      return H5Dwrite(dataset.id(), H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, &value) >= 0 &&
             H5Dflush(dataset.id()) >= 0;
    };
    if (!write(seconds, time.seconds) || !write(images_per_second, time.images_per_second)) fail();
  }

  // Closes the file when all of it can be written, true then. Else leaves it open, which leaves it as a kill
  // would: HDF5's closing would mark as complete a file that lacks its end, and which nobody could then read.
  bool finish() noexcept {
    hdf5::prepare();
    const bool complete = !failed && H5Fflush(file.id(), H5F_SCOPE_GLOBAL) >= 0;
    bool closed = complete;
    const auto end = [&](Handle& handle) {
      if (complete) {
        closed = handle.close() && closed;
      } else {
        handle.abandon();
      }
    };
    end(iteration);
    for (Handle& dataset : datasets) end(dataset);
    end(seconds);
    end(images_per_second);
    end(file);
    return closed;
  }

  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() {
    if (file.valid()) finish();
  }

  // Rows from `from` to the end of the table; `iteration` last, so that its length counts complete rows.
  void write_rows(size_t from) {
    const hsize_t count = table.iterations.size() - from;
    for (size_t i = 0; i < datasets.size(); ++i) {
      if (!append_values(datasets[i], H5T_NATIVE_DOUBLE, from, count, table.columns[i].data() + from)) fail();
    }
    if (!append_values(iteration, H5T_NATIVE_INT64, from, count, table.iterations.data() + from)) fail();
  }
};

RunLog::RunLog(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RunLog::RunLog(RunLog&&) noexcept = default;
RunLog& RunLog::operator=(RunLog&&) noexcept = default;
RunLog::~RunLog() = default;

RunLog RunLog::create(const std::filesystem::path& path, std::string_view config,
                      const std::vector<NameValue>& environment, const std::vector<std::string>& metrics,
                      const MetricTable& history, const TrainingTime& time,
                      const std::vector<std::string>& evaluated) {
  hdf5::prepare();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->metrics = metrics.size();
  impl->table = with_columns(history, metrics);
  std::filesystem::path temporary = path;
  temporary += ".tmp";
  const SignalsWait whole;
  try {
    impl->make(temporary, std::string(config), environment, evaluated);
    impl->write_time(time);
    if (H5Fflush(impl->file.id(), H5F_SCOPE_GLOBAL) < 0 || H5Fstart_swmr_write(impl->file.id()) < 0)
      impl->fail();
    impl->write_rows(0);
    move_into_place(temporary, path);
  } catch (...) {
    std::error_code ignored;
    std::filesystem::remove(temporary, ignored);
    throw;
  }
  return RunLog(std::move(impl));
}

void RunLog::append(int64_t iteration, std::span<const double> values) {
  Impl& log = *impl_;
  const std::string what = fmt::format("the run log '{}'", log.path.string());
  if (!log.file.valid()) throw Error(what + " is closed; append before close");
  if (log.failed) throw Error(what + " could not be written before; free some space there, then start again");
  if (values.size() != log.metrics) {
    throw Error(
        fmt::format("{}: got {} values for {} metrics; give one each", what, values.size(), log.metrics));
  }
  log.row.assign(values.begin(), values.end());
  log.row.resize(log.table.names.size(), not_evaluated);
  log.table.append(iteration, log.row);
  log.write_rows(log.table.iterations.size() - 1);
}

void RunLog::set_time(const TrainingTime& time) {
  if (!impl_->file.valid())
    throw Error(fmt::format("the run log '{}' is closed; tell its time before close", impl_->path.string()));
  if (!impl_->failed) impl_->write_time(time);
}

const MetricTable& RunLog::history() const {
  return impl_->table;
}

void RunLog::close() {
  Impl& log = *impl_;
  if (!log.file.valid()) return;
  const std::string what = fmt::format("cannot finish the run log '{}'", log.path.string());
  if (log.finish()) return;
  if (log.failed) throw Error(what + ": an earlier write failed; free some space there, then start again");
  throw hdf5::failure(what, remedy);
}

}  // namespace ebm
