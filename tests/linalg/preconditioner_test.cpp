// SPDX-License-Identifier: MIT
// The running mean of J^T J against the oracle's recurrence and factors; when it is in use; what it leaves
// out.
#include "linalg/preconditioner.h"

#include "linalg/linalg_fixture.h"

namespace ebm::test {
namespace {

using reference::multiply, reference::transpose, reference::scale, reference::norm;

class PreconditionerTest : public LinalgTest {
 protected:
  bool active(const Preconditioner& p) {
    int32_t value = 0;
    kernels_->download(&value, p.active(), sizeof value);
    return value != 0;
  }
  double log_det_root(const Preconditioner& p) {
    double value = 0;
    kernels_->download(&value, p.log_det_root(), sizeof value);
    return value;
  }
  enum class By { inverse, root, root_transposed };
  Columns applied(const Preconditioner& p, By by, const Columns& x) {
    const Tensor in = on_device(x), out(*kernels_, in.rows(), in.features());
    if (by == By::inverse) p.precondition(in, out);
    if (by == By::root) p.apply_root_inverse(in, out);
    if (by == By::root_transposed) p.apply_root_inverse_transposed(in, out);
    Columns result;
    for (int64_t row = 0; row < in.rows(); ++row) result.push_back(part_of(out.download(), row, in.rows()));
    return result;
  }
  void expect_identity(const Preconditioner& p, int64_t d) {
    EXPECT_FALSE(active(p));
    EXPECT_EQ(log_det_root(p), 0.0);
    const Columns x = columns(2, d);
    for (const By by : {By::inverse, By::root, By::root_transposed}) EXPECT_EQ(applied(p, by, x), x);
  }
  /// The running mean that the documentation describes, in the oracle's arithmetic.
  struct Mean {
    Map sum;
    double weight = 0, squares = 0;
    void add(const Columns& h, double beta) {
      const double count = static_cast<double>(h.size());
      if (h.empty()) return;
      for (double& x : sum.values) x *= beta;
      for (const Column& row : h) {
        for (int64_t i = 0; i < sum.rows; ++i) {
          for (int64_t k = 0; k < sum.rows; ++k)
            sum(i, k) += (1 - beta) / count * row[static_cast<size_t>(i)] * row[static_cast<size_t>(k)];
        }
      }
      weight = beta * weight + 1 - beta;
      squares = beta * beta * squares + (1 - beta) * (1 - beta) / count;
    }
    double rows() const { return weight * weight / squares; }
    Map m() const {
      Map result = sum;
      result.values = scale(1 / weight, result.values);
      return result;
    }
  };
};

TEST_P(PreconditionerTest, FactorsAreTheOracles) {
  for (const int64_t d : {1, 2, 7, 33}) {
    if (slow() && d > 7) continue;
    Preconditioner p(*kernels_, 3, d);
    const Map mean = gram(map(2 * d, d));
    set(p, mean);
    EXPECT_TRUE(active(p));
    const Map m = ridged(mean), c = reference::cholesky(m);
    double log_det = 0, trace = 0;
    for (int64_t i = 0; i < d; ++i) {
      log_det += std::log(c(i, i));
      trace += mean(i, i);
    }
    EXPECT_TRUE(close(log_det_root(p) + 1, log_det + 1, {.factor = 10, .reason = "d logarithms"})) << d;
    const Columns x = columns(5, d);  // any number of rows
    const Columns t = applied(p, By::inverse, x), l = applied(p, By::root, x),
                  lt = applied(p, By::root_transposed, x);
    for (size_t i = 0; i < x.size(); ++i) {
      const Column expected = scale(trace / static_cast<double>(d), reference::solve_spd(m, x[i]));
      EXPECT_TRUE(close(reference::to_float(t[i]), expected, {.factor = 10, .reason = "cond of M"})) << d;
      EXPECT_TRUE(close(reference::to_float(l[i]), reference::solve_lower(c, x[i]))) << d;
      EXPECT_TRUE(close(reference::to_float(lt[i]), reference::solve_lower_transposed(c, x[i]))) << d;
    }
  }
}

TEST_P(PreconditionerTest, TheRunningMeanIsTheOracles) {
  const int64_t B = 5, D = 9, d = 4;
  const double beta = 0.8;
  const std::vector<Map> j = maps(B, D, d);
  DenseOperator op = dense(j);
  Preconditioner p(*kernels_, B, d, beta);
  Mean mean{.sum = Map(d, d)};
  for (int step = 0; step < 6; ++step) {
    const Columns e = columns(B, D);
    const Tensor noise = on_device(e);
    p.update(op, noise);
    Columns h;
    for (int64_t b = 0; b < B; ++b) h.push_back(multiply(transpose(j[b]), e[b]));
    mean.add(h, beta);
    const std::vector<double> state = p.state().download();
    EXPECT_TRUE(close(reference::to_float({state.begin(), state.begin() + d * d}), mean.sum.values)) << step;
    EXPECT_TRUE(close(state[static_cast<size_t>(d * d)], mean.weight)) << step;
    EXPECT_TRUE(close(state[static_cast<size_t>(d * d + 1)], mean.squares)) << step;
  }
  EXPECT_EQ(op.adjoint_applications(), 6) << "one VJP a step";
  EXPECT_EQ(op.applications(), 0);
}

TEST_P(PreconditionerTest, InUseFromFourRowsADimension) {
  const int64_t B = 3, d = 5;
  Preconditioner p(*kernels_, B, d, 0.9);
  expect_identity(p, d);
  Mean mean{.sum = Map(d, d)};
  bool was_active = false;
  for (int step = 0; step < 12; ++step) {
    const Columns h = columns(B, d);
    p.update(on_device(h));
    mean.add(h, 0.9);
    EXPECT_EQ(active(p), was_active) << "the old M until factor(), step " << step;
    p.factor();
    was_active = mean.rows() >= 4 * static_cast<double>(d);
    EXPECT_EQ(active(p), was_active) << mean.rows() << " rows, step " << step;
    if (!was_active) expect_identity(p, d);
  }
  EXPECT_TRUE(was_active);
  // In the long run B (1 + beta) / (1 - beta) rows: too few if the batch is small for the dimension.
  Preconditioner never(*kernels_, 1, d, 0.5);
  for (int step = 0; step < 30; ++step) never.update(on_device(columns(1, d)));
  never.factor();
  expect_identity(never, d);
}

TEST_P(PreconditionerTest, InTheLongRunItIsTheMeanOfJTJ) {
  const int64_t B = slow() ? 16 : 64, D = 12, d = 6;
  const double beta = 0.98;
  const int steps = slow() ? 60 : 250;
  const std::vector<Map> j = maps(B, D, d);
  DenseOperator op = dense(j);
  Preconditioner p(*kernels_, B, d, beta);
  for (int step = 0; step < steps; ++step) p.update(op, on_device(columns(B, D)));
  Map expected(d, d);
  for (const Map& m : j) {
    for (size_t i = 0; i < expected.values.size(); ++i)
      expected.values[i] += gram(m).values[i] / static_cast<double>(B);
  }
  const std::vector<double> state = p.state().download();
  const double weight = state[static_cast<size_t>(d * d)], rows = weight * weight / state.back();
  if (!slow()) {
    EXPECT_NEAR(rows / (static_cast<double>(B) * (1 + beta) / (1 - beta)), 1.0, 0.02);
  }
  Column difference;
  for (size_t i = 0; i < expected.values.size(); ++i)
    difference.push_back(state[i] / weight - expected.values[i]);
  // e is normal but for the gap |e| < 0.01 of this noise source, whose variance is 1 to 1e-6.
  EXPECT_LE(norm(difference) / norm(expected.values), 3 * std::sqrt(static_cast<double>(d) / rows));
}

TEST_P(PreconditionerTest, RowsThatAreNotFiniteAreLeftOut) {
  const int64_t B = 4, d = 3;
  Preconditioner p(*kernels_, B, d, 0.5), without(*kernels_, B - 2, d, 0.5);
  Columns h = columns(B, d);
  h[1][0] = std::nan("");
  h[2][2] = -std::numeric_limits<double>::infinity();
  for (int step = 0; step < 2; ++step) {
    p.update(on_device(h));
    without.update(on_device({h[0], h[3]}));
  }
  const std::vector<double> expected = without.state().download();
  EXPECT_TRUE(close(p.state().download(), expected));
  // A step without a usable row is no step.
  p.update(on_device(Columns(4, Column(3, std::nan("")))));
  EXPECT_TRUE(close(p.state().download(), expected));
}

TEST_P(PreconditionerTest, AnUnusableMeanIsTheIdentity) {
  const int64_t d = 3;
  Preconditioner p(*kernels_, 2, d);
  const Map good = gram(map(6, d));
  for (const double poison : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Map bad = good;
    bad(1, 2) = poison;
    set(p, bad);
    expect_identity(p, d);
  }
  set(p, Map(d, d));  // J was 0 all along
  expect_identity(p, d);
  Map indefinite = reference::identity(d);
  indefinite(1, 1) = -0.5;
  set(p, indefinite);
  expect_identity(p, d);
  set(p, good);
  EXPECT_TRUE(active(p));
}

TEST_P(PreconditionerTest, AScaleOfJChangesNothing) {
  const int64_t d = 6;
  const Map mean = gram(map(12, d));
  Preconditioner p(*kernels_, 2, d), scaled(*kernels_, 2, d);
  set(p, mean);
  const Columns x = columns(3, d);
  for (const double c : {1e-25, 1e18}) {
    Map m = mean;
    m.values = scale(c * c, m.values);
    set(scaled, m);
    const Columns t = applied(scaled, By::inverse, x), root = applied(scaled, By::root, x);
    for (size_t i = 0; i < x.size(); ++i) {
      EXPECT_TRUE(close(reference::to_float(t[i]), applied(p, By::inverse, x)[i])) << c;
      EXPECT_TRUE(close(reference::to_float(root[i]), scale(1 / c, applied(p, By::root, x)[i]))) << c;
    }
    EXPECT_NEAR(log_det_root(scaled), log_det_root(p) + static_cast<double>(d) * std::log(c), 1e-9) << c;
  }
}

TEST_P(PreconditionerTest, ACheckpointIsItsState) {
  const int64_t B = 4, d = 3;
  Preconditioner p(*kernels_, B, d), restored(*kernels_, B, d);
  for (int step = 0; step < 5; ++step) p.update(on_device(columns(B, d)));
  p.factor();
  restored.state().upload(p.state().download());
  restored.factor();
  EXPECT_TRUE(active(restored));
  const Columns x = columns(2, d), more = columns(B, d);
  EXPECT_EQ(applied(restored, By::inverse, x), applied(p, By::inverse, x));
  p.update(on_device(more));
  restored.update(on_device(more));
  EXPECT_EQ(restored.state().download(), p.state().download());
}

TEST_P(PreconditionerTest, WhatMakesNoSenseIsRefused) {
  for (const double beta : {-0.1, 1.0, std::nan("")}) {
    const std::string refused = error_of([&] { Preconditioner(*kernels_, 2, 3, beta); });
    EXPECT_NE(refused.find("not in [0, 1)"), std::string::npos) << refused;
  }
  Preconditioner p(*kernels_, 2, 3);
  const Tensor x(*kernels_, 2, flat(3)), y(*kernels_, 2, flat(3)), few(*kernels_, 1, flat(3)),
      wide(*kernels_, 2, flat(4));
  EXPECT_NE(error_of([&] { p.update(few); }), "no Error");
  EXPECT_NE(error_of([&] { p.update(wide); }), "no Error");
  EXPECT_NE(error_of([&] { p.precondition(x, x); }), "no Error");
  EXPECT_NE(error_of([&] { p.precondition(x, few); }), "no Error");
  EXPECT_NE(error_of([&] { p.apply_root_inverse(wide, y); }), "no Error");
  EXPECT_EQ(error_of([&] { p.precondition(x, y); }), "no Error");
}

INSTANTIATE_TEST_SUITE_P(Devices, PreconditionerTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
