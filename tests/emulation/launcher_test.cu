// SPDX-License-Identifier: MIT
// The launcher of the CUDA half on formulas made for it: that each element, column and row is done exactly
// once at every size, and that a team's steps see each other's results.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "kernels/cuda/launcher.cuh"

namespace ebm::cuda {
namespace {

/// Memory of `count` values T, for as long as it lives.
template <class T>
class Values {
 public:
  Values(const Context& context, size_t count)
      : context_(context), count_(count), memory_(count * sizeof(T)) {
    check(cudaMemsetAsync(memory_.data(), 0, count * sizeof(T), context_.stream()), "cudaMemsetAsync");
  }
  T* data() const { return static_cast<T*>(memory_.data()); }
  std::vector<T> download() const {
    std::vector<T> values(count_);
    check(
        cudaMemcpyAsync(values.data(), data(), count_ * sizeof(T), cudaMemcpyDeviceToHost, context_.stream()),
        "cudaMemcpyAsync");
    context_.synchronize();
    return values;
  }

 private:
  const Context& context_;
  size_t count_;
  DeviceBlock memory_;
};

/// With kernels that start in turn, and early: then the emulation wants each thread to wait.
class LauncherTest : public testing::TestWithParam<const char*> {
 protected:
  struct EarlyStart {
    explicit EarlyStart(const char* value) { setenv("EBM_PROGRAMMATIC_LAUNCH", value, 1); }
    ~EarlyStart() { unsetenv("EBM_PROGRAMMATIC_LAUNCH"); }
  };
  const EarlyStart early_start_{GetParam()};
  Context context_{0};
  Launcher launcher_{context_};
};
INSTANTIATE_TEST_SUITE_P(EarlyStart, LauncherTest, testing::Values("0", "1"));

struct CountVisits {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns;
  int* visits;

  EBM_HD void operator()(int64_t row, int64_t column) const { visits[row * columns + column] += 1; }
};

TEST_P(LauncherTest, MapVisitsEachElementOnce) {
  for (const int64_t rows : {1, 2, 3, 17, 257, 1000, 30'000}) {
    for (const int64_t columns : {1, 2, 3, 31, 33, 255, 257, 1000, 30'000}) {
      if (rows * columns > 200'000) continue;
      const auto size = static_cast<size_t>(rows * columns);
      const Values<int> visits(context_, size);
      launcher_.launch(CountVisits{rows, columns, visits.data()});
      EXPECT_EQ(visits.download(), std::vector<int>(size, 1)) << rows << " x " << columns;
    }
  }
}

TEST_P(LauncherTest, MapStridesOverWhatItsGridCannotHold) {
  for (const auto& [rows, columns] :
       {std::pair<int64_t, int64_t>{1, 3'000'001}, {2'200'001, 1}, {5000, 513}}) {
    const auto size = static_cast<size_t>(rows * columns);
    const Values<int> visits(context_, size);
    launcher_.launch(CountVisits{rows, columns, visits.data()});
    EXPECT_EQ(visits.download(), std::vector<int>(size, 1)) << rows << " x " << columns;
  }
}

struct CountElements {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;
  float* visits;

  bool aligned() const { return on_16_bytes(visits); }
  EBM_HD float* output() const { return visits; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e(visits) + 1;
  }
};

TEST_P(LauncherTest, ElementsAreVisitedOnceByFoursAndOneByOne) {
  for (const int64_t rows : {1, 3, 257, 30'000}) {
    for (const int64_t columns : {1, 3, 4, 8, 33, 256, 1000, 1028, 30'000}) {
      if (rows * columns > 200'000) continue;
      for (const size_t start : {0, 1}) {
        const auto size = static_cast<size_t>(rows * columns);
        const Values<float> visits(context_, start + size);
        launcher_.launch(CountElements{rows, columns, visits.data() + start});
        std::vector<float> expected(start + size, 1);
        if (start > 0) expected[0] = 0;
        EXPECT_EQ(visits.download(), expected) << rows << " x " << columns << " from " << start;
      }
    }
  }
}

struct Numbers {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows = 1, columns;
  float* x;

  EBM_HD void operator()(int64_t, int64_t column) const { x[column] = static_cast<float>(column); }
};

/// Sums of small integers, so that any order gives the same: rows, and row + 2 column.
struct CountRows {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;
  const float* number;  // columns: 0, 1, ...
  float* visits;        // rows x columns
  int* finished;        // columns
  double* totals;       // 2 x columns

  bool aligned() const { return on_16_bytes(number, visits); }
  EBM_HD float* output() const { return visits; }
  template <class E>
  EBM_HD auto term(const E& e) const {
    const auto one = as_double(typename E::Value(1));
    return SumsAndElement{Sums{one, static_cast<double>(e.row) + 2.0 * as_double(e.of_column(number))},
                          e(visits) + 1};
  }
  EBM_HD void finish(int64_t column, const Sums<2>& sums) const {
    finished[column] += 1;
    totals[column] = sums.of[0];
    totals[columns + column] = sums.of[1];
  }
};

TEST_P(LauncherTest, ColumnsSumEachRowOnce) {
  for (const int64_t rows : {1, 2, 3, 7, 8, 9, 17, 255, 257, 511, 2049, 70'001, 300'007}) {
    for (const int64_t columns : {1, 2, 3, 4, 5, 16, 31, 32, 33, 65, 132, 1000, 70'001}) {
      if (rows * columns > 300'007) continue;
      const auto size = static_cast<size_t>(rows * columns);
      const Values<float> number(context_, static_cast<size_t>(columns)), visits(context_, size);
      const Values<int> finished(context_, static_cast<size_t>(columns));
      const Values<double> totals(context_, static_cast<size_t>(2 * columns));
      launcher_.launch(Numbers{.columns = columns, .x = number.data()});
      launcher_.launch(
          CountRows{rows, columns, number.data(), visits.data(), finished.data(), totals.data()});
      EXPECT_EQ(visits.download(), std::vector<float>(size, 1)) << rows << " x " << columns;
      EXPECT_EQ(finished.download(), std::vector<int>(static_cast<size_t>(columns), 1))
          << rows << " x " << columns;
      std::vector<double> expected;
      for (int64_t c = 0; c < columns; ++c) expected.push_back(static_cast<double>(rows));
      for (int64_t c = 0; c < columns; ++c) {
        expected.push_back(static_cast<double>(rows * (rows - 1) / 2 + 2 * c * rows));
      }
      EXPECT_EQ(totals.download(), expected) << rows << " x " << columns;
    }
  }
}

/// Four steps, each of which reads what other threads wrote in the step before:
/// v[i] = i + row;  total = sum v;  v[n - 1 - i] = total - v[i], read from a copy;  again = sum of the new v;
/// result += again (once);  result += (sum of result, by every thread) + v[0].
struct Relay {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows, n;
  double* v;       // rows x 2 n
  double* result;  // rows

  EBM_HD int64_t work() const { return n; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    double* const mine = v + row * 2 * n;
    double* const other = mine + n;
    const int64_t last = n - 1;
    team.each(n, [=](int64_t i) { mine[i] = static_cast<double>(i + row); });
    const Sums<2> sums = team.sums(n, [=](int64_t i) { return Sums<2>{{mine[last - i], 3 * mine[i]}}; });
    const double total = sums.of[1] - 2 * sums.of[0];
    team.each(n, [=](int64_t i) { other[i] = total - mine[last - i]; });
    const double again = team.sum(n, [=](int64_t i) { return other[last - i]; });
    double* const out = result + row;
    team.single([=] { *out += again; });
    const double read = *out;  // seen by the whole team
    const double all = team.sum(n, [=](int64_t) { return read; });
    team.single([=] { *out += all + other[0]; });
  }
};

TEST_P(LauncherTest, ATeamSeesWhatItWrote) {
  for (const int64_t n : {1, 2, 31, 33, 64, 65, 129, 1000, 2048, 2049, 3001}) {
    const int64_t rows = 11;
    const Values<double> v(context_, static_cast<size_t>(rows * 2 * n)),
        result(context_, static_cast<size_t>(rows));
    launcher_.launch(Relay{rows, n, v.data(), result.data()});
    const std::vector<double> results = result.download();
    for (int64_t row = 0; row < rows; ++row) {
      const double count = static_cast<double>(n),
                   total = count * (count - 1) / 2 + static_cast<double>(row) * count;
      const double again = count * total - total;
      const double expected = again + count * again + (total - static_cast<double>(n - 1 + row));
      EXPECT_EQ(results[static_cast<size_t>(row)], expected) << "row " << row << ", n = " << n;
    }
  }
}

struct TooLarge : Relay {
  EBM_HD int64_t work() const { return 1; }
};

TEST_P(LauncherTest, TheEarlyStartIsOnOrOff) {
  EXPECT_EQ(context_.launches_early(), std::string(GetParam()) == "1");
  const EarlyStart unclear("yes");
  EXPECT_THROW(Context(0), Error);
}

TEST_P(LauncherTest, MoreRowsThanOneLaunchHolds) {
  EXPECT_THROW(launcher_.launch(TooLarge{{int64_t{1} << 32, 1, nullptr, nullptr}}), Error);
}

}  // namespace
}  // namespace ebm::cuda
