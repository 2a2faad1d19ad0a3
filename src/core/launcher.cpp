// SPDX-License-Identifier: MIT
#include "core/launcher.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

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
};
// mpirun within a Slurm job sets its own beside Slurm's, so they come first.
constexpr Variables launchers[] = {{"OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK", "mpirun"},
                                   {"PMI_SIZE", "PMI_RANK", "mpirun"},
                                   {"SLURM_STEP_NUM_TASKS", "SLURM_PROCID", "srun"}};

}  // namespace

Launcher launcher() {
  for (const Variables& variables : launchers) {
    const auto size = number_in(variables.size), rank = number_in(variables.rank);
    if (size && rank && *rank >= 0 && *rank < *size)
      return {.rank = *rank, .size = *size, .name = variables.name};
  }
  return {};
}

}  // namespace ebm
