// SPDX-License-Identifier: MIT
// What a run says of the time that its training took.
#include "trainer_fixture.h"

namespace ebm::test {
namespace {

/// Each iteration takes a quarter of a second of a clock of the test's own.
class TickingData final : public DataSource {
 public:
  TickingData(Kernels& kernels, int64_t batch, double& clock)
      : data_(kernels, ToyDataset::gaussians25, batch, 1, 1), clock_(clock) {}
  const Features& features() const override { return data_.features(); }
  void prepare(uint64_t) override { clock_ += 0.25; }
  void draw(const uint64_t* iteration, View x) override { data_.draw(iteration, x); }

 private:
  ToyData data_;
  double& clock_;
};

class TrainerTimeTest : public IoTest {
 protected:
  static constexpr int64_t batch = 6, energy_steps = 2;
  double clock_ = 1000;

  /// Evaluations, every 3 iterations, take 100 s; checkpoints are every 5.
  void train(int64_t iterations) {
    const auto kernels = open_device("cpu");
    EbmBbOptions options = SmallEbmBb::small_options();
    options.training.batch = batch;
    options.training.energy_steps = energy_steps;
    TickingData data(*kernels, batch * energy_steps, clock_);
    EbmBb ebm_bb(*kernels, makers_of(SmallEbmBb::networks()), data, options);
    ebm_bb.initialize();
    FakeEvaluation evaluation;
    evaluation.at = [&](int64_t) { clock_ += 100; };
    const RunFolder folder(*this / "run");
    const auto newest = newest_checkpoint(folder.path());
    const auto resumed = newest ? std::optional(read_checkpoint_info(*newest)) : std::nullopt;
    clock_ += 7;  // between two starts
    Trainer(ebm_bb, evaluation, folder, {.name = "test", .config = ""},
            {.iterations = iterations, .log_every = 2, .checkpoint_every = 5, .eval_every = 3}, resumed,
            {.style = ProgressOptions::Style::silent, .now = [this] { return clock_; }})
        .run();
  }
  void expect_time(double seconds) const {
    constexpr double images_per_second = batch * energy_steps / 0.25;
    for (const TrainingTime& time : {read_run_log(*this / "run/run.h5").time,
                                     read_checkpoint_info(*newest_checkpoint(*this / "run")).time}) {
      EXPECT_EQ(time.seconds, seconds);
      EXPECT_EQ(time.images_per_second, images_per_second);
    }
  }
};

TEST_F(TrainerTimeTest, ItIsThatOfTrainingAloneAndTheSumOfAllStarts) {
  train(4);
  expect_time(1);
  train(11);
  expect_time(2.75);
  train(11);  // nothing left to do
  expect_time(2.75);
}

TEST_F(TrainerTimeTest, ACheckpointOfAnOlderProgramHasTakenNone) {
  train(4);
  const auto path = *newest_checkpoint(*this / "run");
  change_time(path, [](hid_t file, const char* name) { return H5Adelete(file, name); });
  EXPECT_EQ(read_checkpoint_info(path).time.seconds, 0);
  train(6);
  expect_time(0.5);
}

}  // namespace
}  // namespace ebm::test
