// SPDX-License-Identifier: MIT
// ./experiments/evaluate and ./experiments/tables on a run of two iterations.
#include "../io/io_fixture.h"
#include "support/process.h"

namespace ebm::test {
namespace {

using Words = std::vector<std::string>;

class MeasuringProgramsTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    for (const char* name : {"cifar10_bb", "evaluate", "tables"})
      if (program_path(name).empty()) GTEST_SKIP() << "the programs are not built";
    const Finished trained = run_command({program_path("cifar10_bb"), "--device", "cpu", "--synthetic",
                                          "--method", "wgan_0gp", "--batch", "4", "--latent", "3", "--width",
                                          "2", "--grid", "2", "--iterations", "2", "--out", run()});
    ASSERT_EQ(trained.status, 0) << trained.err;
  }
  std::string run() const { return (*this / "run").string(); }
  Finished evaluate(const Words& more) const {
    Words words{program_path("evaluate"), run(), "--device", "cpu"};
    words.insert(words.end(), more.begin(), more.end());
    return run_command(words);
  }
};

TEST_F(MeasuringProgramsTest, WhatIsMeasuredIsPrintedBesideThePapers) {
  const Words jacobian{"--metrics", "jacobian", "--points", "20", "--repeats", "2"};
  const Finished first = evaluate(jacobian);
  ASSERT_EQ(first.status, 0) << first.err;
  EXPECT_HAS(first.out, "jacobian:  anisotropy ");
  const auto written = std::filesystem::last_write_time(*this / "run/evaluation.h5");
  const Finished again = evaluate(jacobian);
  EXPECT_EQ(again.out, first.out);
  EXPECT_EQ(std::filesystem::last_write_time(*this / "run/evaluation.h5"), written) << "measured once";

  const Finished table = run_command({program_path("tables"), run(), "--table", "2", "--format", "csv"});
  ASSERT_EQ(table.status, 0) << table.err;
  EXPECT_HAS(table.out, "Model,CIFAR-10↓,paper,ANIMEFACE↓,paper\nWGAN-0GP,0.");
  EXPECT_HAS(table.out, ",1.0823 ± 0.005,,2.4366 ± 0.129\n");
}

TEST_F(MeasuringProgramsTest, WhatCannotBeMeasuredIsOneLine) {
  struct Case {
    Words words;
    int status;
    std::string message;
  };
  for (const Case& one :
       {Case{{"--metrics", "fid"}, 2, "'fid' is no measure; --metrics takes modes, jacobian and ood"},
        Case{{"--metrics", "ood"}, 2, "ood needs two files of images"},
        Case{{"--metrics", "modes", "--classifier", "none.h5"}, 1, "there is no classifier 'none.h5'"}}) {
    const Finished finished = evaluate(one.words);
    EXPECT_EQ(finished.status, one.status);
    EXPECT_HAS(finished.err, one.message);
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
  }
  const Finished table = run_command({program_path("tables"), run()});
  EXPECT_EQ(table.status, 1);
  EXPECT_HAS(table.err, "evaluation.h5; measure the run with ./experiments/evaluate");
}

}  // namespace
}  // namespace ebm::test
