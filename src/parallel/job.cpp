// SPDX-License-Identifier: MIT
#include "parallel/job.h"

#include <dlfcn.h>

#include <array>
#include <charconv>
#include <cstdlib>
#include <cstring>

#include "kernels/library_search.h"
#include "parallel/mpi/interface.h"
#include "parallel/socket_ranks.h"

namespace ebm {

namespace {

constexpr const char* time_limit_variable = "EBM_RANK_TIMEOUT";

double time_limit() {
  const char* const text = std::getenv(time_limit_variable);
  if (text == nullptr || *text == '\0') return 1800;
  double seconds = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, seconds);
  if (error != std::errc() || stop != end || !(seconds > 0 && seconds < 1e9))
    throw UsageError(std::string(time_limit_variable) + "=" + text +
                     " is no number of seconds; give one, as 1800");
  return seconds;
}

constexpr const char* folder_variable = "EBM_RANK_FOLDER";

/// Of this job among others that meet in the same folder.
std::string job_name() {
  std::string name;
  for (const char* variable : {"SLURM_JOB_ID", "SLURM_STEP_ID"}) {
    const char* const text = std::getenv(variable);
    if (text != nullptr) name += (name.empty() ? "" : ".") + std::string(text);
  }
  return name.empty() ? "job" : name;
}

std::string count_text(const Launcher& launcher) {
  return launcher.name + " started " + std::to_string(launcher.size) + " processes";
}

}  // namespace

std::unique_ptr<JobRanks> open_job(const Launcher& launcher) {
  const double seconds = time_limit();
  const char* const folder = std::getenv(folder_variable);
  if (folder != nullptr && *folder != '\0') return meet_in_folder(launcher, folder, job_name(), seconds);
  const std::string path = find_own_library("libebm_mpi.so", "EBM_MPI_LIBRARY",
                                            count_text(launcher) +
                                                ", which takes MPI: build with `make` where mpicc is "
                                                "installed, name a folder that all processes see in " +
                                                folder_variable + ", or start one process");
  // Global: MPI's own plugins look for its symbols.
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) {
    const char* const reason = dlerror();
    throw Error(count_text(launcher) + ", but the MPI library cannot be opened (" +
                (reason != nullptr ? reason : "no reason given") +
                "); put the MPI that it was built with on LD_LIBRARY_PATH, or build again");
  }
  const auto open = reinterpret_cast<mpi::OpenFunction*>(dlsym(library, mpi::entry_point));
  if (open == nullptr)
    throw Error(path + " is no MPI library of this program: it has no " + mpi::entry_point);
  std::array<char, 1024> message{};
  std::unique_ptr<JobRanks> ranks(open(mpi::interface_version, seconds, message.data(), message.size()));
  if (ranks == nullptr) throw Error(count_text(launcher) + ", but " + message.data());
  if (ranks->size() != launcher.size) {
    throw Error(
        count_text(launcher) + ", but MPI sees " + std::to_string(ranks->size()) +
        "; start them with the mpirun of the MPI that the program was built with, or with srun --mpi=pmix");
  }
  return ranks;
}

}  // namespace ebm
