// SPDX-License-Identifier: MIT
#include "runs/data_files.h"

#include <optional>

#include "core/error.h"
#include "io/child_process.h"
#include "io/file_lock.h"
#include "io/program.h"

namespace ebm {

namespace {

namespace fs = std::filesystem;

std::optional<fs::path> fetch_script() {
  const fs::path programs = program_folder();
  for (const fs::path& root : {programs / "../..", programs / ".."}) {  // a repository, a distribution
    std::error_code ignored;
    const fs::path script = root / "data/fetch.sh";
    if (fs::exists(script, ignored)) return script.lexically_normal();
  }
  return std::nullopt;
}

/// Runs one of the two steps that make `file`.
void step(const fs::path& file, std::vector<std::string> words) {
  const ChildEnd end = run_child(std::move(words));
  if (end.status == 0) return;
  throw Error("there is no " + file.string() + ", and it cannot be had: " + end.reason());
}

void get(const fs::path& file, const fs::path& script) {
  const std::string folder = file.parent_path().string(), stem = file.stem().string();
  const std::string name = stem.substr(0, stem.rfind('-'));
  const std::string from = name == "stacked_mnist" ? "mnist" : name;
  print("there is no " + file.string() + ": getting " + from + " (--no-download: not)\n");
  step(file, {"/usr/bin/env", "bash", script.string(), "--to", folder, from});
  step(file, {(program_folder() / "prepare_data").string(), "--dataset", name, "--from",
              (file.parent_path() / from).string(), "--out", folder});
}

}  // namespace

void provide_image_file(const fs::path& file) {
  std::error_code ignored;
  if (fs::exists(file, ignored)) return;
  const auto script = fetch_script();
  if (!script) return;
  const fs::path folder = file.parent_path();
  fs::create_directories(folder, ignored);  // where it cannot be made, fetch.sh says why
  // Inherited by fetch.sh: a download that goes on without its program is waited for too.
  const FileLock lock(folder, ".fetch.lock",
                      "waiting for another program that gets data into " + folder.string());
  if (!fs::exists(file, ignored)) get(file, *script);  // another program may have made it
}

}  // namespace ebm
