// SPDX-License-Identifier: MIT
#include "train/run_folder.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>

#include "io/atomic_file.h"
#include "train/state.h"

namespace ebm {

namespace {

constexpr int64_t format_version = 1;

std::string numbered(const char* prefix, int64_t iteration, const char* suffix) {
  char text[64];
  std::snprintf(text, sizeof text, "%s%08lld%s", prefix, static_cast<long long>(iteration), suffix);
  return text;
}

TrainingTime time_of(const Hdf5File& file) {
  TrainingTime time;
  const auto read = [&](const char* name, double& value) {
    if (file.has_attribute("/", name)) value = file.read_attribute<double>("/", name);
  };
  read("seconds", time.seconds);
  read("images_per_second", time.images_per_second);
  return time;
}

/// `read` of the checkpoint that a run is to go on from. Where that turns out to be damaged, and only there,
/// says how the run gets on without it.
template <class Read>
auto read_to_go_on(const std::filesystem::path& path, const Read& read) {
  try {
    return read(open_checkpoint(path));
  } catch (const DamagedFile& error) {
    const bool first = numbered_files(path.parent_path(), "iteration-", ".h5").size() < 2;
    throw Error(std::string(error.what()) + "; " +
                (first ? "to begin again" : "to go on from the checkpoint before it") +
                ", move it out of that folder: " + path.string());
  }
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
  for (const auto& folder : {path_, path_ / "checkpoints", path_ / "samples"}) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
      throw Error("cannot make the folder " + folder.string() + ": " + error.message() +
                  "; choose another with --out, or mend its permissions");
    }
  }
  claim_.emplace(
      path_, "another process is training in " + path_.string() + "; wait for its end, or give another --out",
      "start no second run in it");
}

std::filesystem::path RunFolder::checkpoint(int64_t iteration) const {
  return path_ / "checkpoints" / numbered("iteration-", iteration, ".h5");
}

void RunFolder::save_picture(const std::string& name, int64_t iteration, const std::string& ending,
                             std::span<const uint8_t> file) const {
  write_file(path_ / "samples" / numbered((name + "-").c_str(), iteration, ending.c_str()), file);
  write_file(path_ / (name + ending), file);
}

std::filesystem::path RunFolder::dump(int64_t iteration) const {
  return path_ / ("iteration-" + std::to_string(iteration) + ".h5");
}

void RunFolder::save(Method& method, const CheckpointInfo& info, int64_t keep) const {
  write_atomically(checkpoint(info.iteration), [&](const std::filesystem::path& temporary) {
    Hdf5File file = Hdf5File::create(temporary);
    file.write_attribute("/", "checkpoint_version", format_version);
    file.write_attribute("/", "iteration", info.iteration);
    file.write_attribute("/", "config", info.config);
    file.write_attribute("/", "seconds", info.time.seconds);
    if (std::isfinite(info.time.images_per_second))
      file.write_attribute("/", "images_per_second", info.time.images_per_second);
    write_state(file, method, "", NotFinite::refused);
    info.history.save(file, "metrics");
    file.close();
  });
  keep_newest(path_ / "checkpoints", "iteration-", ".h5", keep);
}

bool is_run_folder(const std::filesystem::path& folder) {
  std::error_code ignored;
  return exists(folder / "run.h5", ignored) || newest_checkpoint(folder);
}

std::optional<std::filesystem::path> newest_checkpoint(const std::filesystem::path& folder) {
  const auto files = numbered_files(folder / "checkpoints", "iteration-", ".h5");
  if (files.empty()) return std::nullopt;
  return files.back();
}

Hdf5File open_checkpoint(const std::filesystem::path& path) {
  Hdf5File file = Hdf5File::open_read(path);
  if (const auto version = file.read_attribute<int64_t>("/", "checkpoint_version");
      version != format_version) {
    throw Error(path.string() + " has checkpoint version " + std::to_string(version) +
                ", this program reads version " + std::to_string(format_version) +
                "; go on with the program that wrote it, or give another --out");
  }
  return file;
}

CheckpointInfo read_checkpoint_info(const std::filesystem::path& path) {
  return read_to_go_on(path, [](const Hdf5File& file) -> CheckpointInfo {
    return {.iteration = file.read_attribute<int64_t>("/", "iteration"),
            .config = file.read_attribute<std::string>("/", "config"),
            .history = MetricTable::load(file, "metrics"),
            .time = time_of(file)};
  });
}

void restore(const std::filesystem::path& path, Method& method) {
  read_to_go_on(path, [&](const Hdf5File& file) {
    const auto iteration = static_cast<uint64_t>(file.read_attribute<int64_t>("/", "iteration"));
    read_state(file, method);
    method.iteration().upload(std::span<const uint64_t>(&iteration, 1));
  });
}

}  // namespace ebm
