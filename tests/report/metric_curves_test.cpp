// SPDX-License-Identifier: MIT
// Metrics as curves, and Figure 3 of them.
#include "report/metric_curves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

#include "../io/io_fixture.h"
#include "report/figure3.h"

namespace ebm::test {
namespace {

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN(), inf = HUGE_VAL;

TEST(MetricCurvesTest, AnEvaluationIsJoinedAcrossRowsWithoutOneAndHasItsOwnGaps) {
  const MetricTable table{.names = {"loss", "kl", "modes", "never"},
                          .iterations = {10, 20, 30, 40, 50, 60, 70},
                          .columns = {{1, 2, nan_value, 4, inf, 6, 7},
                                      {nan_value, 0.5, nan_value, nan_value, nan_value, 0.25, nan_value},
                                      {nan_value, 9, nan_value, 8, nan_value, nan_value, nan_value},
                                      std::vector<double>(7, nan_value)}};
  const MetricCurve loss = metric_curve(table, "loss"), kl = metric_curve(table, "kl"),
                    modes = metric_curve(table, "modes");
  EXPECT_EQ(loss.iterations, table.iterations) << "NaN in a metric of every row stays, as a gap";
  EXPECT_TRUE(std::isnan(loss.values[2]));
  EXPECT_EQ(kl.iterations, (std::vector<int64_t>{20, 40, 60}));
  EXPECT_EQ(kl.values[0], 0.5);
  EXPECT_TRUE(std::isnan(kl.values[1])) << "measured at 40, in vain";
  EXPECT_EQ(kl.values[2], 0.25);
  EXPECT_EQ(modes.iterations, kl.iterations);
  EXPECT_TRUE(std::isnan(modes.values[2]));
  EXPECT_EQ(metric_curves(table).size(), 3u) << "what was never measured is no curve";
  EXPECT_HAS(error_of([&] { (void)metric_curve(table, "none"); }), "no metric 'none'");
  EXPECT_TRUE(metric_curves({}).empty());
}

TEST(MetricCurvesTest, ThinnedCurvesKeepTheirEndsExtremesAndGaps) {
  std::mt19937 random(8);
  for (const size_t count : {9u, 100u, 2001u, 30011u}) {
    MetricCurve curve{.name = "x", .iterations = {}, .values = {}};
    for (size_t i = 0; i < count; ++i) {
      curve.iterations.push_back(static_cast<int64_t>(3 * i + 1));
      curve.values.push_back(std::ldexp(static_cast<double>(random()), -30));
    }
    curve.values[count / 3] = -5;
    curve.values[count / 2] = nan_value;
    curve.values[2 * count / 3] = 77;
    for (const size_t most : {8u, 50u, 2000u}) {
      const MetricCurve thin = thinned(curve, most);
      EXPECT_LE(thin.values.size(), std::max<size_t>(most, std::min(count, most)));
      if (count > 3 * most) {
        EXPECT_GT(3 * thin.values.size(), most);
      }
      EXPECT_EQ(thin.iterations.front(), curve.iterations.front());
      EXPECT_EQ(thin.iterations.back(), curve.iterations.back());
      for (const double kept : {-5.0, 77.0}) {
        EXPECT_NE(std::find(thin.values.begin(), thin.values.end(), kept), thin.values.end());
      }
      EXPECT_EQ(std::count_if(thin.values.begin(), thin.values.end(), [](double v) { return std::isnan(v); }),
                1);
      for (size_t i = 0; i < thin.values.size(); ++i) {
        const auto at = static_cast<size_t>((thin.iterations[i] - 1) / 3);
        if (!std::isnan(thin.values[i])) {
          EXPECT_EQ(thin.values[i], curve.values[at]);
        }
        if (i > 0) {
          EXPECT_LT(thin.iterations[i - 1], thin.iterations[i]);
        }
      }
    }
  }
}

MetricTable estimates() {
  MetricTable table{.names = {"loss", "entropy_lobpcg", "entropy_s1", "entropy_log_det", "entropy_hutchinson",
                              "entropy_slq", "entropy_lobpcg_preconditioned", "entropy_trace_bound"},
                    .iterations = {1, 2, 3, 4, 5},
                    .columns = {}};
  for (size_t c = 0; c < table.names.size(); ++c) {
    const double x = static_cast<double>(c);
    table.columns.push_back(c == 0 ? std::vector<double>{1, 2, 3, 4, 5}
                                   : std::vector<double>{nan_value, x, nan_value, 2 * x + 1, nan_value});
  }
  return table;
}

TEST(Figure3Test, HasThePapersFourCurvesAndMoreWhereAsked) {
  const Figure paper = figure3(estimates(), Figure3Panels::paper, ""),
               more = figure3(estimates(), Figure3Panels::more, "");
  ASSERT_EQ(paper.rows[0].size(), 1u);
  ASSERT_EQ(more.rows[0].size(), 2u);
  const auto& lines = std::get<Curves>(paper.rows[0][0].content).lines;
  ASSERT_EQ(lines.size(), 4u);
  // Ours red, the truth black, Hutchinson's blue, high precision green, as in the paper.
  const std::pair<double, int> expected[] = {{4, 2}, {3, -1}, {1, 0}, {2, 1}};
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(lines[i].x, (std::vector<double>{2, 4}));
    EXPECT_EQ(lines[i].y, (std::vector<double>{expected[i].first, 2 * expected[i].first + 1}));
    const int channels[] = {lines[i].ink.red, lines[i].ink.green, lines[i].ink.blue};
    const auto strongest = std::max_element(channels, channels + 3) - channels;
    if (expected[i].second < 0) {
      EXPECT_EQ(lines[i].ink, Rgb{});
    } else {
      EXPECT_EQ(strongest, expected[i].second);
    }
  }
  EXPECT_EQ(std::get<Curves>(more.rows[0][1].content).lines.size(), 6u);
  EXPECT_HAS(error_of([] {
               (void)figure3({.names = {"loss"}, .iterations = {1}, .columns = {{1}}}, Figure3Panels::paper,
                             "");
             }),
             "no metric 'entropy_log_det'");
}

}  // namespace
}  // namespace ebm::test
