// SPDX-License-Identifier: MIT
// LOBPCG against the oracle, iteration by iteration; its costs; what it refuses.
#include "linalg/lobpcg.h"

#include "linalg/lanczos.h"
#include "linalg/linalg_fixture.h"
#include "reference/lobpcg.h"

namespace ebm::test {
namespace {

using LobpcgTest = LinalgTest;
using reference::multiply, reference::dot;

const Tolerance of_iterations{.factor = 10, .reason = "every iteration rounds its vectors, s_max / s1 is 10"};

/// theta, v and J v of each sample against the oracle's iterate number K.
void expect_iterate(const Found& found, const std::vector<Map>& j,
                    const std::vector<reference::Iterates>& expected, const std::string& what) {
  std::vector<double> s1;
  for (const reference::Iterates& e : expected) s1.push_back(std::sqrt(e.theta.back()));
  EXPECT_TRUE(close(found.s1(), s1, of_iterations)) << what;
  for (int64_t b = 0; b < std::ssize(j); ++b) {
    EXPECT_EQ(found.status[b], 0) << what;
    const Column v = turned(found.v_of(b), expected[b].v);
    EXPECT_TRUE(
        close(reference::to_float(v), expected[b].v, {.factor = 100, .reason = "v turns by more than theta"}))
        << what << " sample " << b;
    EXPECT_TRUE(close(part(found.jv, b, found.batch()), multiply(j[b], found.v_of(b)), of_iterations))
        << what;
    EXPECT_TRUE(close(found.theta[b], dot(found.jv_of(b), found.jv_of(b)))) << what;
  }
}

TEST_P(LobpcgTest, EveryIterationIsTheOracles) {
  struct Sizes {
    int64_t B, D, d;
  };
  for (const auto [B, D, d] : {Sizes{1, 5, 3}, {3, 19, 7}, {2, 33, 33}}) {
    std::vector<Map> j;
    for (int64_t b = 0; b < B; ++b) j.push_back(map_with(reference::spectrum("geo", d, 10), D));
    const Columns v0 = columns(B, d), p0 = columns(B, d);
    for (const int k : {0, 1, 2, 3, 5}) {
      std::vector<reference::Iterates> plain, with_p0;
      for (int64_t b = 0; b < B; ++b) {
        plain.push_back(reference::lobpcg(j[b], v0[b], {.iterations = k}));
        with_p0.push_back(reference::lobpcg(j[b], v0[b], {.iterations = k, .p0 = p0[b]}));
      }
      const std::string what = "d " + std::to_string(d) + " K " + std::to_string(k);
      const Found found = lobpcg(j, v0, {.iterations = k});
      if (d > k + 1) expect_iterate(found, j, plain, what);
      if (d > k + 2) expect_iterate(lobpcg(j, v0, {.iterations = k}, p0), j, with_p0, what + " p0");
      for (int64_t b = 0; b < B; ++b) {
        const double length = reference::norm(v0[b]);
        EXPECT_TRUE(close(found.norm_v0[b], length));
        EXPECT_TRUE(close(part(found.jv0_unit, b, B), multiply(j[b], reference::scale(1 / length, v0[b]))));
      }
    }
  }
}

TEST_P(LobpcgTest, TheAuthorsDirectionIsThatOfTheirCode) {
  // In few dimensions r / mean(r) is short, and the length of v0 and the overlaps with p0 count.
  struct Sizes {
    int64_t B, D, d;
    std::vector<int> iterations;
  };
  for (const auto& [B, D, d, iterations] :
       {Sizes{3, 29, 17, {0, 1, 2, 3, 5, 8}}, {slow() ? 4 : 12, 9, 5, {0, 1, 2}}}) {
    std::vector<Map> j;
    for (int64_t b = 0; b < B; ++b) j.push_back(map_with(reference::spectrum("geo", d, 10), D));
    const Columns v0 = columns(B, d), p0 = columns(B, d);
    for (const int k : iterations) {
      std::vector<reference::Iterates> expected;
      for (int64_t b = 0; b < B; ++b)
        expected.push_back(reference::authors_iteration(j[b], v0[b], p0[b], k, reference::BasisOrder::svd));
      const Found found = lobpcg(j, v0, {.iterations = k, .direction = Direction::authors}, p0);
      expect_iterate(found, j, expected, "d " + std::to_string(d) + " K " + std::to_string(k));
      if (k >= 3) {
        EXPECT_GT(found.s1(0), 1.001 * lobpcg(j, v0, {.iterations = k}, p0).s1(0)) << "it is not LOBPCG";
      }
    }
  }
}

TEST_P(LobpcgTest, PreconditionedIterationsAreTheOracles) {
  const int64_t B = 3, D = 23, d = 13;
  const std::vector<Map> j = maps(B, D, d);
  const Columns v0 = columns(B, d);
  const Map mean = gram(map(2 * d, d));
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, mean);
  for (const int k : {1, 2, 4}) {
    std::vector<reference::Iterates> expected;
    for (int64_t b = 0; b < B; ++b) {
      expected.push_back(
          reference::lobpcg(j[b], v0[b], {.iterations = k, .preconditioner = inverse(ridged(mean))}));
    }
    expect_iterate(lobpcg(j, v0, {.iterations = k, .preconditioner = &preconditioner}), j, expected,
                   "K " + std::to_string(k));
  }
}

TEST_P(LobpcgTest, AMultipleOfTheIdentityAsPreconditionerChangesNothing) {
  const int64_t B = 2, d = 11;
  const std::vector<Map> j = maps(B, 14, d);
  const Columns v0 = columns(B, d);
  Preconditioner preconditioner(*kernels_, B, d);
  Map multiple = reference::identity(d);
  multiple.values = reference::scale(7.0, multiple.values);
  set(preconditioner, multiple);
  for (const int k : {1, 4}) {
    const Found plain = lobpcg(j, v0, {.iterations = k});
    const Found found = lobpcg(j, v0, {.iterations = k, .preconditioner = &preconditioner});
    EXPECT_TRUE(close(found.s1(), plain.s1()));
    EXPECT_TRUE(close(found.v, plain.v, {.factor = 10, .reason = "T scales r before it is rounded"}));
  }
}

/// d samples of `times[i]` singular values `values[i]`.
Column repeated(const std::vector<std::pair<double, int>>& values) {
  Column s;
  for (const auto& [value, times] : values) s.insert(s.end(), static_cast<size_t>(times), value);
  return s;
}

TEST_P(LobpcgTest, FewDistinctValuesAreFoundInAsManyStepsLessOne) {
  const Columns v0 = columns(1, 20);
  const auto error = [&](const std::vector<std::pair<double, int>>& values, int iterations) {
    return std::abs(lobpcg({map_with(repeated(values), 24)}, v0, {.iterations = iterations}).s1(0) - 1);
  };
  const double of_float = 3e-7;  // J itself is rounded by 6e-8 an element
  EXPECT_LE(error({{1, 12}, {3, 8}}, 1), of_float);
  EXPECT_LE(error({{1, 8}, {2, 6}, {3, 6}}, 2), of_float);
  EXPECT_GT(error({{1, 6}, {2, 6}, {3, 4}, {5, 4}}, 3), 1e-5)
      << "three steps of a short recurrence are not enough";
}

TEST_P(LobpcgTest, SmallDimensionsAreExact) {
  for (const int64_t d : {1, 2, 3}) {
    const std::vector<Map> j = maps(3, 5, d);
    const Columns v0 = columns(3, d), p0 = columns(3, d);
    std::vector<double> s1;
    for (const Map& m : j) s1.push_back(reference::smallest_singular(m).s);
    // With a p0 the first basis is one dimension larger.
    const int k = static_cast<int>(d) - 1, k_p0 = std::max(k - 1, 0);
    for (const int more : {0, 1, 3}) {
      const std::string what = "d " + std::to_string(d) + " and " + std::to_string(more) + " more";
      EXPECT_TRUE(close(lobpcg(j, v0, {.iterations = k + more}).s1(), s1, of_iterations)) << what;
      const Found with_p0 = lobpcg(j, v0, {.iterations = std::max(k_p0, d > 1 ? 1 : 0) + more}, p0);
      EXPECT_TRUE(close(with_p0.s1(), s1, of_iterations)) << what;
      const Found authors = lobpcg(
          j, v0, {.iterations = std::max(k_p0, d > 1 ? 1 : 0) + more, .direction = Direction::authors}, p0);
      EXPECT_TRUE(close(authors.s1(), s1, of_iterations)) << what;
      for (const int32_t status : authors.status) EXPECT_EQ(status & ~w_masked, 0) << what;
    }
  }
}

TEST_P(LobpcgTest, TheFirstTwoStepsAreLanczos) {
  const int64_t B = 2, D = 40, d = 31;
  std::vector<Map> j;
  for (int64_t b = 0; b < B; ++b) j.push_back(map_with(reference::spectrum("geo", d, 100), D));
  const Columns v0 = columns(B, d);
  const Tensor probes = on_device(v0);
  for (const int k : {0, 1, 2}) {
    Lanczos lanczos(*kernels_, B, d, D, {.pairs = k + 1});
    DenseOperator op = dense(j);
    lanczos.run(op, probes);
    std::vector<double> ritz = on_host(lanczos.result().theta1);
    for (double& x : ritz) x = std::sqrt(x);
    EXPECT_TRUE(close(lobpcg(j, v0, {.iterations = k}).s1(), ritz, of_iterations)) << k;
  }
}

TEST_P(LobpcgTest, AtTheSingularVectorTheGradientIsThatOfLogS1) {
  // d log s1 along J' is <J v, J' v> / theta with v held constant, where s1 is well apart from s2.
  const int64_t d = 9, D = 14;
  const Map j = map_with(reference::spectrum("isolated", d, 4), D);
  const Found found = lobpcg({j}, columns(1, d), {.iterations = 40});
  const double s1 = reference::smallest_singular(j).s, h = 1e-4 * s1;
  for (int i = 0; i < 20; ++i) {
    const Map direction = map(D, d);
    const auto log_s1 = [&](double t) {
      Map moved = j;
      moved.values = reference::combine(1.0, j.values, t, direction.values);
      return std::log(reference::smallest_singular(moved).s);
    };
    const double gradient = dot(found.jv_of(0), multiply(direction, found.v_of(0))) / found.theta[0];
    EXPECT_NEAR(gradient, (log_s1(h) - log_s1(-h)) / (2 * h), 1e-4 / s1) << i;
  }
}

TEST_P(LobpcgTest, PassesAreOneOfEachAnIterationAndOneToStart) {
  const int64_t B = 3, D = 7, d = 5;
  DenseOperator j = dense(maps(B, D, d));
  const Columns v0 = columns(B, d), p0 = columns(B, d);
  Preconditioner preconditioner(*kernels_, B, d);
  struct Case {
    LobpcgOptions options;
    bool p0;
    int64_t jvps, vjps;
  };
  for (const Case& c : {Case{{.iterations = 0}, false, 1, 0},
                        {{.iterations = 2}, false, 3, 2},  // the published code: 9 and 3
                        {{.iterations = 5}, false, 6, 5},
                        {{.iterations = 2}, true, 4, 2},
                        {{.iterations = 2, .preconditioner = &preconditioner}, false, 3, 2},
                        {{.iterations = 2, .direction = Direction::authors}, true, 4, 2}}) {
    j.reset_counts();
    lobpcg(j, v0, c.options, c.p0 ? p0 : Columns{});
    EXPECT_EQ(j.applications(), c.jvps);
    EXPECT_EQ(j.adjoint_applications(), c.vjps);
  }
}

TEST_P(LobpcgTest, RunsAreRecordableAllocateNothingAndRepeatBitForBit) {
  const int64_t B = 3, D = 17, d = 9;
  DenseOperator j = dense(maps(B, D, d));
  Tensor v0 = on_device(columns(B, d));
  const Tensor p0 = on_device(columns(B, d));
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, gram(map(2 * d, d)));
  for (const LobpcgOptions& options : {LobpcgOptions{.iterations = 3},
                                       {.iterations = 3, .direction = Direction::authors},
                                       {.iterations = 3, .preconditioner = &preconditioner}}) {
    const ConstView direction = options.direction == Direction::authors ? p0 : ConstView{};
    Lobpcg solver(*kernels_, B, d, D, options);
    solver.run(j, v0, direction);
    const Found first = on_host(solver.result());
    const int64_t allocations = kernels_->allocations();
    const std::unique_ptr<Graph> graph = kernels_->capture([&] { solver.run(j, v0, direction); });
    EXPECT_EQ(kernels_->allocations(), allocations);
    v0.upload(concatenated(columns(B, d)));  // leaves other numbers behind in the solver
    graph->launch();
    EXPECT_FALSE(same_bits(on_host(solver.result()), first));
    Lobpcg another(*kernels_, B, d, D, options);
    another.run(j, v0, direction);
    EXPECT_TRUE(same_bits(on_host(solver.result()), on_host(another.result())));
  }
}

TEST_P(LobpcgTest, WhatContradictsItselfIsRefused) {
  const int64_t B = 3, D = 7, d = 5;
  Preconditioner preconditioner(*kernels_, B, d);
  const auto make = [&](const LobpcgOptions& options) {
    return error_of([&] { Lobpcg(*kernels_, B, d, D, options); });
  };
  EXPECT_EQ(make({.iterations = -1}), "LOBPCG with -1 iterations: give 0 or more");
  EXPECT_EQ(make({.direction = Direction::authors, .preconditioner = &preconditioner}),
            "LOBPCG: the authors' direction has no preconditioner");

  DenseOperator j = dense(maps(B, D, d));
  Lobpcg solver(*kernels_, B, d, D), authors(*kernels_, B, d, D, {.direction = Direction::authors});
  const auto run = [&](Lobpcg& by, LinearOperator& op, const Columns& v0, const Columns& p0) {
    const Tensor start = on_device(v0), direction = p0.empty() ? Tensor() : on_device(p0);
    return error_of([&] { by.run(op, start, direction); });
  };
  EXPECT_EQ(run(authors, j, columns(B, d), {}), "LOBPCG: the authors' direction needs a p0");
  const std::string wrong = run(solver, j, columns(B - 1, d), {});
  EXPECT_NE(wrong.find("3 maps R^5 -> R^7 got a start of 2 rows of 1x1x5"), std::string::npos) << wrong;
  EXPECT_NE(run(solver, j, columns(B, d + 1), {}), "no Error");
  EXPECT_NE(run(solver, j, columns(B, d), columns(B, d - 1)), "no Error");
  for (const auto& [rows, range, domain] : {std::tuple{B + 1, D, d}, {B, D + 1, d}, {B, D, d + 1}}) {
    DenseOperator other = dense(maps(rows, range, domain));
    EXPECT_NE(run(solver, other, columns(B, d), {}), "no Error");
    EXPECT_EQ(other.applications(), 0);
  }
  EXPECT_EQ(run(solver, j, columns(B, d), columns(B, d)), "no Error");
}

INSTANTIATE_TEST_SUITE_P(Devices, LobpcgTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
