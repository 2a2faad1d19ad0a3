// SPDX-License-Identifier: MIT
#include "core/launcher.h"

#include <charconv>
#include <cstdlib>
#include <cstring>

namespace ebm {

namespace {

std::optional<int64_t> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  int64_t number = 0;
  const char* const end = text + std::strlen(text);
  const auto [stop, error] = std::from_chars(text, end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

struct Variables {
  const char *size, *rank, *name;
  const char* local_rank[3];  // the first of them that is set
};
// EBM_RANKS and its kin are what a user says where no launcher does, or not well. mpirun within a Slurm job sets its own
// beside Slurm's, so they come first. MPI_LOCALRANKID is of Hydra (MPICH, Intel MPI), PMI_LOCAL_RANK of Cray's; under
// srun with PMI-2 there is Slurm's alone.
constexpr Variables launchers[] = {
    {"EBM_RANKS", "EBM_RANK", "EBM_RANKS", {"EBM_LOCAL_RANK"}},
    {"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun", {"OMPI_COMM_WORLD_LOCAL_RANK"}},
    {"PMI_SIZE", "PMI_RANK", "mpirun", {"MPI_LOCALRANKID", "PMI_LOCAL_RANK", "SLURM_LOCALID"}},
    {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun", {"SLURM_LOCALID"}}};

std::optional<int64_t> local_rank_in(const Variables& variables) {
  for (const char* const name : variables.local_rank) {
    if (name == nullptr) break;
    if (const auto found = number_in(name); found && *found >= 0) return found;
  }
  return std::nullopt;
}

}  // namespace

Launcher launcher() {
  for (const Variables& variables : launchers) {
    const auto size = number_in(variables.size), rank = number_in(variables.rank);
    if (size && rank && *rank >= 0 && *rank < *size)
      return {.rank = *rank, .size = *size, .name = variables.name, .local_rank = local_rank_in(variables)};
  }
  return {};
}

}  // namespace ebm
