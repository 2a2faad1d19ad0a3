// SPDX-License-Identifier: MIT
// What the trainer asks of the device between two checkpoints: a row of the log is fetched when the next one
// is due, and nothing else waits.
#include "kernels/recorder/recorder.h"
#include "trainer_fixture.h"

namespace ebm::test {
namespace {

/// Notes where each iteration begins.
class MarkedData final : public DataSource {
 public:
  MarkedData(Recorder& recorder, int64_t batch)
      : recorder_(recorder), data_(recorder, ToyDataset::gaussians25, batch, 1, 1) {}
  const Features& features() const override { return data_.features(); }
  void prepare(uint64_t iteration) override {
    recorder_.note({.name = "iteration " + std::to_string(iteration), .kind = LaunchKind::map});
  }
  void draw(const uint64_t* iteration, View x) override { data_.draw(iteration, x); }

 private:
  Recorder& recorder_;
  ToyData data_;
};

class TrainerQueueTest : public IoTest {};

TEST_F(TrainerQueueTest, ARowIsFetchedWhenTheNextOneIsDue) {
  const auto recorder = make_recorder();
  const EbmBbOptions options = SmallEbmBb::small_options();
  MarkedData data(*recorder, options.training.batch);
  EbmBb ebm_bb(*recorder, makers_of(SmallEbmBb::networks()), data, options);
  ebm_bb.initialize();
  FakeEvaluation evaluation;
  const RunFolder folder(*this / "run");
  const Schedule schedule{.iterations = 10, .log_every = 3, .checkpoint_every = 100, .eval_every = 100};
  Trainer trainer(ebm_bb, evaluation, folder, {.name = "test", .config = ""}, schedule, std::nullopt,
                  {.style = ProgressOptions::Style::silent});

  std::vector<std::string> seen;
  for (const Launch& launch : recorder->record([&] { trainer.run(); })) {
    const bool host = launch.kind == LaunchKind::wait || launch.kind == LaunchKind::from_host ||
                      launch.kind == LaunchKind::to_host || launch.kind == LaunchKind::allocation;
    if (host || launch.name.starts_with("iteration ")) seen.push_back(launch.name);
    if (launch.name == "iteration 9") break;  // the last; evaluation and checkpoint follow it
  }
  EXPECT_EQ(seen, (std::vector<std::string>{"iteration 0", "iteration 1", "iteration 2", "readback",
                                            "iteration 3", "iteration 4", "iteration 5", "readback's wait",
                                            "readback", "iteration 6", "iteration 7", "iteration 8",
                                            "readback's wait", "readback", "iteration 9"}));
}

}  // namespace
}  // namespace ebm::test
