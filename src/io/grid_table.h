// SPDX-License-Identifier: MIT
#pragma once
// A table of configurations, TOML (docs/training.md, "Sweeps"):
//
//   program = "toy_bb"
//   seeds = [11, 12]
//   [common]                     # options of all
//   iterations = 20000
//   [[configuration]]            # options of one; a list stands for a configuration with each of its values
//   name = "bounds"
//   hinge = [0, 1]
//   lower_bound = ["s1", "logdet"]

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "io/options.h"

namespace ebm {

/// A configuration of a table, lists taken apart.
struct GridPoint {
  std::string name;  ///< letters, digits and ._+=,-; begins with none of .-
  int64_t line = 0;  ///< where the table says it
  std::vector<OptionValue> options;
};

struct GridTable {
  std::string text;
  std::string program;
  std::vector<int64_t> seeds;
  std::vector<GridPoint> points;  ///< as they come in the file; of a grid the last list goes fastest
};

/// A point's name is the one that it is given, or else its own options with one value; and then the options with
/// lists: "bounds,hinge=0,lower_bound=s1". Names and seeds occur once. Without any [[configuration]] [common] is the
/// one. Throws Error naming file, line and key.
[[nodiscard]] GridTable read_grid_table(const std::filesystem::path& file);

/// A value as the command line takes it.
[[nodiscard]] std::string value_text(const OptionValue::Value& value);

}  // namespace ebm
