// SPDX-License-Identifier: MIT
// Inputs that break other implementations of LOBPCG or ought to: no NaN comes out, nothing rises, a bad
// sample is flagged and leaves the rest of its batch alone, and the loss made of the result stays finite.
#include "kernels/formulas/bounds.h"
#include "linalg/linalg_fixture.h"
#include "reference/lobpcg.h"

namespace ebm::test {
namespace {

using reference::dot, reference::norm, reference::scale, reference::multiply, reference::combine;

/// The bound d log s1 of each sample and the cotangent of its gradient, as the trainer makes them.
struct Loss {
  std::vector<float> value, u_bar, good, floored;
};

class LobpcgFailureTest : public LinalgTest {
 protected:
  Loss loss(const Found& found, int64_t d) {
    const int64_t B = found.batch(), D = std::ssize(found.jv) / B;
    const Tensor u = tensor(B, D, found.jv), value(*kernels_, B, flat(1)), log_s1(*kernels_, B, flat(1)),
                 u_bar(*kernels_, B, flat(D)), good(*kernels_, B, flat(1)), floored(*kernels_, B, flat(1));
    const Buffer<int32_t> status(*kernels_, found.status);
    const Buffer<double> floor2(*kernels_, found.floor2);
    kernels_->run(SingularValueBound{.rows = B,
                                     .range = D,
                                     .domain = d,
                                     .u = u.data(),
                                     .status = status.data(),
                                     .floor2 = floor2.data(),
                                     .value = value.data(),
                                     .log_s1 = log_s1.data(),
                                     .u_bar = u_bar.data(),
                                     .good = good.data(),
                                     .floored = floored.data()});
    return {value.download(), u_bar.download(), good.download(), floored.download()};
  }

  /// What holds of every sample, whatever J is.
  void expect_sane(const Found& found, const std::string& what) {
    const int64_t B = found.batch(), d = std::ssize(found.v) / B;
    for (int64_t b = 0; b < B; ++b) {
      EXPECT_LE(std::abs(norm(found.v_of(b)) - 1), 1e-6) << what;
      EXPECT_TRUE(std::isfinite(found.theta[b]) && found.theta[b] >= 0) << what << ": " << found.theta[b];
      EXPECT_TRUE(std::isfinite(found.floor2[b]) && found.floor2[b] > 0) << what << ": " << found.floor2[b];
      EXPECT_TRUE(std::isfinite(norm(found.jv_of(b)))) << what;
    }
    const Loss l = loss(found, d);
    for (const std::vector<float>* x : {&l.value, &l.u_bar})
      for (const float element : *x) EXPECT_TRUE(std::isfinite(element)) << what;
  }

  /// All maps are singular: s1 <= 1e-6 ||J||, flagged, a finite loss without a gradient.
  void expect_singular(const std::vector<Map>& j, const LobpcgOptions& options, const std::string& what) {
    const int64_t B = std::ssize(j), d = j.front().cols;
    const Found found = lobpcg(j, columns(B, d), options, columns(B, d));
    expect_sane(found, what);
    const Loss l = loss(found, d);
    for (int64_t b = 0; b < B; ++b) {
      EXPECT_LE(found.s1(b), 1e-6 * reference::svd(j[b]).values.back()) << what;
      EXPECT_EQ(found.status[b] & ~w_masked, floor_hit) << what;
      EXPECT_EQ(l.good[b], 1.0f) << what;
      EXPECT_EQ(l.floored[b], 1.0f) << what;
    }
    EXPECT_EQ(l.u_bar, std::vector<float>(l.u_bar.size())) << what;
  }
};

TEST_P(LobpcgFailureTest, SingularMapsHitTheFloor) {
  const int64_t D = 11, d = 7;
  const Column zero(static_cast<size_t>(D), 0.0);
  for (const auto direction : {Direction::orthonormal, Direction::authors}) {
    // The authors' direction needs five times as many iterations.
    const LobpcgOptions few{.iterations = 3, .direction = direction},
        many{.iterations = direction == Direction::authors ? 200 : 40, .direction = direction};
    std::vector<Map> zero_column, twins, wide;
    for (int b = 0; b < 2;
         ++b) {  // apart from the defect well conditioned, or convergence takes longer still
      const Map j = map_with(reference::spectrum("lin", d, 2), D);
      zero_column.push_back(j);
      twins.push_back(j);
      wide.push_back(reference::transpose(map_with(reference::spectrum("lin", 4, 2), d)));
      zero_column.back().set_column(3, zero);
      twins.back().set_column(2, j.column(5));
    }
    expect_singular(std::vector<Map>(2, Map(D, d)), few, "J = 0");
    expect_singular(maps(2, 1, d), few, "D = 1");
    expect_singular(maps(2, 1, 2), few, "D = 1, d = 2");
    expect_singular(zero_column, many, "a column of zeros");
    expect_singular(twins, many, "two equal columns");
    expect_singular(wide, many, "D < d");
  }
}

TEST_P(LobpcgFailureTest, AFloorIsOfEachSamplesOwnScale) {  // a tiny J is not a singular J
  std::vector<Map> j = maps(3, 11, 7);
  j[1].values = scale(1e-25, j[1].values);
  j[1] = reference::rounded_to_float(j[1]);
  j[2].set_column(0, Column(11, 0.0));
  const Found found = lobpcg(j, columns(3, 7), {.iterations = 20});
  EXPECT_EQ(found.status[0] & ~w_masked, 0);
  EXPECT_EQ(found.status[1] & ~w_masked, 0);
  EXPECT_EQ(found.status[2] & ~w_masked, floor_hit);
  EXPECT_EQ(loss(found, 7).floored, (std::vector<float>{0, 0, 1}));
}

TEST_P(LobpcgFailureTest, OrthogonalMapsAreDoneAtTheStart) {
  const int64_t d = 6;
  std::vector<Map> j{reference::identity(d),
                     reference::rounded_to_float(reference::random_orthonormal(9, d, random_))};
  j[0] = Map(9, d);
  for (int64_t i = 0; i < d; ++i) j[0](i, i) = 4.0;
  for (const int k : {0, 1, 2, 10, 60}) {
    const Found found = lobpcg(j, columns(2, d), {.iterations = k});
    expect_sane(found, "orthogonal");
    EXPECT_TRUE(close(found.s1(), std::vector<double>{4, 1})) << k;
    EXPECT_EQ(found.status[1] & ~w_masked, 0);
  }
}

TEST_P(LobpcgFailureTest, ResidualOfZeroStopsItsSampleAlone) {
  const int64_t B = 4, D = 8, d = 5;
  std::vector<Map> j = maps(B, D, d);
  Columns v0 = columns(B, d), p0 = columns(B, d);
  j[2] = Map(D, d);
  for (int64_t i = 0; i < d; ++i) j[2](i, i) = 2.0;
  v0[2] = {0, 3, 0, 0, 0};
  p0[2] = {0, 0, 0, 1, 0};
  for (const Direction direction : {Direction::orthonormal, Direction::authors}) {
    const LobpcgOptions options{.iterations = 3, .direction = direction};
    const Found found = lobpcg(j, v0, options, p0);
    EXPECT_EQ(found.status[2], w_masked);
    EXPECT_EQ(found.theta[2], 4.0);
    EXPECT_EQ(found.v_of(2), (Column{0, 1, 0, 0, 0}));
    for (const int64_t b : {0, 1, 3}) {
      EXPECT_EQ(found.status[b] & bad_sample, 0);
      EXPECT_TRUE(same_bits(lobpcg({j[b]}, {v0[b]}, options, {p0[b]}), found.sample(b))) << b;
    }
  }
}

TEST_P(LobpcgFailureTest, StartsThatNeedCare) {
  const int64_t D = 20, d = 12;
  const Map j = map_with(reference::spectrum("geo", d, 10), D);
  const reference::Svd exact = reference::svd(j);
  const auto rounded = [](const Column& x) { return reference::rounded_to_float(x); };
  const Column v1 = rounded(exact.v.column(0)), vd = rounded(exact.v.column(d - 1)),
               v12 = rounded(combine(1.0, exact.v.column(0), 1.0, exact.v.column(1))),
               zero(static_cast<size_t>(d), 0.0), ones(static_cast<size_t>(d), 1.0),
               tiny = rounded(scale(1e-30, columns(1, d)[0])), huge = rounded(scale(1e30, columns(1, d)[0]));
  const Columns v0{v1, vd, v12, zero, ones, tiny, huge};
  const int64_t B = std::ssize(v0);
  const std::vector<Map> all(static_cast<size_t>(B), j);
  const double s1 = exact.values.front();

  // At the answer, past it, and from the start in a plane that holds it: one step.
  for (const int k : {1, 4, 30}) {
    const Found found = lobpcg(all, v0, {.iterations = k});
    expect_sane(found, "K " + std::to_string(k));
    EXPECT_NEAR(found.s1(0) / s1, 1.0, 1e-6) << k;
    EXPECT_NEAR(found.s1(2) / s1, 1.0, 1e-5) << k;
    for (const int32_t status : found.status) EXPECT_EQ(status & ~w_masked, 0);
  }
  // The largest value's vector has no residual either, but rounding leads away from it: theta only falls.
  double before = 1 + 1e-6;
  for (const int k : {0, 1, 2, 10, 60}) {
    const double s = lobpcg(all, v0, {.iterations = k}).s1(1);
    EXPECT_LE(s, before * (1 + 1e-6)) << k;
    before = s;
  }
  EXPECT_NEAR(before / s1, 1.0, 1e-4) << "60 iterations from the wrong end";
  // Zero is replaced by ones, which is no failure; lengths do not matter.
  const Found found = lobpcg(all, v0, {.iterations = 4});
  EXPECT_EQ(found.norm_v0[3], 0.0);
  EXPECT_TRUE(same_bits(found.sample(3).v, found.sample(4).v));
  EXPECT_TRUE(close(found.norm_v0[5], norm(tiny)));
  EXPECT_TRUE(close(found.norm_v0[6], norm(huge)));
  for (const int64_t b : {5, 6}) {
    const double expected = std::sqrt(reference::lobpcg(j, v0[b], {.iterations = 4}).theta.back());
    EXPECT_NEAR(found.s1(b) / expected, 1.0, 1e-5) << b;
  }
}

TEST_P(LobpcgFailureTest, NoIterationsGiveTheStartsOwnValue) {
  const int64_t B = 3, D = 9, d = 5;
  const std::vector<Map> j = maps(B, D, d);
  const Columns v0 = columns(B, d);
  const Found found = lobpcg(j, v0, {.iterations = 0});
  for (int64_t b = 0; b < B; ++b) {
    EXPECT_TRUE(close(static_cast<float>(found.theta[b]), reference::rayleigh(j[b], v0[b])));
    EXPECT_TRUE(close(part(found.v, b, B), scale(1 / norm(v0[b]), v0[b])));
    EXPECT_EQ(found.status[b], 0);
  }
  EXPECT_TRUE(same_bits(found.jv, found.jv0_unit));
}

/// NaN or infinity in J, v0 or p0 of one sample of 64: the others do not notice.
TEST_P(LobpcgFailureTest, ABadSampleIsFlaggedAndLeftOut) {
  const int64_t B = slow() ? 10 : 64, D = 17, d = 9, bad = B / 3;
  const std::vector<Map> good_j = maps(B, D, d);
  const Columns good_v0 = columns(B, d), p0 = columns(B, d);
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, gram(map(2 * d, d)));
  for (const double poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    for (const bool in_start : {false, true}) {
      std::vector<Map> j = good_j;
      Columns v0 = good_v0;
      (in_start ? v0[bad][4] : j[bad](D - 2, 1)) = poison;
      std::vector<Map> j_without = j;
      Columns v0_without = v0, p0_without = p0;
      j_without.erase(j_without.begin() + bad);
      v0_without.erase(v0_without.begin() + bad);
      p0_without.erase(p0_without.begin() + bad);
      for (const LobpcgOptions& options : {LobpcgOptions{.iterations = 0},
                                           {.iterations = 3},
                                           {.iterations = 3, .direction = Direction::authors},
                                           {.iterations = 3, .preconditioner = &preconditioner}}) {
        const Found found = lobpcg(j, v0, options, p0),
                    without = lobpcg(j_without, v0_without, options, p0_without);
        expect_sane(found, "poisoned");
        EXPECT_NE(found.status[bad] & bad_sample, 0);
        EXPECT_EQ(found.theta[bad], 1.0);
        EXPECT_EQ(found.jv_of(bad), Column(static_cast<size_t>(D), 0.0));
        EXPECT_EQ(part_of(found.jv0_unit, bad, B), Column(static_cast<size_t>(D), 0.0));
        const Loss l = loss(found, d);
        EXPECT_EQ(l.good[bad], 0.0f);
        EXPECT_EQ(l.floored, std::vector<float>(static_cast<size_t>(B))) << "bad is not floored";
        EXPECT_EQ(l.value[bad], 0.0f);
        EXPECT_EQ(part(l.u_bar, bad, B), std::vector<float>(static_cast<size_t>(D)));
        for (int64_t i = 0; i < B - 1; ++i) {
          const int64_t b = i < bad ? i : i + 1;
          EXPECT_TRUE(same_bits(found.sample(b), without.sample(i))) << b;
          EXPECT_EQ(found.status[b] & bad_sample, 0) << b;
        }
      }
    }
  }
}

TEST_P(LobpcgFailureTest, ABadSecondDirectionIsNotUsed) {
  const std::vector<Map> j = maps(2, 9, 6);
  const Columns v0 = columns(2, 6);
  Columns p0 = columns(2, 6);
  p0[0][2] = std::nan("");
  p0[1] = scale(3.0, v0[1]);  // nothing of it is orthogonal to v0
  const Found found = lobpcg(j, v0, {.iterations = 2}, p0), without = lobpcg(j, v0, {.iterations = 2});
  EXPECT_TRUE(same_bits(found.sample(0), without.sample(0)));
  expect_sane(found, "p0 along v0");
  EXPECT_LE(found.s1(1), without.s1(1) * (1 + 1e-6));
}

/// The inputs that the test suites and issue trackers of other implementations name, as J with A = J^T J.
struct Named {
  std::string name;
  Map j;
  int iterations;
  double within;  ///< relative error of s1 by then (of s_max where s1 = 0)
};

Map with_square(const Map& a) {  // J = C^T, A = C C^T, with no eigenvalue 0
  return reference::rounded_to_float(reference::transpose(reference::cholesky(a)));
}
Map diagonal(const Column& a) {
  Map j(std::ssize(a), std::ssize(a));
  for (int64_t i = 0; i < j.rows; ++i) j(i, i) = std::sqrt(a[static_cast<size_t>(i)]);
  return reference::rounded_to_float(j);
}
Column arithmetic(double from, double to, int64_t n) {
  Column x;
  for (int64_t i = 0; i < n; ++i)
    x.push_back(from + (to - from) * static_cast<double>(i) / static_cast<double>(n - 1));
  return x;
}
/// Differences of neighbours on a ring: A is the ring's Laplacian, s1 = 0.
Map ring(int64_t n) {
  Map j(n, n);
  for (int64_t i = 0; i < n; ++i) {
    j(i, i) = 1;
    j(i, (i + 1) % n) = -1;
  }
  return j;
}
/// The same on a path, fixed at both ends: A = tridiag(-1, 2, -1), s1 = 2 sin(pi / 2 (n + 1)).
Map path(int64_t n) {
  Map a(n, n);
  for (int64_t i = 0; i < n; ++i) {
    a(i, i) = 2;
    if (i > 0) a(i, i - 1) = a(i - 1, i) = -1;
  }
  return with_square(a);
}

TEST_P(LobpcgFailureTest, WhatOtherImplementationsFailOn) {
  const int64_t n = slow() ? 16 : 40;
  const auto geometric = [&](double kappa) { return reference::spectrum("geo", n, kappa); };
  const auto squares = [](Column s) {
    for (double& x : s) x *= x;
    return s;
  };
  Column one_zero = arithmetic(1.125, 2.25, 10);
  one_zero[4] = 0;  // diag(1.25, 1.5, ..., 0, 1.13, ...): two copies of the eigenvalue 0 elsewhere
  Column many_zeros(static_cast<size_t>(n), 0.0);
  for (int64_t i = n / 2; i < n; ++i) many_zeros[static_cast<size_t>(i)] = static_cast<double>(i);
  Column ends = arithmetic(1, 10, n);
  ends.back() = 1e5;  // diverged after convergence elsewhere
  const Map low_rank = reference::rounded_to_float(multiply(random_.matrix(n + 3, 3), random_.matrix(3, n)));
  const std::vector<Named> inputs{
      {"identity", reference::identity(n), 2, 1e-6},
      {"diagonal 1 .. n", diagonal(arithmetic(1, static_cast<double>(n), n)), 100, 1e-4},
      {"one eigenvalue 0 in the middle", diagonal(one_zero), 30, 1e-6},
      {"half the eigenvalues 0", diagonal(many_zeros), 60, 1e-6},
      {"cond 1e5, one end", diagonal(ends), 300, 1e-3},
      {"cond 1e5, geometric", diagonal(squares(geometric(std::sqrt(1e5)))), 300, 0.3},
      {"linear, cond 1e5", diagonal(arithmetic(1e-5, 1, n)), 300, 3.0},
      {"cluster of eight", diagonal(squares(reference::spectrum("clusterlow", n, 100))), 300, 1e-2},
      {"path Laplacian", path(n), 200, 1e-3},
      {"ring Laplacian", ring(n), 200, 1e-5},
      {"low rank", low_rank, 60, 1e-6},
  };
  for (const Named& input : inputs) {
    const reference::Svd exact = reference::svd(input.j);
    const double s1 = exact.values.front(), s_max = exact.values.back();
    const Columns v0{columns(1, input.j.cols)[0], Column(static_cast<size_t>(input.j.cols), 1.0)};
    const std::vector<Map> j{input.j, input.j};
    double before[2] = {s_max * (1 + 1e-6), s_max * (1 + 1e-6)};
    const std::vector<int> schedule =
        slow() ? std::vector<int>{0, 2, input.iterations}
               : std::vector<int>{0, 1, 2, 5, 10, 30, input.iterations / 2 + 30, input.iterations + 30};
    for (const int k : schedule) {
      const Found found = lobpcg(j, v0, {.iterations = k});
      expect_sane(found, input.name);
      for (int64_t b = 0; b < 2; ++b) {
        EXPECT_LE(found.s1(b), before[b] * (1 + 1e-6) + 1e-7 * s_max) << input.name << " K " << k;
        EXPECT_GE(found.s1(b), s1 * (1 - 1e-5) - 1e-6 * s_max) << input.name << " K " << k;
        EXPECT_EQ(found.status[b] & bad_sample, 0) << input.name << " K " << k;
        before[b] = found.s1(b);
      }
    }
    EXPECT_LE(before[0] - s1, input.within * (s1 > 1e-6 * s_max ? s1 : s_max)) << input.name;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, LobpcgFailureTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
