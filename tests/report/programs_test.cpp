// SPDX-License-Identifier: MIT
// ./experiments/evaluate and ./experiments/tables on a run of two iterations.
#include "../io/io_fixture.h"
#include "data/image_file.h"
#include "evaluate/evaluation_file.h"
#include "io/atomic_file.h"
#include "train/small_commands.h"

namespace ebm::test {
namespace {

/// A file of images of one colour, whose class is how bright they are.
void write_colours(const std::filesystem::path& path, DataSplit split, int64_t count) {
  write_image_file(path, [&](ImageSink& sink) {
    sink.begin({.name = "colours",
                .split = split,
                .source = "made up",
                .shape = {.height = 32, .width = 32, .channels = 3},
                .count = count});
    for (int64_t i = 0; i < count; ++i)
      sink.add(std::vector<uint8_t>(3072, static_cast<uint8_t>(20 * (i % 10) + i / 10)), i % 10);
  });
}

/// A run on images that are no shapes counts as one on CIFAR-10, by its networks.
class MeasuringProgramsTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    for (const char* name : {"cifar10_bb", "evaluate", "tables", "report"})
      if (program_path(name).empty()) GTEST_SKIP() << "the programs are not built";
    const std::string data = (*this / "data.h5").string();
    write_colours(data, DataSplit::train, 20);
    const Finished trained = run_command(
        small_images_command("cifar10_bb", "wgan_0gp", run(), {"--data", data, "--iterations", "2"}));
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

  const Finished table = run_command({program_path("tables"), "2", run(), "--format", "csv"});
  ASSERT_EQ(table.status, 0) << table.err;
  EXPECT_HAS(table.out, "Model,CIFAR-10↓,paper,ANIMEFACE↓,paper,notes\nWGAN-0GP,0.");
  EXPECT_HAS(table.out,
             ",1.0823 ± 0.005,,2.4366 ± 0.129,\"WGAN-0GP: 1 run, 2 iterations; ± over its repeats; "
             "CIFAR-10↓: measured: 20 latent points, running statistics, seeds 1 to 2\"\n");
  EXPECT_EQ(run_command({program_path("tables"), run(), "--table", "2", "--format", "csv"}).out, table.out);

  const std::string page = (*this / "report.html").string();
  const Finished report = run_command({program_path("report"), run(), "-o", page});
  ASSERT_EQ(report.status, 0) << report.err;
  const std::vector<uint8_t> bytes = read_file(page);
  const std::string html(bytes.begin(), bytes.end());
  for (const char* part : {"<caption>Table 2", "<caption>Table 5"}) EXPECT_HAS(html, part);
  EXPECT_EQ(html.find("<caption>Table 1"), std::string::npos) << "the run has nothing to do with it";
}

TEST_F(MeasuringProgramsTest, WhatCannotBeMeasuredIsOneLine) {
  struct Case {
    Words words;
    int status;
    std::string message;
  };
  for (const Case& one :
       {Case{{"--metrics", "FID"}, 2, "'FID' is no measure; --metrics takes modes, jacobian, anisotropy, is"},
        Case{{"--metrics", "fid"}, 1, "data/fetch.sh inception"},
        Case{{"--metrics", "is", "--features", "classifier", "--classifier", "none.h5"},
             1,
             "there is no classifier 'none.h5'"},
        Case{{"--metrics", "ood"}, 2, "ood needs a file of other images; give ood=FILE, or --ood"},
        Case{{"--metrics", "ood="}, 2, "'ood=' names no file of images"},
        Case{{"--metrics", "is", "--ood", "none.h5"}, 2, "--ood none.h5 is not used; add ood to --metrics"},
        Case{{"--metrics", "ood=none.h5", "--in", "no.h5"}, 1, "there is no data file 'no.h5'"},
        Case{{"--metrics", "modes", "--classifier", "none.h5"}, 1, "there is no classifier 'none.h5'"}}) {
    const Finished finished = evaluate(one.words);
    EXPECT_EQ(finished.status, one.status);
    EXPECT_HAS(finished.err, one.message);
    EXPECT_EQ(std::count(finished.err.begin(), finished.err.end(), '\n'), 1) << finished.err;
  }
  const Finished table = run_command({program_path("tables"), "3", run()});
  EXPECT_EQ(table.status, 0) << table.err;
  EXPECT_HAS(table.out, "WGAN-0GP [a] ");
  EXPECT_HAS(table.out, "[a] " + run() + " was not evaluated for this table: ./experiments/evaluate " +
                            run() + " --metrics is,fid,prd\n");
  const Finished none = run_command({program_path("tables"), "3"});
  EXPECT_EQ(none.status, 2);
  EXPECT_HAS(none.err, "table 3 of which runs?");
  const Finished empty = run_command({program_path("tables"), (*this / "no_run").string()});
  EXPECT_EQ(empty.status, 1);
  EXPECT_HAS(empty.err, "has neither evaluation.h5 nor checkpoints");
}

TEST_F(MeasuringProgramsTest, AClassifiersFeaturesCompareSamplesUnderNamesOfTheirOwn) {
  if (program_path("image_classifier").empty()) GTEST_SKIP() << "the programs are not built";
  const std::string train = (*this / "train.h5").string(), test = (*this / "test.h5").string(),
                    classifier = (*this / "classifier.h5").string();
  write_colours(train, DataSplit::train, 60);
  write_colours(test, DataSplit::test, 30);
  const Finished trained =
      run_command({program_path("image_classifier"), "--device", "cpu", "--data", train, "--test", test,
                   "--out", classifier, "--epochs", "1", "--batch", "20"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Words words{"--metrics",
                    "is,fid,kid,prd",
                    "--features",
                    "classifier",
                    "--classifier",
                    classifier,
                    "--in",
                    test,
                    "--samples",
                    "25",
                    "--repeats",
                    "2",
                    "--is-splits",
                    "2",
                    "--kid-subsets",
                    "3",
                    "--kid-subset-size",
                    "10",
                    "--prd-clusterings",
                    "1"};
  const Finished first = evaluate(words);
  ASSERT_EQ(first.status, 0) << first.err;
  for (const char* name : {"classifier_score:  deviation ", "classifier_frechet:  distance ",
                           "classifier_kernel_distance:  deviation ", "classifier_precision_recall:  f1_8 "})
    EXPECT_HAS(first.out, name);
  EXPECT_EQ(evaluate(words).out, first.out);
  const Finished table =
      run_command({program_path("tables"), run(), "--table", "3", "--features", "classifier"});
  ASSERT_EQ(table.status, 0) << table.err;
  EXPECT_HAS(table.out, "measured: 25 samples in bytes against 25 of 30 images of colours test (crc32:");
  EXPECT_HAS(table.out, "features: classifier classifier.h5 (");
}

TEST_F(MeasuringProgramsTest, DetectionOfSeveralFilesKeepsEach) {
  const std::string train = (*this / "train.h5").string(), test = (*this / "test.h5").string();
  write_colours(train, DataSplit::train, 6);
  write_colours(test, DataSplit::test, 5);
  const Words words{"--metrics", "ood=" + train + ",ood,ood=" + test, "--ood", test, "--in", train};
  const Finished found = evaluate(words);
  ASSERT_EQ(found.status, 0) << found.err;
  EXPECT_HAS(found.out, "ood_colours_train:  auprc ");
  EXPECT_HAS(found.out, "ood_colours_test:  auprc ");
  const EvaluationFile kept(*this / "run/evaluation.h5");
  EXPECT_EQ(kept.metrics().size(), 2u);
}

TEST_F(MeasuringProgramsTest, TheTimeOfTrainingIsTable5) {
  const Finished table = run_command({program_path("tables"), run(), "--table", "5", "--format", "csv"});
  ASSERT_EQ(table.status, 0) << table.err;
  EXPECT_HAS(table.out, "\nWGAN-0GP,2,\"100,000\",0:00,4 h,");
  EXPECT_HAS(table.out, ",\"cpu (");
}

}  // namespace
}  // namespace ebm::test
