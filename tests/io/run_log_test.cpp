// SPDX-License-Identifier: MIT
#include "io/run_log.h"

#include <sys/wait.h>

#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>

#include "io/atomic_file.h"
#include "io_fixture.h"

namespace ebm {
namespace {

using test::error_of;
using test::FullDisk;

const std::vector<std::string> names{"energy_loss", "kl"};
const std::vector<NameValue> where{{"host", "here"}, {"version", "1"}};

class RunLogTest : public test::IoTest {
 protected:
  RunLog make(const MetricTable& history = {}) {
    return RunLog::create(*this / "run.h5", "batch = 200\n", where, names, history);
  }
};

std::vector<double> row_at(int64_t iteration) {
  return {0.5 * static_cast<double>(iteration),
          iteration % 3 == 0 ? 1.0 / static_cast<double>(iteration + 1) : NAN};
}

// Rows 10, 20, ... as row_at gives them.
void expect_rows(const MetricTable& table, size_t rows) {
  ASSERT_EQ(table.names, names);
  ASSERT_EQ(table.iterations.size(), rows);
  for (size_t r = 0; r < rows; ++r) {
    const auto iteration = static_cast<int64_t>(10 * (r + 1));
    EXPECT_EQ(table.iterations[r], iteration);
    const auto expected = row_at(iteration);
    EXPECT_EQ(table.columns[0][r], expected[0]);
    EXPECT_TRUE(table.columns[1][r] == expected[1] ||
                (std::isnan(table.columns[1][r]) && std::isnan(expected[1])));
  }
}

// Runs `writer` in a child process; it reports each row by a byte, the parent gets it by next().
class Writer {
 public:
  explicit Writer(const std::function<void(const std::function<void()>& report)>& writer) {
    int ends[2];
    EXPECT_EQ(pipe(ends), 0);
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      try {
        writer([&] {
          if (write(ends[1], "r", 1) != 1) _exit(3);
        });
      } catch (...) {
        _exit(2);
      }
      _exit(0);
    }
    close(ends[1]);
    reading_ = ends[0];
  }
  ~Writer() {
    kill_now();
    close(reading_);
  }
  bool next() {
    char byte = 0;
    return read(reading_, &byte, 1) == 1;
  }
  void kill_now() {
    if (child_ <= 0) return;
    kill(child_, SIGKILL);
    waitpid(child_, nullptr, 0);
    child_ = -1;
  }
  int wait() {
    int status = -1;
    waitpid(child_, &status, 0);
    child_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t child_ = -1;
  int reading_ = -1;
};

TEST_F(RunLogTest, GivesBackWhatWasAppended) {
  RunLog log = make();
  for (int64_t i = 10; i <= 6000; i += 10) log.append(i, row_at(i));  // more than two chunks
  expect_rows(log.history(), 600);
  log.close();
  const RunLogContent content = read_run_log(*this / "run.h5");
  EXPECT_EQ(content.config, "batch = 200\n");
  EXPECT_EQ(content.environment, where);
  expect_rows(content.metrics, 600);
  EXPECT_EQ(count_files(), 1);
}

TEST_F(RunLogTest, TheLastTimeStands) {
  {
    RunLog log = RunLog::create(*this / "run.h5", "", where, names, {}, {.seconds = 2.5});
    log.append(10, row_at(10));
    EXPECT_EQ(log.history().iterations.size(), 1u);
    log.set_time({.seconds = 3.5, .images_per_second = 64});
    log.set_time({.seconds = 4.25, .images_per_second = 32});
    log.close();
    EXPECT_HAS(error_of([&] { log.set_time({}); }), "is closed");
  }
  const RunLogContent content = read_run_log(*this / "run.h5");
  EXPECT_EQ(content.time.seconds, 4.25);
  EXPECT_EQ(content.time.images_per_second, 32);
  expect_rows(content.metrics, 1);
  RunLog::create(*this / "new.h5", "", where, names).close();
  EXPECT_EQ(read_run_log(*this / "new.h5").time.seconds, 0);
  EXPECT_TRUE(std::isnan(read_run_log(*this / "new.h5").time.images_per_second));
}

TEST_F(RunLogTest, IsReadableWhileTheRunGoesOn) {
  const auto path = *this / "run.h5";
  Writer writer([&](const auto& report) {
    RunLog log = make();
    report();
    for (int64_t i = 10; i <= 300; i += 10) {
      log.append(i, row_at(i));
      report();
    }
    pause();  // with the file open
  });
  ASSERT_TRUE(writer.next());
  for (size_t rows = 1; rows <= 30; ++rows) {
    ASSERT_TRUE(writer.next());
    if (rows % 7 == 0) {
      EXPECT_GE(read_run_log(path).metrics.iterations.size(), rows);
    }
  }
  expect_rows(read_run_log(path).metrics, 30);
}

TEST_F(RunLogTest, SurvivesKillAtAnyMoment) {
  std::mt19937 random(2);
  for (int trial = 0; trial < 25; ++trial) {
    Writer writer([&](const auto& report) {
      RunLog log = make();
      for (int64_t i = 10;; i += 10) {
        log.append(i, row_at(i));
        report();
      }
    });
    const size_t reported = 1 + random() % 300;
    for (size_t i = 0; i < reported; ++i) ASSERT_TRUE(writer.next());
    usleep(random() % 300);
    writer.kill_now();
    const RunLogContent content = read_run_log(*this / "run.h5");
    EXPECT_GE(content.metrics.iterations.size(), reported);
    expect_rows(content.metrics, content.metrics.iterations.size());
    // And the run resumes from what a checkpoint kept of it.
    MetricTable kept = content.metrics;
    kept.iterations.resize(reported / 2);
    for (auto& column : kept.columns) column.resize(reported / 2);
    RunLog resumed = make(kept);
    resumed.append(static_cast<int64_t>(10 * (reported / 2 + 1)),
                   row_at(10 * static_cast<int64_t>(reported / 2 + 1)));
    resumed.close();
    expect_rows(read_run_log(*this / "run.h5").metrics, reported / 2 + 1);
  }
}

TEST_F(RunLogTest, TheHistoryTravelsInACheckpoint) {
  RunLog log = make();
  for (int64_t i = 10; i <= 50; i += 10) log.append(i, row_at(i));
  Hdf5File out = Hdf5File::create(*this / "checkpoint.h5");
  log.history().save(out, "metrics");
  out.close();
  const MetricTable loaded = MetricTable::load(Hdf5File::open_read(*this / "checkpoint.h5"), "metrics");
  expect_rows(loaded, 5);
}

TEST_F(RunLogTest, AnEmptyHistoryTravelsToo) {
  Hdf5File out = Hdf5File::create(*this / "checkpoint.h5");
  make().history().save(out, "metrics");
  out.close();
  expect_rows(MetricTable::load(Hdf5File::open_read(*this / "checkpoint.h5"), "metrics"), 0);
}

TEST_F(RunLogTest, ColumnsOfHistoryAndLogAreJoined) {
  const MetricTable history{.names = {"kl", "gone"}, .iterations = {1, 2}, .columns = {{5, 6}, {7, 8}}};
  RunLog log = make(history);
  log.append(3, std::vector<double>{1, 9});
  log.close();
  const MetricTable table = read_run_log(*this / "run.h5").metrics;
  ASSERT_EQ(table.names, (std::vector<std::string>{"energy_loss", "gone", "kl"}));
  EXPECT_TRUE(std::isnan(table.columns[0][0]));
  EXPECT_EQ(table.columns[0][2], 1);
  EXPECT_EQ(table.columns[1][1], 8);
  EXPECT_TRUE(std::isnan(table.columns[1][2]));
  EXPECT_EQ(table.columns[2], (std::vector<double>{5, 6, 9}));
}

TEST_F(RunLogTest, ALoadedTableIsCutToItsIterations) {
  Hdf5File out = Hdf5File::create(*this / "a.h5");
  out.write_dataset("m/iteration", std::vector<int64_t>{1, 2}, {2});
  out.write_dataset("m/kl", std::vector<double>{5, 6, 7}, {3});  // as a killed writer may leave it
  out.write_dataset("short/iteration", std::vector<int64_t>{1, 2}, {2});
  out.write_dataset("short/kl", std::vector<double>{5}, {1});
  out.write_dataset("wild/iteration", std::vector<int64_t>{2, 2}, {2});
  out.close();
  const Hdf5File file = Hdf5File::open_read(*this / "a.h5");
  EXPECT_EQ(MetricTable::load(file, "m").columns, (std::vector<std::vector<double>>{{5, 6}}));
  EXPECT_HAS(error_of([&] { (void)MetricTable::load(file, "short"); }), "'kl'");
  EXPECT_HAS(error_of([&] { (void)MetricTable::load(file, "wild"); }), "does not ascend");
}

TEST_F(RunLogTest, WrongRowsAreErrors) {
  RunLog log = make();
  log.append(10, row_at(10));
  EXPECT_HAS(error_of([&] { log.append(20, std::vector<double>{1}); }), "got 1 values for 2 metrics");
  EXPECT_HAS(error_of([&] { log.append(10, row_at(10)); }), "already at 10");
  EXPECT_HAS(error_of([&] { log.append(-1, row_at(10)); }), "at least 0");
  log.append(20, row_at(20));
  log.close();
  EXPECT_HAS(error_of([&] { log.append(30, row_at(30)); }), "is closed");
  expect_rows(read_run_log(*this / "run.h5").metrics, 2);
}

TEST_F(RunLogTest, AFullDiskIsAnErrorAndKeepsWhatWasWritten) {
  int64_t cases = 0;
  for (int64_t room = 0; room < 16000; room += 400) {
    size_t written = 0;
    {
      const FullDisk full(9000 + room);  // also while the log is destroyed
      RunLog log = make();
      const std::string text = error_of([&] {
        for (int64_t i = 10; i < 100000; i += 10) log.append(i, row_at(i));
      });
      EXPECT_HAS(text, "run.h5");
      EXPECT_HAS(text, "free some space");
      written = log.history().iterations.size() - 1;
      EXPECT_HAS(error_of([&] { log.append(200000, row_at(1)); }), "could not be written before");
      if (room % 1000 == 0) {
        EXPECT_HAS(error_of([&] { log.close(); }), "earlier write failed");
      }
    }
    if (written == 0) continue;
    ++cases;
    const RunLogContent content = read_run_log(*this / "run.h5");
    EXPECT_GE(content.metrics.iterations.size(), written) << room;
    expect_rows(content.metrics, content.metrics.iterations.size());
  }
  EXPECT_GT(cases, 20);
}

TEST_F(RunLogTest, ANewLogLeavesTheOldFileToItsReaders) {
  RunLog old = make();
  old.append(10, row_at(10));
  old.close();
  const std::vector<uint8_t> before = read_file(*this / "run.h5");
  std::ifstream reader(*this / "run.h5", std::ios::binary);
  RunLog log = make();
  log.append(20, row_at(20));
  log.close();
  const std::vector<uint8_t> read{std::istreambuf_iterator<char>(reader), {}};
  EXPECT_TRUE(read == before);
  EXPECT_EQ(read_run_log(*this / "run.h5").metrics.iterations, std::vector<int64_t>{20});
}

TEST_F(RunLogTest, ALogThatCannotBeMadeLeavesTheOldOne) {
  RunLog log = make();
  log.append(10, row_at(10));
  log.close();
  for (const int64_t limit : {0, 300, 900}) {
    const FullDisk full(limit);
    EXPECT_HAS(error_of([&] { (void)make(); }), "free some space");
    EXPECT_EQ(count_files(), 1);
  }
  expect_rows(read_run_log(*this / "run.h5").metrics, 1);
  EXPECT_HAS(error_of([&] { (void)RunLog::create(*this / "none/run.h5", "", {}, names); }), "none/run.h5");
  EXPECT_HAS(error_of([&] { (void)RunLog::create(*this / "run.h5", "", {}, {"a", "a"}); }), "run.h5");
}

}  // namespace
}  // namespace ebm
