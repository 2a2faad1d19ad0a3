// SPDX-License-Identifier: MIT
// The exact Gram matrix against the oracle's singular values, its gradients against its own definition, and
// what it does with samples that have no answer.
#include "linalg/gram.h"

#include "linalg/linalg_fixture.h"

namespace ebm::test {
namespace {

using reference::multiply, reference::dot, reference::norm, reference::scale, reference::combine;

/// All that ExactGram knows, on the host.
struct Exact {
  Found smallest;
  std::vector<double> log_det, s_max, cond, gram;
  std::vector<float> columns, cotangents;
};

class GramTest : public LinalgTest {
 protected:
  Exact exact(const std::vector<Map>& maps, const Columns& v0 = {}, int64_t max_tangents = 1) {
    const int64_t B = std::ssize(maps), D = maps.front().rows, d = maps.front().cols;
    DenseOperator j = dense(maps, max_tangents);
    ExactGram solver(*kernels_, B, d, D, GramUse::log_det_gradient);
    const Tensor start = v0.empty() ? Tensor() : on_device(v0);
    const int64_t allocations = kernels_->allocations();
    solver.run(j, start);
    EXPECT_EQ(kernels_->allocations(), allocations);
    EXPECT_EQ(j.applications(), d);
    EXPECT_EQ(j.adjoint_applications(), 0);
    return {on_host(solver.result()),
            on_host(solver.log_det()),
            on_host(solver.s_max()),
            on_host(solver.cond()),
            on_host(solver.gram()),
            on_host(solver.columns()),
            on_host(solver.log_det_cotangents())};
  }
};

double log_det(const Map& j) {
  double sum = 0;
  for (const double s : reference::svd(j).values) sum += std::log(s);
  return sum;
}

TEST_P(GramTest, ValuesAndVectorsAreTheOracles) {
  struct Sizes {
    int64_t B, D, d, tangents;
  };
  for (const auto [B, D, d, tangents] :
       {Sizes{1, 1, 1, 1}, {3, 2, 2, 2}, {3, 7, 3, 2}, {2, 19, 8, 8}, {2, 40, 17, 5}}) {
    const std::vector<Map> j = maps(B, D, d);
    const Columns v0 = columns(B, d);
    const Exact found = exact(j, v0, tangents);
    for (int64_t b = 0; b < B; ++b) {
      const std::string what = "d " + std::to_string(d) + " sample " + std::to_string(b);
      const reference::Svd svd = reference::svd(j[b]);
      const double cond = svd.values.back() / svd.values.front();
      const Tolerance of_v{.factor = 1 + cond, .reason = "v is rounded: ||J v|| by eps cond"};
      EXPECT_TRUE(close(static_cast<float>(found.smallest.s1(b)), svd.values.front(), of_v)) << what;
      EXPECT_TRUE(close(part(found.smallest.v, b, B), turned(svd.v.column(0), v0[b]))) << what;
      EXPECT_GE(dot(found.smallest.v_of(b), v0[b]), 0) << what;
      EXPECT_TRUE(close(part(found.smallest.jv, b, B), multiply(j[b], found.smallest.v_of(b)), of_v)) << what;
      EXPECT_TRUE(close(found.smallest.norm_v0[b], norm(v0[b]))) << what;
      EXPECT_TRUE(close(part(found.smallest.jv0_unit, b, B), multiply(j[b], scale(1 / norm(v0[b]), v0[b]))))
          << what;
      EXPECT_TRUE(close(part(found.gram, b, B), gram(j[b]).values)) << what;
      const Tolerance squared{.factor = 1 + cond * cond, .reason = "of G, whose condition is cond^2"};
      EXPECT_TRUE(close(found.log_det[b], log_det(j[b]), squared)) << what;
      EXPECT_TRUE(close(found.s_max[b], svd.values.back())) << what;
      EXPECT_TRUE(close(static_cast<float>(found.cond[b]), cond, of_v)) << what;
      EXPECT_EQ(found.smallest.status[b], 0) << what;
      EXPECT_TRUE(close(found.smallest.floor2[b], 1e-12 * dot(j[b].values, j[b].values))) << what;
      // J G^-1, tangent-major
      for (int64_t k = 0; k < d; ++k) {
        Column e(static_cast<size_t>(d), 0.0);
        e[static_cast<size_t>(k)] = 1;
        const Tolerance of_inverse{.factor = 10, .reason = "the largest entry belongs to the smallest value"};
        EXPECT_TRUE(close(part(found.columns, k * B + b, d * B), j[b].column(k))) << what;
        EXPECT_TRUE(close(part(found.cotangents, k * B + b, d * B),
                          multiply(j[b], reference::solve_spd(gram(j[b]), e)), of_inverse))
            << what;
      }
    }
  }
}

TEST_P(GramTest, SmallestValuesOfBadlyConditionedMaps) {
  const int64_t d = slow() ? 8 : 48;
  for (const std::string name : {"isolated", "geo", "clusterlow"}) {
    if (slow() && name == "clusterlow") continue;
    const Map j = map_with(reference::spectrum(name, d, 1e4), d + 5);
    const Exact found = exact({j});
    const reference::Svd svd = reference::svd(j);
    EXPECT_NEAR(found.smallest.s1(0) / svd.values.front(), 1.0, 1e-5) << name;
    EXPECT_NEAR(found.log_det[0], log_det(j), 1e-6 * static_cast<double>(d)) << name;
    EXPECT_NEAR(found.cond[0] / 1e4, 1.0, 1e-3) << name;
    EXPECT_EQ(found.smallest.status[0], 0) << name;
  }
}

TEST_P(GramTest, CotangentsAreTheGradientOfLogDet) {
  // d/dt L(J + t J') = sum_k <J G^-1 e_k, J' e_k>
  const Map j = map(9, 5);
  const Exact found = exact({j});
  for (int i = 0; i < 5; ++i) {
    const Map direction = map(9, 5);
    const auto at = [&](double t) {
      Map moved = j;
      moved.values = combine(1.0, j.values, t, direction.values);
      return log_det(moved);
    };
    const double h = 1e-4;
    double gradient = 0;
    for (int64_t k = 0; k < 5; ++k) gradient += dot(part_of(found.cotangents, k, 5), direction.column(k));
    EXPECT_NEAR(gradient, (at(h) - at(-h)) / (2 * h), 1e-5 * norm(direction.values)) << i;
  }
}

TEST_P(GramTest, WithoutAStartThereIsNoProbe) {
  const std::vector<Map> j = maps(2, 6, 4);
  const Exact found = exact(j);
  EXPECT_EQ(found.smallest.norm_v0, (std::vector<double>{0, 0}));
  EXPECT_EQ(found.smallest.jv0_unit, std::vector<float>(12));
  EXPECT_EQ(found.smallest.status, (std::vector<int32_t>{0, 0}));
}

TEST_P(GramTest, ScalesAndBatchesDoNotMatter) {
  const int64_t B = slow() ? 5 : 64, D = 9, d = 6;
  const std::vector<Map> j = maps(B, D, d);
  const Columns v0 = columns(B, d);
  const Exact all = exact(j, v0);
  for (const int64_t b : {int64_t{0}, B - 1})
    EXPECT_TRUE(same_bits(exact({j[b]}, {v0[b]}).smallest, all.smallest.sample(b))) << b;
  for (const int exponent : {-60, 60}) {
    const double c = std::ldexp(1.0, exponent);
    std::vector<Map> scaled = j;
    for (Map& m : scaled) m.values = scale(c, m.values);
    const Exact found = exact(scaled, v0);
    EXPECT_TRUE(same_bits(found.smallest.v, all.smallest.v)) << exponent;
    for (int64_t b = 0; b < B; ++b)
      EXPECT_EQ(found.smallest.theta[b], all.smallest.theta[b] * c * c) << exponent;
    EXPECT_EQ(found.cond, all.cond) << exponent;
  }
  for (const double c : {1e-25, 1e18}) {
    Map scaled = j[0];
    scaled.values = scale(c, scaled.values);
    const Exact found = exact({reference::rounded_to_float(scaled)}, {v0[0]});
    EXPECT_NEAR(found.smallest.s1(0) / (all.smallest.s1(0) * c), 1.0, 1e-5) << c;
    EXPECT_NEAR(found.log_det[0], all.log_det[0] + static_cast<double>(d) * std::log(c), 1e-5) << c;
    EXPECT_EQ(found.smallest.status[0], 0) << c;
  }
}

TEST_P(GramTest, SingularAndBadSamplesAreFlagged) {
  const int64_t D = 8, d = 5;
  std::vector<Map> j = maps(7, D, d);
  Columns v0 = columns(7, d);
  j[1] = Map(D, d);
  j[2].set_column(3, Column(static_cast<size_t>(D), 0.0));
  j[3].set_column(0, j[3].column(4));
  j[4](2, 2) = std::nan("");
  j[5](7, 0) = -std::numeric_limits<double>::infinity();
  v0[6][1] = std::nan("");
  const Exact found = exact(j, v0);
  EXPECT_EQ(found.smallest.status,
            (std::vector<int32_t>{0, floor_hit, floor_hit, floor_hit, bad_sample, bad_sample, bad_sample}));
  EXPECT_TRUE(same_bits(exact({j[0]}, {v0[0]}).smallest, found.smallest.sample(0)));
  for (int64_t b = 0; b < 7; ++b) {
    EXPECT_TRUE(std::isfinite(found.log_det[b])) << b;
    EXPECT_TRUE(std::isfinite(found.cond[b])) << b;
    EXPECT_TRUE(std::isfinite(found.smallest.theta[b])) << b;
    EXPECT_TRUE(std::isfinite(norm(found.smallest.jv_of(b)))) << b;
    EXPECT_LE(std::abs(norm(found.smallest.v_of(b)) - 1), 1e-6) << b;
    EXPECT_GT(found.smallest.floor2[b], 0) << b;
    if (b == 0) continue;
    for (int64_t k = 0; k < d; ++k)
      EXPECT_EQ(part_of(found.cotangents, k * 7 + b, d * 7), Column(static_cast<size_t>(D), 0.0)) << b;
  }
  for (const int64_t b : {1, 2, 3}) EXPECT_LE(found.smallest.s1(b), 1e-6 * (1 + found.s_max[b])) << b;
  const Exact wide = exact(maps(2, 3, 5));
  EXPECT_EQ(wide.smallest.status, (std::vector<int32_t>{floor_hit, floor_hit})) << "D < d";
}

TEST_P(GramTest, WhatContradictsItselfIsRefused) {
  DenseOperator j = dense(maps(2, 6, 4));
  ExactGram solver(*kernels_, 2, 4, 6);
  const Tensor few = on_device(columns(1, 4)), wide = on_device(columns(2, 5));
  const std::string wrong = error_of([&] { solver.run(j, few); });
  EXPECT_NE(wrong.find("2 maps R^4 -> R^6 got"), std::string::npos) << wrong;
  EXPECT_NE(error_of([&] { solver.run(j, wide); }), "no Error");
  DenseOperator other = dense(maps(2, 7, 4));
  EXPECT_NE(error_of([&] { solver.run(other); }), "no Error");
  EXPECT_EQ(error_of([&] { solver.log_det_cotangents(); }),
            "exact Gram matrix: made without GramUse::log_det_gradient, so it has no gradient");
}

INSTANTIATE_TEST_SUITE_P(Devices, GramTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
