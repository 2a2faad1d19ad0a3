// SPDX-License-Identifier: MIT
// Libraries that are opened at run time: where the loader looks, then where CUDA's are commonly put.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ebm {

/// Folders that CUDA's libraries are commonly in, those that exist: of $CUDA_HOME and /usr/local/cuda*, and of nvidia's
/// Python packages in $VIRTUAL_ENV, $CONDA_PREFIX and beside the python3 on PATH.
std::vector<std::filesystem::path> cuda_library_folders();

struct OpenedLibrary {
  void* handle = nullptr;  ///< null: `reason` says why
  std::string reason = {};
};

/// Opens a library by its path or, without a slash, by its name: where the loader finds it, else in
/// cuda_library_folders(). Libraries that it needs and the loader does not find are looked for there too. NCCL
/// (collective_library) in lib64 or lib of $NCCL_HOME comes before all of these. It stays open.
OpenedLibrary open_library(const std::string& file);

/// The file of a library of this project's: the one that the environment variable names, or `name` beside the running
/// program. Throws Error naming the places looked at, and `remedy`.
std::string find_own_library(const char* name, const char* variable, const std::string& remedy);

/// What convolutions on a GPU need: opened at the first of them, or by who wants to tell its file.
inline constexpr const char* convolution_library = "libcudnn.so.9";

/// What processes on GPUs need to train together, NCCL: opened where there are several, and to tell its file.
inline constexpr const char* collective_library = "libnccl.so.2";
/// What to say where it cannot be opened, for this reason.
std::string no_collective_library(const std::string& reason);

/// The files of the libraries of CUDA, cuDNN, NCCL and this project's CUDA half that this process has opened so
/// far.
std::vector<std::string> opened_cuda_libraries();

/// For --version: the CUDA half, the libraries that it finds, each on a line, and the driver or why there is
/// none.
std::string describe_cuda_half();

}  // namespace ebm
