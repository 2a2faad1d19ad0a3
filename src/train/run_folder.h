// SPDX-License-Identifier: MIT
// The folder of a run, runs/NAME: run.h5, config.toml, checkpoints/, samples/ (docs/formats.md).
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "io/claimed_folder.h"
#include "io/run_log.h"
#include "train/method.h"

namespace ebm {

/// What a checkpoint says besides the state.
struct CheckpointInfo {
  int64_t iteration = 0;
  std::string config = {};  ///< TOML
  MetricTable history = {};
  TrainingTime time = {};  ///< of older programs: 0 seconds
};

class RunFolder {
 public:
  /// Makes the folder and its parts, and claims it for this process. Throws Error when that is impossible or
  /// another process has claimed it. Where the file system has no locks one line on stderr says so.
  explicit RunFolder(std::filesystem::path path);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path log() const { return path_ / "run.h5"; }
  std::filesystem::path config() const { return path_ / "config.toml"; }
  std::filesystem::path convolution_plans() const { return convolution_plans(path_); }
  /// Of a folder that another process works in.
  static std::filesystem::path convolution_plans(const std::filesystem::path& folder) {
    return folder / "convolution_plans.txt";
  }
  std::filesystem::path checkpoint(int64_t iteration) const;
  std::filesystem::path dump(int64_t iteration) const;

  /// Puts the picture of an evaluation, a file of that ending (".png"), into samples/NAME-ITERATION.png, and as the
  /// newest into NAME.png.
  void save_picture(const std::string& name, int64_t iteration, const std::string& ending,
                    std::span<const uint8_t> file) const;

  /// Writes the checkpoint of the method's present state (aside, fsync, rename) and removes all but the newest
  /// `keep`. Waits for the device. Throws Error, StateNotFinite among them; what was there stays.
  void save(Method& method, const CheckpointInfo& info, int64_t keep) const;

 private:
  std::filesystem::path path_;
  std::optional<ClaimedFolder> claim_;
};

/// Whether there is a run in it: its log, or a checkpoint. Throws Error.
bool is_run_folder(const std::filesystem::path& folder);

/// The checkpoint of the highest iteration in a run's folder, if there is one. Throws Error.
std::optional<std::filesystem::path> newest_checkpoint(const std::filesystem::path& folder);

/// Opens a checkpoint for reading. Throws Error (damaged, of another version).
Hdf5File open_checkpoint(const std::filesystem::path& path);

/// Reads a checkpoint's header. Throws Error (damaged, not a checkpoint).
CheckpointInfo read_checkpoint_info(const std::filesystem::path& path);
/// Restores the state of a checkpoint: parameters, moments, statistics, counters. Throws Error before
/// anything changed.
void restore(const std::filesystem::path& path, Method& method);

}  // namespace ebm
