// SPDX-License-Identifier: MIT
#include "linalg/hutchinson.h"

#include "linalg/linalg_fixture.h"

namespace ebm::test {
namespace {

using reference::multiply, reference::dot, reference::scale;

class HutchinsonTest : public LinalgTest {
 protected:
  struct Estimate {
    std::vector<double> log_det, theta;
    std::vector<float> jv;
    std::vector<int32_t> status;
  };
  Estimate estimate(const std::vector<Map>& maps, const Columns& v) {
    DenseOperator j = dense(maps);
    Hutchinson solver(*kernels_, std::ssize(maps), maps.front().cols, maps.front().rows);
    const Tensor probes = on_device(v);
    const int64_t allocations = kernels_->allocations();
    solver.run(j, probes);
    EXPECT_EQ(kernels_->allocations(), allocations);
    EXPECT_EQ(j.applications(), 1);
    EXPECT_EQ(j.adjoint_applications(), 0);
    return {on_host(solver.log_det()), on_host(solver.theta()), on_host(solver.jv()),
            on_host(solver.status())};
  }
};

TEST_P(HutchinsonTest, ValuesAreTheFormulas) {
  for (const int64_t d : {1, 3, 17, 40}) {
    const int64_t B = 3, D = 2 * d + 1;
    const std::vector<Map> j = maps(B, D, d);
    const Columns v = columns(B, d);
    const Estimate found = estimate(j, v);
    for (int64_t b = 0; b < B; ++b) {
      const Column jv = multiply(j[b], v[b]);
      const double n = static_cast<double>(d);
      EXPECT_TRUE(close(part(found.jv, b, B), jv));
      EXPECT_TRUE(close(static_cast<float>(found.theta[b]), dot(jv, jv)));
      EXPECT_NEAR(found.log_det[b], n / 2 * std::log(dot(jv, jv) / n), 1e-6 * n);
      EXPECT_EQ(found.status[b], 0);
    }
  }
}

TEST_P(HutchinsonTest, OnAverageItLiesAboveTheLogDeterminant) {
  const int64_t B = slow() ? 200 : 2000, d = 12, D = 15;
  const Map j = map_with(reference::spectrum("geo", d, 10), D);
  double exact = 0;
  for (const double s : reference::svd(j).values) exact += std::log(s);
  SharedOperator op(*kernels_, B, j);
  Hutchinson solver(*kernels_, B, d, D);
  const Tensor probes = on_device(columns(B, d));
  solver.run(op, probes);
  double mean = 0;
  for (const double value : on_host(solver.log_det())) mean += value / static_cast<double>(B);
  // Jensen: below d/2 log(tr A / d), and well above L for a spectrum as wide as this one.
  EXPECT_LT(mean,
            static_cast<double>(d) / 2 * std::log(dot(j.values, j.values) / static_cast<double>(d)) + 0.5);
  EXPECT_GT(mean, exact + 1);
}

TEST_P(HutchinsonTest, BadSamplesAreFlaggedAndLeftOut) {
  const int64_t B = 5, D = 7, d = 4;
  std::vector<Map> j = maps(B, D, d);
  Columns v = columns(B, d);
  const Estimate good = estimate(j, v);
  j[1](3, 2) = std::nan("");
  j[2] = Map(D, d);
  v[3][0] = std::numeric_limits<double>::infinity();
  const Estimate found = estimate(j, v);
  EXPECT_EQ(found.status, (std::vector<int32_t>{0, bad_sample, floor_hit, bad_sample, 0}));
  for (int64_t b = 0; b < B; ++b) {
    EXPECT_TRUE(std::isfinite(found.log_det[b])) << b;
    if (b == 0 || b == 4) {
      EXPECT_EQ(found.log_det[b], good.log_det[b]);
      EXPECT_TRUE(same_bits(part(found.jv, b, B), part(good.jv, b, B)));
    } else {
      EXPECT_EQ(part_of(found.jv, b, B), Column(static_cast<size_t>(D), 0.0)) << b;
    }
  }
  EXPECT_EQ(found.theta[1], 1.0);
  EXPECT_EQ(found.theta[3], 1.0);
}

TEST_P(HutchinsonTest, ScalesBeyondFloat32sSquares) {
  for (const double c : {1e-25, 1e18}) {
    Map j = map(6, 4);
    const Columns v = columns(1, 4);
    const double before = estimate({j}, v).log_det[0];
    j.values = scale(c, j.values);
    EXPECT_NEAR(estimate({reference::rounded_to_float(j)}, v).log_det[0], before + 4 * std::log(c), 1e-5);
  }
}

TEST_P(HutchinsonTest, WrongShapesAreRefused) {
  DenseOperator j = dense(maps(2, 6, 4));
  Hutchinson solver(*kernels_, 2, 4, 6), another(*kernels_, 3, 4, 6);
  const Tensor good = on_device(columns(2, 4)), wide = on_device(columns(2, 5));
  EXPECT_NE(error_of([&] { solver.run(j, wide); }), "no Error");
  EXPECT_NE(error_of([&] { another.run(j, good); }), "no Error");
  EXPECT_EQ(error_of([&] { solver.run(j, good); }), "no Error");
}

INSTANTIATE_TEST_SUITE_P(Devices, HutchinsonTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
