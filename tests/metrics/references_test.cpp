// SPDX-License-Identifier: MIT
// Measures against torch-fidelity's own functions and against prd_score.py (tests/golden/make_reference_goldens.py).
#include <gtest/gtest.h>

#include "metrics/frechet_distance.h"
#include "metrics/inception_score.h"
#include "metrics/kernel_distance.h"
#include "metrics/metrics_fixture.h"
#include "metrics/numpy_random.h"
#include "metrics/precision_recall.h"
#include "support/tolerance.h"

namespace ebm::test {
namespace {

MetricsGolden reference(const std::string& group) {
  return MetricsGolden(group, "references.h5");
}
const Tolerance one_millionth{4.5e8, "the same protocol: 1e-6 is asked"};

std::vector<double> both(const MeanAndDeviation& score) {
  return {score.mean, score.deviation};
}

TEST(ReferencesTest, InceptionScoreIsTorchFidelitys) {
  const MetricsGolden golden = reference("inception");
  const std::vector<float> logits = golden.array<float>("logits");
  const FeatureRows rows{logits, golden.columns("logits")};
  const std::vector<int64_t> order = NumpyRandom(fidelity_seed).permutation(rows.count());
  EXPECT_TRUE(close(both(inception_score(rows, ClassScores::logits, 10, order)),
                    golden.array<double>("ten_shuffled"), one_millionth));
  EXPECT_TRUE(close(both(inception_score(rows, ClassScores::logits, 3)), golden.array<double>("three"),
                    one_millionth));
}

TEST(ReferencesTest, FrechetDistanceIsTorchFidelitys) {
  for (const char* group : {"frechet/full", "frechet/few"}) {
    const MetricsGolden golden = reference(group);
    const int64_t dim = golden.columns("x");
    const auto moments = [&](const char* name) {
      const std::vector<float> features = golden.array<float>(name);
      MomentAccumulator accumulator(dim);
      accumulator.add({features, dim});
      return accumulator.moments();
    };
    EXPECT_TRUE(close(frechet_distance(moments("x"), moments("y")), golden.number("distance"), one_millionth))
        << group;
  }
}

TEST(ReferencesTest, KernelDistanceIsTorchFidelitys) {
  const MetricsGolden golden = reference("kernel");
  const std::vector<float> x = golden.array<float>("x"), y = golden.array<float>("y");
  const int64_t dim = golden.columns("x");
  EXPECT_TRUE(close(both(kernel_distance({x, dim}, {y, dim}, {.subsets = 9, .subset_size = 53})),
                    golden.array<double>("mean_and_deviation"), one_millionth));
}

TEST(ReferencesTest, PrecisionAndRecallAreThoseOfPrdScore) {
  const MetricsGolden golden = reference("precision_recall");
  const std::vector<double> real = golden.array<double>("real"),
                            generated = golden.array<double>("generated");
  constexpr size_t clusters = 20, angles = 1001;
  ASSERT_EQ(real.size(), 10 * clusters);
  PrecisionRecall mean{std::vector<double>(angles), std::vector<double>(angles)};
  for (size_t run = 0; run < 10; ++run) {
    const auto shares = [run](const std::vector<double>& all) {
      return std::span(all).subspan(run * clusters, clusters);
    };
    const PrecisionRecall curve = precision_recall_curve(shares(real), shares(generated));
    for (size_t i = 0; i < angles; ++i) {
      mean.precision[i] += curve.precision.at(i) / 10;
      mean.recall[i] += curve.recall.at(i) / 10;
    }
  }
  EXPECT_TRUE(close(mean.precision, golden.array<double>("precision"), one_millionth));
  EXPECT_TRUE(close(mean.recall, golden.array<double>("recall"), one_millionth));
  EXPECT_TRUE(close(largest_f_score(mean, 8), golden.number("f8"), one_millionth));
  EXPECT_TRUE(close(largest_f_score(mean, 1 / 8.0), golden.number("f1_8"), one_millionth));
}

}  // namespace
}  // namespace ebm::test
