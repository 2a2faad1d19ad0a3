// SPDX-License-Identifier: MIT
// The program toy_bb as its user meets it: its files, its messages and statuses, and its death at any moment.
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/atomic_file.h"
#include "io/png.h"
#include "killed_runs.h"
#include "reference/random.h"
#include "small_commands.h"
#include "support/process.h"
#include "trainer_fixture.h"

namespace ebm::test {
namespace {

class ToyBbTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    program_ = program_path("toy_bb");
    if (program_.empty()) GTEST_SKIP() << "experiments/toy_bb is not built";
  }
  /// toy_bb with a small network in the folder `out`.
  Words command(const std::string& out, const Words& more = {}) {
    return small_toy_command((*this / out).string(), more);
  }
  Finished run(const std::string& out, const std::vector<std::string>& more) {
    return run_command(command(out, more));
  }
  void expect_refused(const Finished& run, int status, const std::string& message) {
    test::expect_refused("toy_bb", run, status, message);
  }
  /// A command that a shell runs as "$@" of its script.
  static std::vector<std::string> in_shell(const std::string& script,
                                           const std::vector<std::string>& command) {
    std::vector<std::string> words{"/bin/sh", "-c", script, "sh"};
    words.insert(words.end(), command.begin(), command.end());
    return words;
  }
  /// Waits for a checkpoint of an iteration after this one, or the end.
  void await_checkpoint(Process& process, const std::string& out, int64_t iteration) {
    const std::string last =
        (*this / out / "checkpoints" / fmt::format("iteration-{:08}.h5", iteration)).string();
    while (process.running()) {
      const auto newest = newest_checkpoint(*this / out);
      if (newest && newest->string() > last) return;
      usleep(1000);
    }
  }
  const std::vector<std::string> endless{"--iterations", "100000000", "--checkpoint-every", "500"};
  std::string checkpoint(const std::string& out) { return newest_checkpoint(*this / out)->string(); }

  std::string program_;
};

TEST_F(ToyBbTest, TrainsAndLeavesItsFiles) {
  const Finished done = run("run", {"--iterations", "50", "--log-every", "10", "--dataset", "25gaussians"});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_HAS(done.out, "device: cpu");
  EXPECT_HAS(done.out, "density.png");
  const Image picture = read_png(*this / "run/density.png");
  EXPECT_GT(picture.width, 3 * picture.height);
  const MetricTable metrics = read_run_log(*this / "run/run.h5").metrics;
  EXPECT_EQ(metrics.iterations, (std::vector<int64_t>{10, 20, 30, 40, 50}));
  for (const char* name : {"log_z", "log_likelihood", "kl_data_model", "modes", "high_quality",
                           "share_bound_above_entropy", "loss_energy", "loss_generator", "entropy"}) {
    const auto found = std::find(metrics.names.begin(), metrics.names.end(), name);
    ASSERT_NE(found, metrics.names.end()) << name;
    EXPECT_TRUE(std::isfinite(metrics.columns[static_cast<size_t>(found - metrics.names.begin())].back()))
        << name;
  }

  const Finished again = run("run", {"--iterations", "50", "--dataset", "25gaussians"});
  EXPECT_EQ(again.status, 0);
  EXPECT_HAS(again.out, "complete at iteration 50");
  const Finished more =
      run_command({program_, "--config", (*this / "run/config.toml").string(), "--iterations", "60"});
  EXPECT_EQ(more.status, 0) << more.err;
  EXPECT_HAS(more.out, "goes on from iteration 50");
}

TEST_F(ToyBbTest, TheLogSaysHowManyThreadsComputed) {
  const struct {
    std::vector<std::string> environment;
    std::string threads;
  } cases[] = {{{"OMP_NUM_THREADS=1"}, "1"},
               {{"OMP_NUM_THREADS=3"}, "3"},
               {{"OMP_NUM_THREADS=8"}, "8"},  // whatever the number of cores
               {{"OMP_NUM_THREADS=8", "OMP_THREAD_LIMIT=2"}, "2"},
               {{"OMP_NUM_THREADS=2", "OMP_THREAD_LIMIT=8"}, "2"}};
  for (const auto& [environment, threads] : cases) {
    std::vector<std::string> words{"/usr/bin/env"};
    words.insert(words.end(), environment.begin(), environment.end());
    const std::vector<std::string> program = command("run" + threads, {"--iterations", "2"});
    words.insert(words.end(), program.begin(), program.end());
    const Finished done = run_command(words);
    EXPECT_EQ(done.status, 0) << done.err;
    EXPECT_HAS(done.out, "cpu (" + threads + " threads)");
    const Hdf5File log = Hdf5File::open_read(*this / ("run" + threads) / "run.h5");
    EXPECT_EQ(log.read_attribute<std::string>("/", "threads"), threads) << environment.front();
  }
}

TEST_F(ToyBbTest, TheVersionAndTheLogTellWhereLibrariesAre) {
  const Finished told = run_command({program_, "--version"});
  EXPECT_EQ(told.status, 0) << told.err;
  EXPECT_TRUE(told.out.starts_with("toy_bb ")) << told.out;
  EXPECT_HAS(told.out, "\nCUDA half: ");
  EXPECT_HAS(told.out, "\nGPUs: ");

  ASSERT_EQ(run("run", {"--iterations", "2"}).status, 0);
  const auto environment = read_run_log(*this / "run/run.h5").environment;
  const auto value = [&](const std::string& name) {
    for (const NameValue& entry : environment)
      if (entry.name == name) return entry.value;
    return std::string("(missing)");
  };
  EXPECT_TRUE(value("device").starts_with("cpu")) << value("device");
  EXPECT_EQ(value("gpu_libraries"), "none");
  if (!why_missing("emulated").empty()) return;
  setenv("EBM_CUDA_LIBRARY", emulated_library().c_str(), 1);
  const Finished emulated = run_command(
      small_toy_command((*this / "emulated").string(), {"--device", "cuda", "--iterations", "2"}));
  unsetenv("EBM_CUDA_LIBRARY");
  ASSERT_EQ(emulated.status, 0) << emulated.err;
  std::string files = "(missing)";
  for (const NameValue& entry : read_run_log(*this / "emulated/run.h5").environment)
    if (entry.name == "gpu_libraries") files = entry.value;
  EXPECT_HAS(files, "libebm_cuda_emulated.so");
}

TEST_F(ToyBbTest, EveryMethodBoundAndPresetTrains) {
  const std::vector<std::vector<std::string>> choices{
      {"--method", "ebm_0gp", "--dataset", "swiss_roll"},
      {"--method", "wgan_0gp", "--dataset", "two_moons"},
      {"--preset", "code"},
      {"--preset", "tuned"},
      {"--lower-bound", "logdet", "--penalty-normaliser", "v2", "--hinge", "0"},
      {"--lower-bound", "slq", "--slq-pairs", "2", "--preconditioner", "running_gram"},
      {"--lower-bound", "s1", "--entropy-z", "energy", "--penalty-backward", "separate"},
      {"--upper-bound", "gp_fake", "--penalty-weight", "0.1"},
      {"--lower-bound", "lobpcg", "--lobpcg-direction", "authors", "--lobpcg-iterations", "0"}};
  for (size_t i = 0; i < choices.size(); ++i) {
    std::vector<std::string> options = choices[i];
    options.insert(options.end(), {"--iterations", "20", "--log-every", "5"});
    const Finished done = run("run" + std::to_string(i), options);
    EXPECT_EQ(done.status, 0) << choices[i][1] << ": " << done.err;
  }
}

TEST_F(ToyBbTest, WrongOptionsAreOneLineAndStatusTwo) {
  expect_refused(run("a", {"--iteration", "5"}), 2, "iteration");
  expect_refused(run("a", {"--batch", "1"}), 2, "batch");
  expect_refused(run("a", {"--penalty-weight", "nan"}), 2, "penalty");
  expect_refused(run("a", {"--dataset", "mnist"}), 2, "25gaussians");
  expect_refused(run("a", {"--device", "gpu"}), 2, "unknown device \"gpu\"");
  EXPECT_FALSE(exists(*this / "a"));
  expect_refused(run("a", {"--lower-bound", "none"}), 1, "choose a lower bound");
}

TEST_F(ToyBbTest, AJacobianThatCannotHaveFullRankIsRefused) {
  const std::string why =
      "z has d = 2 dimensions, but only 1 pass its narrowest layer, main.0, so that its Jacobian's smallest "
      "singular value is 0; give a larger --hidden";
  for (const char* bound : {"lobpcg", "s1", "logdet", "slq"})
    expect_refused(run("a", {"--hidden", "1", "--lower-bound", bound}), 2, why);
  expect_refused(run("a", {"--hidden", "1", "--method", "ebm_0gp"}), 2, why);
  EXPECT_FALSE(exists(*this / "a"));
  const Finished without = run("b", {"--hidden", "1", "--method", "wgan_0gp", "--iterations", "2"});
  EXPECT_EQ(without.status, 0) << without.err;
  const Finished enough = run("c", {"--hidden", "2", "--iterations", "2"});
  EXPECT_EQ(enough.status, 0) << enough.err;
}

TEST_F(ToyBbTest, WrongConfigurationsNameFileLineAndKey) {
  write_file(*this / "config.toml", "batch = 20\nbacth = 10\n");
  const std::string file = (*this / "config.toml").string();
  const Finished unknown = run("a", {"--config", file});
  expect_refused(unknown, 1, "bacth");
  EXPECT_HAS(unknown.err, file);
  EXPECT_HAS(unknown.err, "2");
  write_file(*this / "config.toml", "batch = \n");
  expect_refused(run("a", {"--config", file}), 1, file);
  expect_refused(run("a", {"--config", file + ".not"}), 1, "config.toml.not");
}

TEST_F(ToyBbTest, AnotherRunsFolderIsRefused) {
  ASSERT_EQ(run("run", {"--iterations", "10"}).status, 0);
  const std::string before = bytes_of(checkpoint("run"));
  const std::string log = bytes_of(*this / "run/run.h5"), config = bytes_of(*this / "run/config.toml");
  const Finished other = run("run", {"--iterations", "20", "--seed", "2", "--method", "ebm_0gp"});
  expect_refused(other, 1, "seed: the run has 1, now 2");
  EXPECT_HAS(other.err, "method: the run has ebm_bb, now ebm_0gp");
  EXPECT_FALSE(contains(other.err, "remove")) << "the run there is sound: " << other.err;
  EXPECT_TRUE(before == bytes_of(checkpoint("run")));
  EXPECT_TRUE(log == bytes_of(*this / "run/run.h5"));
  EXPECT_TRUE(config == bytes_of(*this / "run/config.toml"));
}

TEST_F(ToyBbTest, AConfigurationRepeatsItsRun) {
  ASSERT_EQ(run("run", {"--iterations", "30", "--log-every", "10", "--lower-bound", "slq", "--lr-energy",
                        "3.3e-4", "--penalty-weight", "0.7", "--seed", "5", "--dataset", "two_moons"})
                .status,
            0);
  std::filesystem::rename(*this / "run", *this / "first");
  const Finished again = run_command({program_, "--config", (*this / "first/config.toml").string()});
  EXPECT_EQ(again.status, 0) << again.err;
  expect_same_runs(*this / "first", *this / "run", 30);
}

TEST_F(ToyBbTest, FoldersThatCannotBeWritten) {
  expect_refused(run_command(command("x", {"--out", "/proc/toy_bb"})), 1, "/proc/toy_bb");
  write_file(*this / "file", "not a folder");
  expect_refused(run("file", {}), 1, "file");
  if (geteuid() == 0) return;  // root writes everywhere
  std::filesystem::create_directory(*this / "closed");
  chmod((*this / "closed").c_str(), 0500);
  expect_refused(run("closed", {}), 1, "closed");
}

TEST_F(ToyBbTest, DamagedCheckpointsAreNamed) {
  ASSERT_EQ(run("run", {"--iterations", "10"}).status, 0);
  const std::string path = checkpoint("run"), whole = bytes_of(path);
  reference::Random random{5};
  for (int i = 0; i < 12; ++i) {
    std::string damaged = whole;
    const auto at = static_cast<size_t>(random.uniform() * static_cast<double>(whole.size()));
    if (i % 2 == 0) {
      damaged.resize(at);
    } else {
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << (i % 8)));
    }
    write_file(path, damaged);
    const Finished resumed = run("run", {"--iterations", "20"});
    // A flipped bit may lie where HDF5 keeps nothing; what is read is what was written, or refused.
    if (resumed.status == 0) {
      EXPECT_EQ(i % 2, 1);
      std::filesystem::remove(checkpoint("run"));
    } else {
      expect_refused(resumed, 1, path);
    }
  }
  write_file(path, whole);
  EXPECT_EQ(run("run", {"--iterations", "20"}).status, 0);
}

TEST_F(ToyBbTest, SignalsEndWithACheckpointAndTheirStatus) {
  const struct {
    int number;
    const char* name;
    int status;
  } signals[] = {{SIGINT, "SIGINT", 0},   {SIGTERM, "SIGTERM", 143}, {SIGUSR1, "SIGUSR1", 0},
                 {SIGUSR2, "SIGUSR2", 0}, {SIGHUP, "SIGHUP", 0},     {SIGXCPU, "SIGXCPU", 0},
                 {SIGALRM, "SIGALRM", 0}};
  for (const auto& signal : signals) {
    Process process(command(signal.name, endless));
    await_checkpoint(process, signal.name, 0);
    process.signal(signal.number);
    const Finished ended = process.wait();
    EXPECT_EQ(ended.status, signal.status) << ended.err;
    EXPECT_HAS(ended.out, std::string("stopped by ") + signal.name);
  }
}

TEST_F(ToyBbTest, SignalsIgnoredAtTheStartStayIgnored) {
  // As nohup does, and a shell that starts a job in the background.
  Process process(in_shell("trap '' HUP INT USR2; exec \"$@\"", command("run", endless)));
  await_checkpoint(process, "run", 0);
  for (const int ignored : {SIGHUP, SIGINT, SIGINT, SIGUSR2}) process.signal(ignored);
  await_checkpoint(process, "run", read_checkpoint_info(checkpoint("run")).iteration);
  ASSERT_TRUE(process.running());
  process.signal(SIGTERM);
  const Finished ended = process.wait();
  EXPECT_EQ(ended.status, 143) << ended.err;
  EXPECT_HAS(ended.out, "stopped by SIGTERM");
}

TEST_F(ToyBbTest, AReaderThatGoesAwayStopsNothing) {
  const std::string status = (*this / "status").string();
  run_command(
      in_shell("{ \"$@\"; echo $? >" + status + "; } 2>&1 | true", command("run", {"--iterations", "50"})));
  ASSERT_EQ(bytes_of(status), "0\n");
  EXPECT_EQ(read_checkpoint_info(checkpoint("run")).iteration, 50);
}

TEST_F(ToyBbTest, ALimitOnTheSizeOfFilesIsAFullDisk) {
  expect_refused(run_command(in_shell("ulimit -f 32; exec \"$@\"", command("run", {"--iterations", "50"}))),
                 1, "File too large; free some space");
}

TEST_F(ToyBbTest, KilledAtFiftyMomentsItIsTheUninterruptedRun) {
  const std::vector<std::string> options{"--iterations",       "800", "--log-every",  "7",
                                         "--checkpoint-every", "40",  "--eval-every", "400"};
  expect_kills_change_nothing(command("run", options), *this / "run", 50, 800, "density.png");
}

}  // namespace
}  // namespace ebm::test
