// SPDX-License-Identifier: MIT
// Lanczos, its quadrature and its gradient against the oracle and against what they are meant to estimate.
#include "linalg/lanczos.h"

#include "linalg/linalg_fixture.h"
#include "reference/lobpcg.h"
#include "reference/quadrature.h"

namespace ebm::test {
namespace {

using reference::multiply, reference::dot, reference::norm, reference::scale, reference::combine,
    reference::spectrum, reference::Matrix;

/// LogDetEstimate on the host, with T_n.
struct Estimate {
  std::vector<double> gauss, radau, theta1;
  std::vector<float> u, v;
  std::vector<int32_t> status;
  std::vector<double> alpha, beta;  // element (j, b) at j * B + b

  int64_t batch() const { return std::ssize(gauss); }
  reference::Lanczos tridiagonal(int64_t b) const {
    reference::Lanczos t;
    for (int64_t j = b; j < std::ssize(alpha); j += batch()) {
      t.alpha.push_back(alpha[static_cast<size_t>(j)]);
      t.beta.push_back(beta[static_cast<size_t>(j)]);
    }
    return t;
  }
};

class LanczosTest : public LinalgTest {
 protected:
  Estimate estimate(LinearOperator& j, const Columns& g, const LanczosOptions& options) {
    Lanczos solver(*kernels_, j.batch(), j.domain(), j.range(), options);
    const Tensor probes = on_device(g);
    solver.run(j, probes);
    const LogDetEstimate found = solver.result();
    return {on_host(found.gauss), on_host(found.radau),  on_host(found.theta1),   on_host(found.u),
            on_host(found.v),     on_host(found.status), on_host(solver.alpha()), on_host(solver.beta())};
  }
  Estimate estimate(const std::vector<Map>& maps, const Columns& g, const LanczosOptions& options) {
    DenseOperator j = dense(maps);
    return estimate(j, g, options);
  }
};

double log_det(const Map& j) {
  double sum = 0;
  for (const double s : reference::svd(j).values) sum += std::log(s);
  return sum;
}
Map diagonal(const Column& s) {
  Map j(std::ssize(s), std::ssize(s));
  for (int64_t i = 0; i < j.rows; ++i) j(i, i) = s[static_cast<size_t>(i)];
  return reference::rounded_to_float(j);
}

TEST_P(LanczosTest, EveryNumberIsTheOracles) {
  const int64_t B = 3, D = 17, d = 9;
  std::vector<Map> j;
  for (int64_t b = 0; b < B; ++b) j.push_back(map_with(spectrum("geo", d, 10), D));
  const Columns g = columns(B, d);
  const Map mean = gram(map(2 * d, d));
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, mean);
  const Map c = reference::cholesky(ridged(mean));
  for (const int n : {1, 2, 3, 6}) {
    for (const bool whitened : {false, true}) {
      const Estimate found =
          estimate(j, g, {.pairs = n, .preconditioner = whitened ? &preconditioner : nullptr});
      const std::string what = std::to_string(n) + (whitened ? " pairs, whitened" : " pairs");
      const Tolerance of_steps{.factor = 20, .reason = "n steps of float32 vectors, and a solve with T_n"};
      for (int64_t b = 0; b < B; ++b) {
        const Map& root = whitened ? c : Map();
        const reference::Lanczos t = reference::lanczos(j[b], g[b], n, root);
        const reference::Slq slq = reference::slq(j[b], g[b], n, 0.1, root);
        const reference::Lanczos own = found.tridiagonal(b);
        EXPECT_TRUE(close(reference::to_float(own.alpha), t.alpha, of_steps)) << what;
        EXPECT_TRUE(close(reference::to_float(own.beta), t.beta, of_steps)) << what;
        EXPECT_NEAR(found.theta1[b] / slq.theta1, 1.0, 1e-5) << what;
        EXPECT_NEAR(found.gauss[b], slq.gauss, 2e-6 * static_cast<double>(d)) << what;
        EXPECT_NEAR(found.radau[b], slq.radau, 2e-6 * static_cast<double>(d)) << what;
        EXPECT_TRUE(close(part(found.u, b, B), slq.u, of_steps)) << what;
        EXPECT_TRUE(close(part(found.v, b, B), slq.v)) << what;
        EXPECT_NEAR(
            dot(part_of(found.u, b, B), multiply(j[b], part_of(found.v, b, B))) / static_cast<double>(d), 1.0,
            1e-5)
            << what;
        EXPECT_EQ(found.status[b], 0) << what;
      }
    }
  }
}

TEST_P(LanczosTest, AnExplicitRadauNodeIsANode) {
  const Map j = map(13, 8);
  const Columns g = columns(1, 8);
  const int n = 4;
  const reference::Lanczos t = reference::lanczos(j, g[0], n);
  const double theta1 = reference::symmetric_eigen(reference::tridiagonal(t)).values.front();
  const auto expected = [&](double a) {
    return 4.0 * reference::quadrature(reference::radau_matrix(t, a), reference::log_of);
  };
  const auto radau = [&](double node, double factor) {
    return estimate({j}, g, {.pairs = n, .radau_factor = factor, .radau_node = node}).radau[0];
  };
  EXPECT_NEAR(radau(0.3 * theta1, 0.1), expected(0.3 * theta1), 1e-4) << "the node";
  EXPECT_NEAR(radau(0, 0.5), expected(0.5 * theta1), 1e-4) << "the factor";
  EXPECT_NEAR(radau(2 * theta1, 0.1), expected(0.9999 * theta1), 1e-2) << "no node above the Ritz values";
  EXPECT_GT(std::abs(expected(0.3 * theta1) - expected(0.5 * theta1)), 1e-2) << "or the above says nothing";
}

/// 4096 probes at d = 128: below and above L on average, by what an independent implementation found.
TEST_P(LanczosTest, GaussLiesAboveAndRadauBelowOnAverage) {
  if (slow()) GTEST_SKIP() << "4096 probes take minutes of emulation";
  const int64_t B = 4096, d = 128;
  const Column s = spectrum("geo", d, 10);
  const Map map = diagonal(s);  // the probes' law knows no direction
  SharedOperator j(*kernels_, B, map);
  const Columns g = columns(B, d);
  const double truth = log_det(map), count = static_cast<double>(B);
  for (const int n : {5, 10}) {
    const Estimate found = estimate(j, g, {.pairs = n, .radau_node = 0.999 * 0.01});
    const auto mean_and_error = [&](const std::vector<double>& x) {
      double mean = 0, square = 0;
      for (const double value : x) mean += (value - truth) / count;
      for (const double value : x) square += std::pow(value - truth - mean, 2) / count;
      return std::pair{mean, std::sqrt(square / count)};
    };
    const auto [above, above_error] = mean_and_error(found.gauss);
    const auto [below, below_error] = mean_and_error(found.radau);
    EXPECT_GE(above, -3 * above_error) << n;
    EXPECT_LE(below, 3 * below_error) << n;
    EXPECT_GT(above, below) << n;
    if (n == 5) {
      EXPECT_NEAR(above, 2.62, 3 * (above_error + 0.16));
      EXPECT_NEAR(below, -2.44, 3 * (below_error + 0.17));
    }
  }
}

TEST_P(LanczosTest, FullDimensionAndEqualComponentsGiveTheLogDeterminant) {
  const int64_t d = 10, D = 14;
  const Map j = map_with(spectrum("lin", d, 5), D);
  const Map vectors = reference::symmetric_eigen(gram(j)).vectors;
  Column start(static_cast<size_t>(d), 0.0);
  for (int64_t i = 0; i < d; ++i) start = combine(1.0, start, 1.0, vectors.column(i));
  const Columns g{reference::rounded_to_float(start)};
  for (const int n : {10, 11, 20}) {
    const Estimate found = estimate({j}, g, {.pairs = n});
    EXPECT_NEAR(found.gauss[0], log_det(j), 1e-5 * static_cast<double>(d)) << n;
    EXPECT_NEAR(found.radau[0], log_det(j), 1e-5 * static_cast<double>(d)) << n;
    EXPECT_EQ(found.status[0], 0) << n;
  }
}

TEST_P(LanczosTest, GaussIsExactForPolynomialsOfDegreeTwiceTheNodesLessOne) {
  const int64_t d = 16;
  const Column s = spectrum("geo", d, 10);
  const Columns g = columns(1, d);
  const auto exact = [&](double power) {
    double sum = 0;
    for (size_t i = 0; i < s.size(); ++i) sum += g[0][i] * g[0][i] * std::pow(s[i] * s[i], power);
    return sum / dot(g[0], g[0]);
  };
  for (const int n : {1, 2, 4}) {
    const Matrix<double> t = reference::tridiagonal(estimate({diagonal(s)}, g, {.pairs = n}).tridiagonal(0));
    const auto rule = [&](double power) {
      return reference::quadrature(t, [&](double x) { return std::pow(x, power); });
    };
    for (int k = 0; k <= 2 * n - 1; ++k) EXPECT_NEAR(rule(k) / exact(k), 1.0, 1e-5) << n << " " << k;
    EXPECT_LT(rule(2 * n), exact(2 * n) * (1 - 1e-4)) << "one degree more is too much, " << n;
    EXPECT_LT(rule(-1), exact(-1)) << "1/x has positive even derivatives: a lower bound, " << n;
  }
}

TEST_P(LanczosTest, AnExhaustedSpaceIsExact) {
  const int64_t d = 12;
  for (const int distinct : {1, 2, 3}) {
    Column s;
    for (int64_t i = 0; i < d; ++i) s.push_back(1.0 + static_cast<double>(i % distinct));
    const Map j = map_with(s, 15);
    const Columns g = columns(1, d);
    const Estimate all = estimate({j}, g, {.pairs = distinct}), more = estimate({j}, g, {.pairs = 8});
    EXPECT_EQ(more.status[0], 0) << distinct;
    for (int i = distinct - 1; i < 8; ++i)
      EXPECT_EQ(more.beta[static_cast<size_t>(i)], 0.0) << distinct << " " << i;
    EXPECT_NEAR(more.gauss[0], all.gauss[0], 1e-6) << distinct;
    EXPECT_NEAR(more.radau[0], more.gauss[0], 1e-12) << distinct << ": nothing to border";
    EXPECT_TRUE(close(more.u, std::vector<double>(all.u.begin(), all.u.end()))) << distinct;
    double exact = 0;  // q^T log(A) q
    const reference::Svd svd = reference::svd(j);
    for (int64_t i = 0; i < d; ++i) {
      exact += static_cast<double>(d) * std::pow(dot(g[0], svd.v.column(i)), 2) / dot(g[0], g[0]) *
               std::log(svd.values[static_cast<size_t>(i)]);
    }
    EXPECT_NEAR(more.gauss[0], exact, 1e-5 * static_cast<double>(d)) << distinct;
  }
}

TEST_P(LanczosTest, StaysOrthogonalOnATrainedSpectrum) {
  // A few outliers over a wide bulk: without re-orthogonalisation float32 loses nats within ten steps.
  const int64_t d = slow() ? 24 : 96, D = slow() ? 30 : 110;
  Column s = reference::scale(4.0, spectrum("geo", d - 4, 16));
  for (const double outlier : {20.0, 28.0, 39.0, 50.0}) s.push_back(outlier);
  const Map j = map_with(s, D);
  const Columns g = columns(1, d);
  for (const int n : {10, 20, max_lanczos_pairs}) {
    if (n > d - 4) continue;
    const Estimate found = estimate({j}, g, {.pairs = n});
    const reference::Slq expected = reference::slq(j, g[0], n, 0.1);
    EXPECT_NEAR(found.theta1[0] / expected.theta1, 1.0, 1e-3) << n;
    EXPECT_NEAR(found.gauss[0], expected.gauss, 1e-3 * static_cast<double>(d)) << n;
    EXPECT_NEAR(found.radau[0], expected.radau, 1e-3 * static_cast<double>(d)) << n;
  }
}

TEST_P(LanczosTest, AtFullDimensionTheGradientIsThatOfTheLogDeterminantOnAverage) {
  // For one probe u = J A^-1 v; over probes E[u v^T] = J A^-1.
  const int64_t B = slow() ? 256 : 4096, d = 8, D = 11;
  const Map map = map_with(spectrum("geo", d, 5), D);
  SharedOperator j(*kernels_, B, map);
  const Estimate found = estimate(j, columns(B, d), {.pairs = static_cast<int>(d)});
  Matrix<double> expected(D, d), mean(D, d);
  for (int64_t k = 0; k < d; ++k)
    expected.set_column(k, multiply(map, reference::solve_spd(gram(map), reference::identity(d).column(k))));
  const Tolerance of_solve{.factor = 20, .reason = "d steps, and a solve with condition 25"};
  for (int64_t b = 0; b < B; ++b) {
    const Column u = part_of(found.u, b, B), v = part_of(found.v, b, B);
    if (b < 3) {
      EXPECT_TRUE(close(part(found.u, b, B), multiply(expected, v), of_solve)) << b;
    }
    for (int64_t i = 0; i < D; ++i) {
      for (int64_t k = 0; k < d; ++k)
        mean(i, k) += u[static_cast<size_t>(i)] * v[static_cast<size_t>(k)] / static_cast<double>(B);
    }
  }
  const Column difference = combine(1.0, mean.values, -1.0, expected.values);
  EXPECT_LE(norm(difference) / norm(expected.values),
            3 * std::sqrt(static_cast<double>(d) / static_cast<double>(B)));
}

TEST_P(LanczosTest, PerfectWhiteningIsExactAtOnePair) {
  const int64_t B = 3, D = 13, d = 9;
  const Map j = map_with(spectrum("geo", d, 5), D);
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, gram(j));
  const Estimate found =
      estimate(std::vector<Map>(3, j), columns(B, d), {.pairs = 1, .preconditioner = &preconditioner});
  for (int64_t b = 0; b < B; ++b) {  // but for the ridge of 1e-6 on M
    EXPECT_NEAR(found.gauss[b], log_det(j), 1e-5 * static_cast<double>(d)) << b;
    EXPECT_NEAR(found.theta1[b], 1.0, 1e-4) << b;
  }
}

TEST_P(LanczosTest, PassesAllocationsAndRecording) {
  const int64_t B = 3, D = 10, d = 7;
  DenseOperator j = dense(maps(B, D, d));
  Tensor g = on_device(columns(B, d));
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, gram(map(2 * d, d)));
  for (const Preconditioner* whitening :
       {static_cast<const Preconditioner*>(nullptr), static_cast<const Preconditioner*>(&preconditioner)}) {
    const LanczosOptions options{.pairs = 4, .preconditioner = whitening};
    Lanczos solver(*kernels_, B, d, D, options);
    const int64_t allocations = kernels_->allocations();
    j.reset_counts();
    solver.run(j, g);
    EXPECT_EQ(j.applications(), 4);
    EXPECT_EQ(j.adjoint_applications(), 4);
    const std::unique_ptr<Graph> graph = kernels_->capture([&] { solver.run(j, g); });
    EXPECT_EQ(kernels_->allocations(), allocations);
    g.upload(concatenated(columns(B, d)));
    graph->launch();
    Lanczos another(*kernels_, B, d, D, options);
    another.run(j, g);
    EXPECT_EQ(on_host(solver.result().gauss), on_host(another.result().gauss));
    EXPECT_EQ(on_host(solver.result().radau), on_host(another.result().radau));
    EXPECT_TRUE(same_bits(on_host(solver.result().u), on_host(another.result().u)));
  }
}

TEST_P(LanczosTest, ScalesAndBatchesDoNotMatter) {
  const int64_t B = slow() ? 6 : 64, D = 12, d = 7;
  const std::vector<Map> j = maps(B, D, d);
  const Columns g = columns(B, d);
  const LanczosOptions options{.pairs = 3};
  const Estimate all = estimate(j, g, options);
  for (const int64_t b : {int64_t{0}, B - 1}) {
    const Estimate alone = estimate({j[b]}, {g[b]}, options);
    EXPECT_EQ(alone.gauss[0], all.gauss[b]);
    EXPECT_EQ(alone.radau[0], all.radau[b]);
    EXPECT_TRUE(same_bits(alone.u, part(all.u, b, B)));
  }
  const auto scaled_by = [&](double c) {
    std::vector<Map> scaled = j;
    for (Map& m : scaled) m.values = reference::rounded_to_float(scale(c, m.values));
    const Estimate found = estimate(scaled, g, options);
    for (int64_t b = 0; b < B; ++b) {
      EXPECT_NEAR(found.gauss[b], all.gauss[b] + static_cast<double>(d) * std::log(c), 1e-4) << c;
      EXPECT_NEAR(found.radau[b], all.radau[b] + static_cast<double>(d) * std::log(c), 1e-4) << c;
      EXPECT_EQ(found.status[b], 0) << c;
    }
    return found;
  };
  for (const double c : {1e-25, 1e18}) scaled_by(c);
  for (const int exponent : {-60, 60}) {
    const double c = std::ldexp(1.0, exponent);
    const Estimate found = scaled_by(c);
    EXPECT_EQ(found.alpha, reference::scale(c * c, all.alpha)) << c;
    EXPECT_EQ(found.beta, reference::scale(c * c, all.beta)) << c;
    EXPECT_TRUE(same_bits(found.v, all.v)) << c;
  }
}

TEST_P(LanczosTest, SingularAndBadSamplesAreFlagged) {
  const int64_t B = slow() ? 8 : 64, D = 9, d = 6;
  const std::vector<Map> good_j = maps(B, D, d);
  const Columns good_g = columns(B, d);
  std::vector<Map> j = good_j;
  Columns g = good_g;
  j[1](4, 4) = std::nan("");
  j[2](0, 0) = std::numeric_limits<double>::infinity();
  j[3] = Map(D, d);
  g[4][0] = std::nan("");
  g[5] = Column(static_cast<size_t>(d), 0.0);
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, gram(map(2 * d, d)));
  for (const Preconditioner* whitening :
       {static_cast<const Preconditioner*>(nullptr), static_cast<const Preconditioner*>(&preconditioner)}) {
    for (const int n : {1, 3, 8}) {
      const LanczosOptions options{.pairs = n, .preconditioner = whitening};
      const Estimate without = estimate(good_j, good_g, options), found = estimate(j, g, options);
      for (int64_t b = 0; b < B; ++b) {
        const bool bad = b == 1 || b == 2 || b == 4 || b == 5;
        EXPECT_EQ(found.status[b] & bad_sample, bad ? bad_sample : 0) << b << " n " << n;
        EXPECT_EQ(found.status[b] & floor_hit, b == 3 ? floor_hit : 0) << b << " n " << n;
        EXPECT_TRUE(std::isfinite(found.gauss[b]) && std::isfinite(found.radau[b]) &&
                    std::isfinite(found.theta1[b]))
            << b;
        const Column u = part_of(found.u, b, B), v = part_of(found.v, b, B);
        if (bad || b == 3) {
          EXPECT_EQ(norm(u) + norm(v), 0) << b << ": no gradient";
        } else {
          EXPECT_EQ(found.gauss[b], without.gauss[b]) << b;
          EXPECT_EQ(found.radau[b], without.radau[b]) << b;
          EXPECT_TRUE(same_bits(part(found.u, b, B), part(without.u, b, B))) << b;
        }
      }
    }
  }
}

TEST_P(LanczosTest, WhatContradictsItselfIsRefused) {
  const auto make = [&](const LanczosOptions& options) {
    return error_of([&] { Lanczos(*kernels_, 2, 5, 6, options); });
  };
  EXPECT_EQ(make({.pairs = 0}), "Lanczos with 0 pairs: give 1 to 32");
  EXPECT_EQ(make({.pairs = 33}), "Lanczos with 33 pairs: give 1 to 32");
  EXPECT_EQ(make({.pairs = 32}), "no Error");
  for (const double factor : {0.0, 1.0, -0.1, std::nan("")})
    EXPECT_NE(make({.radau_factor = factor}), "no Error");
  for (const double node : {-1.0, std::nan("")}) EXPECT_NE(make({.radau_node = node}), "no Error");
  DenseOperator j = dense(maps(2, 6, 5)), other = dense(maps(2, 7, 5));
  Lanczos solver(*kernels_, 2, 5, 6);
  const Tensor good = on_device(columns(2, 5)), few = on_device(columns(1, 5)),
               wide = on_device(columns(2, 6));
  const std::string wrong = error_of([&] { solver.run(j, few); });
  EXPECT_NE(wrong.find("2 maps R^5 -> R^6 got probes of 1 rows"), std::string::npos) << wrong;
  EXPECT_NE(error_of([&] { solver.run(j, wide); }), "no Error");
  EXPECT_NE(error_of([&] { solver.run(other, good); }), "no Error");
  EXPECT_EQ(error_of([&] { solver.run(j, good); }), "no Error");
}

INSTANTIATE_TEST_SUITE_P(Devices, LanczosTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
