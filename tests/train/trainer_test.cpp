// SPDX-License-Identifier: MIT
#include "train/trainer.h"

#include <csignal>

#include "io/atomic_file.h"
#include "trainer_fixture.h"

namespace ebm::test {
namespace {

class TrainerTest : public IoTest, public testing::WithParamInterface<std::string> {
 protected:
  static constexpr Schedule schedule{
      .iterations = 40, .log_every = 6, .checkpoint_every = 15, .keep_checkpoints = 2, .eval_every = 20};

  RunEnd train(
      const std::string& name, const Schedule& how = schedule,
      const EbmBbOptions& options = SmallEbmBb::small_options(),
      const std::function<void(int64_t)>& at_evaluation = [](int64_t) {}) {
    return train_watched(name, how, options, [&](int64_t iteration, EbmBb&) { at_evaluation(iteration); });
  }

  RunEnd train_watched(const std::string& name, const Schedule& how, const EbmBbOptions& options,
                       const std::function<void(int64_t, EbmBb&)>& at_evaluation) {
    SmallEbmBb small(GetParam(), options);
    FakeEvaluation evaluation;
    evaluation.at = [&](int64_t iteration) { at_evaluation(iteration, small.ebm_bb); };
    const RunFolder folder(*this / name);
    const auto newest = newest_checkpoint(folder.path());
    const auto resumed = newest ? std::optional(read_checkpoint_info(*newest)) : std::nullopt;
    Trainer trainer(small.ebm_bb, evaluation, folder, {.name = "test", .config = "batch = 11\n"}, how,
                    resumed, {.style = ProgressOptions::Style::silent});
    return trainer.run();
  }
};

TEST_P(TrainerTest, WritesRowsEvaluationsAndCheckpoints) {
  const RunEnd end = train("run");
  EXPECT_EQ(end.iteration, 40);
  EXPECT_FALSE(end.stop);

  const RunLogContent log = read_run_log(*this / "run/run.h5");
  EXPECT_EQ(log.config, "batch = 11\n");
  EXPECT_EQ(bytes_of(*this / "run/config.toml"), log.config);
  EXPECT_EQ(log.metrics.iterations, (std::vector<int64_t>{6, 12, 18, 20, 24, 30, 36, 40}));
  for (size_t c = 0; c < log.metrics.names.size(); ++c) {
    for (size_t row = 0; row < log.metrics.iterations.size(); ++row) {
      const auto iteration = static_cast<double>(log.metrics.iterations[row]);
      const double value = log.metrics.columns[c][row];
      if (log.metrics.names[c] != "iteration_squared") {
        EXPECT_TRUE(std::isfinite(value)) << log.metrics.names[c] << " at " << iteration;
      } else if (iteration == 20 || iteration == 40) {
        EXPECT_EQ(value, iteration * iteration);
      } else {
        EXPECT_TRUE(std::isnan(value));
      }
    }
  }
  const auto kept = numbered_files(*this / "run/checkpoints", "iteration-", ".h5");
  ASSERT_EQ(kept.size(), 2u);
  EXPECT_EQ(kept[0].filename(), "iteration-00000030.h5");
  EXPECT_EQ(kept[1].filename(), "iteration-00000040.h5");
}

/// J = 0 in the first iteration: the bound is the floor's value, and the log does not call it good.
TEST_P(TrainerTest, LogsTheShareOfSamplesAtTheFloor) {
  for (const Variant method : {Variant::ebm_bb, Variant::ebm_0gp, Variant::wgan_0gp}) {
    EbmBbOptions options = ebm_bb_options(NetworkKind::toy, method, Preset::paper);
    options.training.batch = 11;
    SmallEbmBb small(GetParam(), options);
    const Parameter& weight = *(small.generator.parameters().trainable().rbegin() + 1);
    ASSERT_EQ(weight.shape, (std::vector<int64_t>{2, 9}));
    small.kernels->zero(weight.value, weight.size * static_cast<int64_t>(sizeof(float)));
    FakeEvaluation evaluation;
    const std::string name = std::to_string(static_cast<int>(method));
    const RunFolder folder(*this / name);
    Trainer(small.ebm_bb, evaluation, folder, {.name = "test", .config = ""},
            {.iterations = 2, .log_every = 1}, std::nullopt, {.style = ProgressOptions::Style::silent})
        .run();
    const MetricTable log = read_run_log(*this / name / "run.h5").metrics;
    const auto column = [&](const char* wanted) {
      const auto found = std::find(log.names.begin(), log.names.end(), wanted);
      return log.columns.at(static_cast<size_t>(found - log.names.begin()));
    };
    const bool counted = std::find(log.names.begin(), log.names.end(), "share_good") != log.names.end();
    EXPECT_EQ(counted, method != Variant::wgan_0gp);
    if (counted) {
      const std::vector<double> good = column("share_good"), floored = column("share_floored");
      EXPECT_EQ(good[0], 0) << name;
      EXPECT_EQ(floored[0], 1) << name;
      EXPECT_TRUE(std::isfinite(column("entropy")[0])) << name;
      EXPECT_EQ(good[1] + floored[1], 1) << name;
    }
  }
}

TEST_P(TrainerTest, StoppedByASignalAndResumedIsTheUninterruptedRun) {
  train("whole");
  const struct {
    int number;
    const char* name;
    int status;
  } signals[] = {{SIGINT, "SIGINT", 0},   {SIGTERM, "SIGTERM", 143}, {SIGUSR1, "SIGUSR1", 0},
                 {SIGUSR2, "SIGUSR2", 0}, {SIGHUP, "SIGHUP", 0},     {SIGXCPU, "SIGXCPU", 0},
                 {SIGALRM, "SIGALRM", 0}};
  for (const auto& signal : signals) {
    // evaluations at 20 and 40; another schedule of evaluations would be another run.h5
    const RunEnd end = train(signal.name, schedule, SmallEbmBb::small_options(), [&](int64_t iteration) {
      if (iteration == 20) raise(signal.number);
    });
    EXPECT_EQ(end.iteration, 20);
    ASSERT_TRUE(end.stop);
    EXPECT_EQ(end.stop->name, signal.name);
    EXPECT_EQ(end.stop->exit_status(), signal.status);
    EXPECT_EQ(read_checkpoint_info(*newest_checkpoint(*this / signal.name)).iteration, 20);

    EXPECT_FALSE(train(signal.name).stop);
    expect_same_runs(*this / "whole", *this / signal.name, 40);
  }
}

TEST_P(TrainerTest, ALongerScheduleGoesOn) {
  Schedule half = schedule;
  half.iterations = 20;  // an evaluation of the whole schedule
  train("parts", half);
  train("parts");
  train("whole");
  expect_same_runs(*this / "whole", *this / "parts", 40);
}

TEST_P(TrainerTest, ANumberThatIsNotFiniteStopsTheRun) {
  EbmBbOptions wild = SmallEbmBb::small_options();
  wild.training.lr_energy = 1e30;
  Schedule often = schedule;
  often.log_every = often.checkpoint_every = 1;
  const std::string message = error_of([&] { train("wild", often, wild); });
  EXPECT_HAS(message, "not a finite number");

  // Whatever was kept is finite, and named.
  const auto newest = newest_checkpoint(*this / "wild");
  if (newest) {
    EXPECT_HAS(message, newest->string());
    const Hdf5File file = Hdf5File::open_read(*newest);
    for (const char* network : {"energy", "generator"}) {
      for (const std::string& name : file.list(network)) {
        for (const float value : file.read_dataset<float>(std::string(network) + "/" + name).values)
          ASSERT_TRUE(std::isfinite(value)) << name;
      }
    }
  } else {
    EXPECT_HAS(message, "no checkpoint yet");
  }
  const MetricTable rows = read_run_log(*this / "wild/run.h5").metrics;
  EXPECT_LT(rows.iterations.size(), 40u);
}

TEST_P(TrainerTest, ANanAtTheStartLeavesNoCheckpoint) {
  EbmBbOptions nan = SmallEbmBb::small_options();
  nan.training.lr_generator = std::numeric_limits<double>::quiet_NaN();
  EXPECT_HAS(error_of([&] { train("nan", schedule, nan); }), "there is no checkpoint yet");
  EXPECT_FALSE(newest_checkpoint(*this / "nan"));
}

/// Puts `number` among the numbers of `array`, a flat buffer of float or double.
template <class T>
void spoil(EbmBb& ebm_bb, T* array, double number) {
  const auto value = static_cast<T>(number);
  ebm_bb.kernels().upload(array, &value, sizeof value);
}

// A part of the state that is spoilt between two rows of the log, and what the Error calls it.
struct Spoilt {
  const char* name;
  void (*spoil)(EbmBb&);
};
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr Spoilt spoilt_states[] = {
    {"energy/main.0.weight", [](EbmBb& g) { spoil(g, g.energy().parameters().values().data, nan); }},
    {"generator/main.0.weight", [](EbmBb& g) { spoil(g, g.generator().parameters().values().data, nan); }},
    {"generator/main.2.running_mean",
     [](EbmBb& g) { spoil(g, g.generator().parameters().statistics_values().data, nan); }},
    {"adam/energy/exp_avg/main.0.weight",
     [](EbmBb& g) { spoil(g, g.learner("energy").first_moments().data, nan); }},
    // With an infinite mean of g^2 the parameter just stands still: only the moment tells.
    {"adam/energy/exp_avg_sq/main.0.weight",
     [](EbmBb& g) { spoil(g, g.learner("energy").second_moments().data, infinity); }},
    {"adam/generator/exp_avg_sq/main.0.weight",
     [](EbmBb& g) { spoil(g, g.learner("generator").second_moments().data, infinity); }},
    {"bound/state", [](EbmBb& g) { spoil(g, g.lower()->state()->data(), nan); }}};

TEST_P(TrainerTest, NoCheckpointHoldsANan) {
  EbmBbOptions options = SmallEbmBb::small_options();
  options.lower->kind = EntropyBoundKind::slq;
  options.lower->preconditioning = Preconditioning::running_gram;
  // No row comes between the evaluation at 20, which spoils the state, and the checkpoint.
  const Schedule due{.iterations = 40, .log_every = 1000, .checkpoint_every = 15, .eval_every = 20};
  Schedule final = due;
  final.iterations = 20;
  const auto expect_no_checkpoint = [&](const Spoilt& spoilt, const char* when, const Schedule& how,
                                        int signal) {
    const std::string run = std::string(when) + std::to_string(&spoilt - spoilt_states);
    const std::string message = error_of([&] {
      train_watched(run, how, options, [&](int64_t iteration, EbmBb& ebm_bb) {
        if (iteration != 20) return;
        spoilt.spoil(ebm_bb);
        if (signal != 0) raise(signal);
      });
    });
    const auto kept = *this / run / "checkpoints/iteration-00000015.h5";
    EXPECT_HAS(message,
               "is not a finite number, so the run stops; the last good checkpoint is " + kept.string());
    if (how.iterations == 20 || signal != 0) {
      EXPECT_HAS(message, "at iteration 20 a value of " + std::string(spoilt.name));
    }
    std::vector<std::filesystem::path> left;
    for (const auto& entry : std::filesystem::directory_iterator(kept.parent_path()))
      left.push_back(entry.path());
    EXPECT_EQ(left, std::vector{kept}) << spoilt.name << ' ' << when;
  };
  for (const Spoilt& spoilt : spoilt_states) {
    expect_no_checkpoint(spoilt, "due", due, 0);
    expect_no_checkpoint(spoilt, "final", final, 0);
    expect_no_checkpoint(spoilt, "signal", due, SIGTERM);
  }
}

TEST_P(TrainerTest, ADumpChangesNothingElse) {
  train("plain");
  Schedule dumping = schedule;
  dumping.dump_iteration = 7;
  train("dumped", dumping);
  expect_same_runs(*this / "plain", *this / "dumped", 40);
  const Hdf5File dump = Hdf5File::open_read(*this / "dumped/iteration-7.h5");
  EXPECT_EQ(dump.read_attribute<int64_t>("/", "iteration"), 7);
  EXPECT_EQ(dump.read_dataset<int64_t>("after/adam/energy/step").values.at(0), 7);

  train("dumped", dumping);  // the same command again: the dump is there
  dumping.dump_iteration = 8;
  EXPECT_HAS(error_of([&] { train("dumped", dumping); }), "iteration 8 cannot be dumped");
  dumping.dump_iteration = 41;
  EXPECT_HAS(error_of([&] { train("other", dumping); }), "iteration 41 cannot be dumped");
}

TEST_P(TrainerTest, AFullDiskLosesNothing) {
  train("whole");
  const auto checkpoint_size =
      static_cast<int64_t>(bytes_of(*this / "whole/checkpoints/iteration-00000040.h5").size());
  // The evaluation at 20 fills the disk: the checkpoint at 30 does not fit, a row of run.h5 does.
  std::optional<FullDisk> full;
  const std::string message = error_of([&] {
    train("full", schedule, SmallEbmBb::small_options(), [&](int64_t iteration) {
      if (iteration == 20) full.emplace(checkpoint_size / 2);
    });
  });
  full.reset();
  EXPECT_NE(message, "(no Error)");
  EXPECT_EQ(read_checkpoint_info(*newest_checkpoint(*this / "full")).iteration, 15);
  EXPECT_GE(read_run_log(*this / "full/run.h5").metrics.iterations.size(), 3u);
  train("full");
  expect_same_runs(*this / "whole", *this / "full", 40);
}

TEST_P(TrainerTest, OneProcessAFolder) {
  const RunFolder first(*this / "run");
  EXPECT_HAS(error_of([&] { RunFolder second(*this / "run"); }), "another process is training");
}

TEST_P(TrainerTest, AnIterationAllocatesNothing) {
  SmallEbmBb small(GetParam());
  FakeEvaluation evaluation;
  const RunFolder folder(*this / "run");
  int64_t allocations = -1;
  evaluation.at = [&](int64_t iteration) {
    if (iteration == 20) allocations = small.kernels->allocations();
    if (iteration == 40) {
      EXPECT_EQ(small.kernels->allocations(), allocations);
    }
  };
  Trainer trainer(small.ebm_bb, evaluation, folder, {.name = "test", .config = ""}, schedule, std::nullopt,
                  {.style = ProgressOptions::Style::silent});
  trainer.run();
  EXPECT_GT(allocations, 0);
}

INSTANTIATE_TEST_SUITE_P(Devices, TrainerTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
