// SPDX-License-Identifier: MIT
// The file of a sweep and its table.
#include "report/sweep_results.h"

#include <cmath>

#include "../io/io_fixture.h"
#include "io/hdf5_file.h"

namespace ebm::test {
namespace {

SweptRun run(int64_t seed, RunStatus status, double kl, double loss) {
  return {.seed = seed,
          .status = status,
          .message = status == RunStatus::failed ? "no luck" : "",
          .version = "v1",
          .command = "toy_bb --seed=1",
          .iteration = 7,
          .seconds = 10.0 * static_cast<double>(seed),
          .evaluated = {{"kl", kl}, {"unknown", NAN}},
          .training = {{"loss", loss}}};
}

SweepResults results() {
  return {
      .program = "toy_bb",
      .table = "seeds = [1, 2]",
      .environment = {{"version", "v2"}},
      .configurations = {{.name = "z,a=1",
                          .changed = {{"a", int64_t{1}}},
                          .options = {{"a", int64_t{1}}, {"b", 0.5}, {"c", true}, {"d", ""}},
                          .runs = {run(1, RunStatus::complete, 3, 5), run(2, RunStatus::complete, 7, 5)}},
                         {.name = "b",
                          .changed = {},
                          .options = {},
                          .runs = {run(1, RunStatus::complete, NAN, 4), run(2, RunStatus::waiting, 0, 0)}},
                         {.name = "c",
                          .changed = {},
                          .options = {},
                          .runs = {run(1, RunStatus::complete, 1, 6), run(2, RunStatus::failed, 99, 0)}}}};
}

// By hand: 3 and 7 have mean 5 and deviation 2 sqrt(2).
const std::string as_in_the_table =
    "toy_bb, 4 of 6 runs: mean ± standard deviation over seeds\n"
    "configuration  runs    kl       seconds\n"
    "----------------------------------------\n"
    "z,a=1          2       5 ± 2.8  15 ± 7.1\n"
    "b              1 of 2  nan      10\n"
    "c              1 of 2  1        10\n"
    "failed: c with seed 2: no luck\n";

std::vector<std::string> names(const SweepColumns& columns) {
  std::vector<std::string> names;
  for (const auto& row : sweep_table(results(), columns).rows) names.push_back(row[0]);
  return names;
}

TEST(SweepTableTest, HasMeansOfCompleteRuns) {
  EXPECT_EQ(written(sweep_table(results(), {.names = {}, .sort = {}}), TableFormat::text), as_in_the_table);
}

TEST(SweepTableTest, IsSortedWithNanLast) {
  EXPECT_EQ(names({.names = {}, .sort = "kl"}), (std::vector<std::string>{"c", "z,a=1", "b"}));
  EXPECT_EQ(names({.names = {"kl"}, .sort = "loss"}), (std::vector<std::string>{"b", "z,a=1", "c"}));
  EXPECT_HAS(error_of([] { (void)sweep_table(results(), {.names = {"lk"}, .sort = {}}); }),
             "'lk' is no column of these runs; give one of seconds, kl, unknown, loss");
}

class SweepFileTest : public IoTest {};

TEST_F(SweepFileTest, HoldsOptionsRunsAndNumbers) {
  write_sweep(*this / "s.h5", results());
  EXPECT_EQ(written(sweep_table(read_sweep(*this / "s.h5"), {.names = {}, .sort = {}}), TableFormat::text),
            as_in_the_table);
  const Hdf5File file = Hdf5File::open_read(*this / "s.h5");
  const std::string group = "configurations/z,a=1";
  EXPECT_EQ(file.list_attributes(group + "/changed"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(file.read_attribute<double>(group + "/options", "b"), 0.5);
  EXPECT_EQ(file.read_attribute<int64_t>(group + "/options", "c"), 1);
  EXPECT_EQ(file.read_dataset<double>(group + "/evaluated/kl").values, (std::vector<double>{3, 7}));
  EXPECT_EQ(file.read_dataset<double>("configurations/c/training/loss").values, (std::vector<double>{6, 0}));
  EXPECT_EQ(file.read_dataset<uint8_t>("configurations/c/complete").values, (std::vector<uint8_t>{1, 0}));
  EXPECT_EQ(file.read_dataset<int64_t>(group + "/iteration").values, (std::vector<int64_t>{7, 7}));
  EXPECT_EQ(file.read_attribute<std::string>("configurations/c/runs/seed-2", "status"), "failed");
  EXPECT_EQ(file.read_attribute<std::string>("configurations/c/runs/seed-2", "version"), "v1");
  EXPECT_EQ(file.read_attribute<std::string>("/", "version"), "v2");
}

TEST_F(SweepFileTest, ReplacesNoFileOfOthers) {
  Hdf5File other = Hdf5File::create(*this / "o.h5");
  other.close();
  EXPECT_HAS(error_of([&] { check_sweep_file(*this / "o.h5"); }), "is not the file of a sweep");
  check_sweep_file(*this / "none.h5");
}

}  // namespace
}  // namespace ebm::test
