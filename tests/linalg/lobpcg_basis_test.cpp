// SPDX-License-Identifier: MIT
// The basis {v, w, p} of LOBPCG: the formulas of one step alone, masked columns included, and long runs of
// them with random search directions, which must leave it orthonormal and its image equal to J times it.
#include <optional>

#include "linalg/linalg_fixture.h"
#include "reference/lobpcg.h"

namespace ebm::test {
namespace {

using reference::dot, reference::multiply, reference::norm, reference::combine, reference::combination,
    reference::scale;

/// The arrays of one batch of J, as class Lobpcg holds them.
class LobpcgBasisTest : public LinalgTest {
 protected:
  void prepare(const std::vector<Map>& maps) {
    maps_ = maps;
    batch_ = std::ssize(maps);
    range_ = maps.front().rows;
    d_ = maps.front().cols;
    j_.emplace(dense(maps));
    for (Tensor* x : {&v_, &w_, &p_}) *x = Tensor(*kernels_, batch_, flat(d_));
    for (Tensor* x : {&u_, &jw_, &jp_}) *x = Tensor(*kernels_, batch_, flat(range_));
    trace_ = Buffer<double>(*kernels_, batch_);
    for (Buffer<int32_t>* x : {&has_w_, &has_p_, &status_}) *x = Buffer<int32_t>(*kernels_, batch_);
  }
  void upload(Tensor& to, const Columns& x) { to.upload(concatenated(x)); }
  void make_orthonormal() {
    kernels_->run(LobpcgOrthonormalize{.rows = batch_,
                                       .d = d_,
                                       .v = v_.data(),
                                       .p = p_.data(),
                                       .theta = nullptr,
                                       .w = w_.data(),
                                       .has_w = has_w_.data(),
                                       .status = status_.data(),
                                       .authors = nullptr});
  }
  void rayleigh_ritz() {
    kernels_->run(LobpcgRayleighRitz{.rows = batch_,
                                     .d = d_,
                                     .range = range_,
                                     .v = v_.data(),
                                     .p = p_.data(),
                                     .w = w_.data(),
                                     .u = u_.data(),
                                     .u_next = u_.data(),
                                     .jp = jp_.data(),
                                     .jw = jw_.data(),
                                     .uh = nullptr,
                                     .theta = nullptr,
                                     .trace = trace_.data(),
                                     .has_w = has_w_.data(),
                                     .has_p = has_p_.data(),
                                     .status = status_.data(),
                                     .authors = nullptr});
  }
  Column of(const Tensor& x, int64_t b) { return part_of(x.download(), b, batch_); }

  std::vector<Map> maps_;
  int64_t batch_ = 0, range_ = 0, d_ = 0;
  std::optional<DenseOperator> j_;
  Tensor v_, w_, p_, u_, jw_, jp_;
  Buffer<double> trace_;
  Buffer<int32_t> has_w_, has_p_, status_;
};

TEST_P(LobpcgBasisTest, OrthonormalizeSplitsOffVAndP) {
  for (const int64_t d : {3, 17, 129}) {
    prepare(maps(4, 2, d));
    // sample 0: any w; 1: nearly v; 2: 0; 3: NaN
    Columns v, p, w = columns(4, d);
    for (int64_t b = 0; b < 4; ++b) {
      const Map q = reference::rounded_to_float(reference::random_orthonormal(d, 2, random_));
      v.push_back(q.column(0));
      p.push_back(q.column(1));
    }
    const Column expected = reference::orthonormalise(w[0], {v[0], p[0]});
    w[1] = reference::rounded_to_float(combine(1.0, v[1], 1e-4, w[1]));
    const Column nearly = reference::orthonormalise(w[1], {v[1], p[1]});
    w[2].assign(w[2].size(), 0.0);
    w[3].back() = std::nan("");
    upload(v_, v);
    upload(p_, p);
    upload(w_, w);
    make_orthonormal();
    EXPECT_EQ(has_w_.download(), (std::vector<int32_t>{1, 1, 0, 0})) << d;
    EXPECT_EQ(status_.download(), (std::vector<int32_t>{0, 0, w_masked, w_masked})) << d;
    EXPECT_TRUE(close(reference::to_float(of(w_, 0)), expected)) << d;
    EXPECT_TRUE(close(reference::to_float(of(w_, 1)), nearly,
                      {.factor = 1e4, .reason = "the rest of w is 1e-4 of it"}))
        << d;
    EXPECT_EQ(of(w_, 2), Column(static_cast<size_t>(d), 0.0)) << d;
    EXPECT_EQ(of(w_, 3), Column(static_cast<size_t>(d), 0.0)) << d;
    for (const int64_t b : {0, 1}) {
      EXPECT_LE(std::abs(dot(of(w_, b), v[b])), 1e-7) << d;
      EXPECT_LE(std::abs(dot(of(w_, b), p[b])), 1e-7) << d;
      EXPECT_LE(std::abs(norm(of(w_, b)) - 1), 1e-6) << d;
    }
  }
}

TEST_P(LobpcgBasisTest, NothingIsLeftOfWWhereTheDimensionIsUsedUp) {
  for (const int64_t d : {1, 2}) {
    prepare(maps(3, 4, d));
    Columns v, p;
    for (int64_t b = 0; b < 3; ++b) {
      const Map q = reference::rounded_to_float(reference::random_orthonormal(d, d, random_));
      v.push_back(q.column(0));
      p.push_back(d > 1 ? q.column(1) : Column{0.0});
    }
    upload(v_, v);
    upload(p_, p);
    upload(w_, columns(3, d));
    make_orthonormal();
    EXPECT_EQ(has_w_.download(), (std::vector<int32_t>(3, 0))) << d;
    EXPECT_EQ(w_.download(), std::vector<float>(static_cast<size_t>(3 * d))) << d;
  }
}

/// One Rayleigh-Ritz step; three samples of four lack w, p or both.
TEST_P(LobpcgBasisTest, RayleighRitzIsTheOraclesOnTheColumnsThatThereAre) {
  const int64_t D = 9, d = 6, B = slow() ? 12 : 40;
  prepare(maps(B, D, d));
  Columns v, w, p, u, jw, jp;
  std::vector<int32_t> has_w, has_p, has_next_p;
  for (int64_t b = 0; b < B; ++b) {
    has_w.push_back(b % 4 < 2);
    has_p.push_back(b % 2 == 0);
    has_next_p.push_back(b % 4 != 3);
    const Map q = reference::rounded_to_float(reference::random_orthonormal(d, 3, random_));
    const Column zero(static_cast<size_t>(d), 0.0);
    v.push_back(q.column(0));
    w.push_back(has_w[b] != 0 ? q.column(1) : zero);
    p.push_back(has_p[b] != 0 ? q.column(2) : zero);
    u.push_back(multiply(maps_[b], v[b]));
    jw.push_back(multiply(maps_[b], w[b]));
    jp.push_back(multiply(maps_[b], p[b]));
  }
  for (const auto& [tensor, x] :
       {std::pair{&v_, &v}, {&w_, &w}, {&p_, &p}, {&u_, &u}, {&jw_, &jw}, {&jp_, &jp}})
    upload(*tensor, *x);
  has_w_.upload(has_w);
  has_p_.upload(has_p);
  rayleigh_ritz();
  EXPECT_EQ(status_.download(), std::vector<int32_t>(static_cast<size_t>(B)));
  EXPECT_EQ(has_p_.download(), has_next_p);
  const Tolerance rounded{.factor = 4,
                          .reason = "the basis is rounded, and c turns where Ritz values are close"};
  for (int64_t b = 0; b < B; ++b) {
    reference::Basis basis{v[b]};
    if (has_w[b] != 0) basis.push_back(w[b]);
    if (has_p[b] != 0) basis.push_back(p[b]);
    double trace = 0;
    for (const Column& x : basis) trace += dot(multiply(maps_[b], x), multiply(maps_[b], x));
    Column c = reference::ritz_coefficients(maps_[b], basis);
    if (c.front() < 0) c = scale(-1.0, c);
    const Column expected = combination(basis, c);
    EXPECT_TRUE(close(reference::to_float(of(v_, b)), expected, rounded)) << b;
    EXPECT_TRUE(close(reference::to_float(of(u_, b)), multiply(maps_[b], expected), rounded)) << b;
    EXPECT_TRUE(close(static_cast<float>(trace_.download()[b]), trace)) << b;
    // LOBPCG's p = c1 w + c2 p, made orthonormal to v'
    if (has_next_p[b] != 0) {
      const Column step = reference::orthonormalise(combination(basis, c, 1), {expected});
      EXPECT_TRUE(close(reference::to_float(of(p_, b)), step, rounded)) << b;
      EXPECT_TRUE(close(reference::to_float(of(jp_, b)), multiply(maps_[b], step), rounded)) << b;
    } else {
      EXPECT_EQ(of(p_, b), Column(static_cast<size_t>(d), 0.0));
      EXPECT_EQ(of(jp_, b), Column(static_cast<size_t>(D), 0.0));
    }
  }
}

TEST_P(LobpcgBasisTest, ABasisThatHasDriftedIsMendedWithItsImage) {
  const int64_t B = 3, D = 9, d = 6;
  prepare(maps(B, D, d));
  Columns v, w, p, u, jw, jp;
  for (int64_t b = 0; b < B; ++b) {
    const Map q = reference::random_orthonormal(d, 3, random_);
    v.push_back(reference::rounded_to_float(scale(1.001, q.column(0))));
    w.push_back(reference::rounded_to_float(q.column(1)));
    p.push_back(reference::rounded_to_float(combine(0.999, q.column(2), 1e-3, q.column(0))));
    u.push_back(multiply(maps_[b], v[b]));
    jw.push_back(multiply(maps_[b], w[b]));
    jp.push_back(multiply(maps_[b], p[b]));
  }
  for (const auto& [tensor, x] :
       {std::pair{&v_, &v}, {&w_, &w}, {&p_, &p}, {&u_, &u}, {&jw_, &jw}, {&jp_, &jp}})
    upload(*tensor, *x);
  has_w_.upload(std::vector<int32_t>(3, 1));
  has_p_.upload(std::vector<int32_t>(3, 1));
  rayleigh_ritz();
  for (int64_t b = 0; b < B; ++b) {
    EXPECT_LE(std::abs(norm(of(v_, b)) - 1), 1e-6) << b;
    EXPECT_LE(std::abs(norm(of(p_, b)) - 1), 1e-6) << b;
    EXPECT_LE(std::abs(dot(of(v_, b), of(p_, b))), 1e-6) << b;
    EXPECT_TRUE(close(reference::to_float(of(u_, b)), multiply(maps_[b], of(v_, b)))) << b;
    EXPECT_TRUE(close(reference::to_float(of(jp_, b)), multiply(maps_[b], of(p_, b)))) << b;
  }
}

TEST_P(LobpcgBasisTest, WhereNothingIsGainedVStaysAndPIsMasked) {
  // v, w, p are singular vectors, v that of the smallest value.
  Map diagonal(4, 4);
  for (int64_t i = 0; i < 4; ++i) diagonal(i, i) = static_cast<double>(i + 1);
  prepare({diagonal});
  upload(v_, {{1, 0, 0, 0}});
  upload(w_, {{0, 1, 0, 0}});
  upload(p_, {{0, 0, 1, 0}});
  upload(u_, {{1, 0, 0, 0}});
  upload(jw_, {{0, 2, 0, 0}});
  upload(jp_, {{0, 0, 3, 0}});
  has_w_.upload(std::vector<int32_t>{1});
  has_p_.upload(std::vector<int32_t>{1});
  rayleigh_ritz();
  EXPECT_EQ(of(v_, 0), (Column{1, 0, 0, 0}));
  EXPECT_EQ(of(u_, 0), (Column{1, 0, 0, 0}));
  EXPECT_EQ(of(p_, 0), (Column{0, 0, 0, 0}));
  EXPECT_EQ(of(jp_, 0), (Column{0, 0, 0, 0}));
  EXPECT_EQ(has_p_.download()[0], 0);
  EXPECT_EQ(trace_.download()[0], 14.0);
}

TEST_P(LobpcgBasisTest, ANumberThatIsNotFiniteKeepsVAndFlagsItsSampleAlone) {
  const int64_t B = 5, D = 7, d = 6;
  prepare(maps(B, D, d));
  const Columns v = columns(B, d), w = columns(B, d), p = columns(B, d), u = columns(B, D),
                jw = columns(B, D), jp = columns(B, D);
  const auto run = [&](const Columns& bad_u, const Columns& bad_jw, const Columns& bad_jp) {
    for (const auto& [tensor, x] : {std::pair{&v_, &v}, {&w_, &w}, {&p_, &p}}) upload(*tensor, *x);
    upload(u_, bad_u);
    upload(jw_, bad_jw);
    upload(jp_, bad_jp);
    has_w_.upload(std::vector<int32_t>(static_cast<size_t>(B), 1));
    has_p_.upload(std::vector<int32_t>(static_cast<size_t>(B), 1));
    status_.upload(std::vector<int32_t>(static_cast<size_t>(B), 0));
    trace_.upload(std::vector<double>(static_cast<size_t>(B), 0.5));
    rayleigh_ritz();
  };
  run(u, jw, jp);
  const std::vector<float> good_v = v_.download(), good_u = u_.download(), good_p = p_.download();

  Columns bad_jw = jw, bad_jp = jp, bad_u = u;
  bad_jw[1][3] = std::nan("");
  bad_jp[2][0] = std::numeric_limits<double>::infinity();
  bad_u[3][6] = -std::numeric_limits<double>::infinity();
  run(bad_u, bad_jw, bad_jp);
  EXPECT_EQ(status_.download(), (std::vector<int32_t>{0, bad_sample, bad_sample, bad_sample, 0}));
  EXPECT_EQ(has_p_.download(), (std::vector<int32_t>{1, 0, 0, 0, 1}));
  for (int64_t b = 0; b < B; ++b) {
    const bool good = b == 0 || b == 4;
    if (good) {
      EXPECT_TRUE(same_bits(part(v_.download(), b, B), part(good_v, b, B)));
      EXPECT_TRUE(same_bits(part(u_.download(), b, B), part(good_u, b, B)));
      EXPECT_TRUE(same_bits(part(p_.download(), b, B), part(good_p, b, B)));
    } else {
      EXPECT_TRUE(close(part(v_.download(), b, B), scale(1 / norm(v[b]), v[b])));
      EXPECT_EQ(of(p_, b), Column(static_cast<size_t>(d), 0.0));
      EXPECT_EQ(trace_.download()[b], 0.5);
    }
  }
}

TEST_P(LobpcgBasisTest, StaysOrthonormalAndItsImageStaysJTimesIt) {
  const int64_t B = 2, d = slow() ? 12 : 40, D = slow() ? 19 : 65;
  const int steps = slow() ? 20 : 300;
  std::vector<Map> j;
  for (int64_t b = 0; b < B; ++b) j.push_back(map_with(reference::spectrum("geo", d, 1000), D));
  prepare(j);
  Columns v;
  for (int64_t b = 0; b < B; ++b) v.push_back(reference::random_orthonormal(d, 1, random_).column(0));
  upload(v_, v);
  j_->apply(v_, u_);
  std::vector<double> theta(static_cast<size_t>(B), 1.0);
  for (int step = 0; step < steps; ++step) {
    upload(w_, columns(B, d));
    make_orthonormal();
    j_->apply(w_, jw_);
    for (int64_t b = 0; b < B; ++b) {
      EXPECT_LE(std::abs(dot(of(v_, b), of(w_, b))), 1e-6) << step;
      EXPECT_LE(std::abs(dot(of(p_, b), of(w_, b))), 1e-6) << step;
      EXPECT_LE(std::abs(norm(of(w_, b)) - 1), 1e-6) << step;
    }
    rayleigh_ritz();
    for (int64_t b = 0; b < B; ++b) {
      const Column v_now = of(v_, b), p_now = of(p_, b), u = of(u_, b);
      EXPECT_LE(std::abs(norm(v_now) - 1), 1e-6) << step;
      EXPECT_LE(std::abs(norm(p_now) - 1), 1e-6) << step;
      EXPECT_LE(std::abs(dot(v_now, p_now)), 1e-6) << step;
      EXPECT_LE(norm(combine(1.0, u, -1.0, multiply(j[b], v_now))), 1e-6) << step;
      EXPECT_LE(norm(combine(1.0, of(jp_, b), -1.0, multiply(j[b], p_now))), 1e-6) << step;
      EXPECT_LE(norm(u), theta[b] * (1 + 1e-6)) << step;
      theta[b] = norm(u);
    }
    if (testing::Test::HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, LobpcgBasisTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
