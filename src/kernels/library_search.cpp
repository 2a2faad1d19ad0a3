// SPDX-License-Identifier: MIT
#include "kernels/library_search.h"

#include <dlfcn.h>
#include <link.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>

#include "core/error.h"

namespace ebm {

namespace {

namespace fs = std::filesystem;

std::string dl_reason() {
  const char* reason = dlerror();
  return reason != nullptr ? reason : "no reason given";
}

/// What lies in a folder, sorted; nothing where there is none.
std::vector<fs::path> entries(const fs::path& folder) {
  std::error_code code;
  std::vector<fs::path> found;
  for (fs::directory_iterator entry(folder, code); !code && entry != fs::directory_iterator();
       entry.increment(code)) {
    found.push_back(entry->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

void add(std::vector<fs::path>& folders, const fs::path& folder) {
  if (is_folder(folder) && std::find(folders.begin(), folders.end(), folder) == folders.end())
    folders.push_back(folder);
}

void add_toolkit(std::vector<fs::path>& folders, const fs::path& home) {
  for (const char* folder : {"lib64", "lib"}) add(folders, home / folder);
  add(folders, home / "targets/x86_64-linux/lib");
}

/// nvidia/*/lib of the packages of a Python that is installed under `prefix`.
void add_wheels(std::vector<fs::path>& folders, const fs::path& prefix) {
  for (const fs::path& python : entries(prefix / "lib")) {
    if (!python.filename().string().starts_with("python3")) continue;
    for (const char* packages : {"site-packages", "dist-packages"}) {
      for (const fs::path& part : entries(python / packages / "nvidia")) add(folders, part / "lib");
    }
  }
}

std::optional<fs::path> path_in_variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

/// Where the pythons on PATH are installed, a virtual environment before what it stands on.
std::vector<fs::path> python_prefixes() {
  std::vector<fs::path> prefixes;
  const char* path = std::getenv("PATH");
  std::istringstream folders(path != nullptr ? path : "");
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::error_code code;
    const fs::path python = fs::path(folder) / "python3";
    if (folder.empty() || !fs::exists(python, code)) continue;
    prefixes.push_back(python.parent_path().parent_path());
    const fs::path real = fs::canonical(python, code);
    if (!code) prefixes.push_back(real.parent_path().parent_path());
  }
  return prefixes;
}

/// The library that dlopen said it did not find, "" if it said something else.
std::string missing_in(const std::string& reason) {
  constexpr std::string_view said = ": cannot open shared object file";
  const size_t end = reason.find(said);
  const std::string name = end == std::string::npos ? "" : reason.substr(0, end);
  return name.find('/') == std::string::npos ? name : "";
}

OpenedLibrary open_with_needs(const std::string& file, int depth);

/// Opens the library `name` in one of the folders. Once it is open whoever needs a library of that name has
/// it.
OpenedLibrary open_in_folders(const std::string& name, int depth) {
  for (const fs::path& folder : cuda_library_folders()) {
    std::error_code ignored;
    if (!fs::exists(folder / name, ignored)) continue;
    const OpenedLibrary opened = open_with_needs((folder / name).string(), depth);
    if (opened.handle != nullptr) return opened;
  }
  return {};
}

OpenedLibrary open_with_needs(const std::string& file, int depth) {
  constexpr int max_needed = 16;
  OpenedLibrary opened;
  for (int i = 0; i < max_needed; ++i) {
    opened.handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (opened.handle != nullptr) return opened;
    opened.reason = dl_reason();
    const std::string missing = missing_in(opened.reason);
    if (missing.empty() || depth == 0) return opened;
    const OpenedLibrary found = open_in_folders(missing, depth - 1);
    if (found.handle == nullptr) return opened;
    if (missing == file) return found;
  }
  return opened;
}

bool is_of_cuda(const std::string& file) {
  const std::string name = fs::path(file).filename().string();
  constexpr std::string_view beginnings[] = {"libcuda.", "libcudart", "libcublas",  "libcudnn",
                                             "libnccl",  "libnvrtc",  "libebm_cuda"};
  return std::any_of(std::begin(beginnings), std::end(beginnings),
                     [&](std::string_view beginning) { return name.starts_with(beginning); });
}

}  // namespace

std::vector<fs::path> cuda_library_folders() {
  std::vector<fs::path> folders;
  if (const auto home = path_in_variable("CUDA_HOME")) add_toolkit(folders, *home);
  add_toolkit(folders, "/usr/local/cuda");
  for (const fs::path& home : entries("/usr/local")) {
    if (home.filename().string().starts_with("cuda-")) add_toolkit(folders, home);
  }
  for (const char* variable : {"VIRTUAL_ENV", "CONDA_PREFIX"}) {
    if (const auto prefix = path_in_variable(variable)) add_wheels(folders, *prefix);
  }
  for (const fs::path& prefix : python_prefixes()) add_wheels(folders, prefix);
  return folders;
}

std::string find_own_library(const char* name, const char* variable, const std::string& remedy) {
  if (const auto named = path_in_variable(variable)) return named->string();
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  std::string looked;
  for (const fs::path& folder : {here / "../build/lib", here / "../lib", here}) {
    const fs::path path = (folder / name).lexically_normal();
    if (fs::exists(path, ignored)) return path.string();
    looked += (looked.empty() ? "" : ", ") + path.parent_path().string();
  }
  throw Error(std::string("there is no ") + name + " in " + looked + "; " + remedy);
}

std::string no_collective_library(const std::string& reason) {
  return "several processes on GPUs need NCCL, which cannot be opened (" + reason +
         "); install NCCL 2, name its place in NCCL_HOME, put the folder of " + collective_library +
         " on LD_LIBRARY_PATH, or use --device cpu";
}

OpenedLibrary open_library(const std::string& file) {
  constexpr int deepest = 8;  // what needs what; two that need each other come to an end
  const auto nccl = path_in_variable("NCCL_HOME");
  if (!nccl || file != collective_library) return open_with_needs(file, deepest);
  std::string reason;
  for (const char* folder : {"lib64", "lib"}) {
    OpenedLibrary opened = open_with_needs((*nccl / folder / file).string(), deepest);
    if (opened.handle != nullptr) return opened;
    reason += opened.reason + "; ";
  }
  OpenedLibrary opened = open_with_needs(file, deepest);
  if (opened.handle == nullptr) opened.reason = reason + opened.reason;
  return opened;
}

std::vector<std::string> opened_cuda_libraries() {
  std::vector<std::string> files;
  const auto look = [](dl_phdr_info* info, size_t, void* to) {
    if (is_of_cuda(info->dlpi_name))
      static_cast<std::vector<std::string>*>(to)->emplace_back(info->dlpi_name);
    return 0;
  };
  dl_iterate_phdr(look, &files);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace ebm
