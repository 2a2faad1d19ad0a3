// SPDX-License-Identifier: MIT
// What must not change LOBPCG's answer: powers of two to the bit, rotations to rounding, the batch around a
// sample to the bit.
#include "linalg/linalg_fixture.h"

namespace ebm::test {
namespace {

using reference::multiply, reference::transpose, reference::scale, reference::spectrum;

class LobpcgInvarianceTest : public LinalgTest {
 protected:
  struct Variant {
    std::string name;
    LobpcgOptions options;
  };
  /// K iterations of every kind.
  std::vector<Variant> variants(int k, const Preconditioner& preconditioner) {
    return {{"orthonormal", {.iterations = k}},
            {"authors", {.iterations = k, .direction = Direction::authors}},
            {"preconditioned", {.iterations = k, .preconditioner = &preconditioner}}};
  }
};

Map times(double factor, Map m) {
  m.values = scale(factor, m.values);
  return m;
}
std::vector<Map> times(double factor, std::vector<Map> maps) {
  for (Map& m : maps) m = times(factor, std::move(m));
  return maps;
}
template <class T>
std::vector<T> times(double factor, std::vector<T> x) {
  for (T& element : x) element = static_cast<T>(element * factor);
  return x;
}

TEST_P(LobpcgInvarianceTest, PowersOfTwoScaleBitForBit) {
  const int64_t B = 3, D = 21, d = 13;
  const std::vector<Map> j = maps(B, D, d);
  const Columns v0 = columns(B, d), p0 = columns(B, d);
  const Map mean = gram(map(2 * d, d));
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, mean);
  std::vector<Found> plain;
  for (const Variant& variant : variants(4, preconditioner))
    plain.push_back(lobpcg(j, v0, variant.options, p0));
  for (const int exponent : {-60, -31, -1, 1, 32, 60}) {
    const double c = std::ldexp(1.0, exponent);
    set(preconditioner, times(c * c, mean));
    size_t i = 0;
    for (const Variant& variant : variants(4, preconditioner)) {
      Found expected = plain[i++];
      expected.theta = times(c * c, expected.theta);
      expected.floor2 = times(c * c, expected.floor2);
      expected.jv = times(c, expected.jv);
      expected.jv0_unit = times(c, expected.jv0_unit);
      EXPECT_TRUE(same_bits(lobpcg(times(c, j), v0, variant.options, p0), expected))
          << variant.name << " 2^" << exponent;
    }
  }
}

TEST_P(LobpcgInvarianceTest, ScalesThatAreNoPowersOfTwoChangeRoundingAlone) {
  const int64_t B = 2, D = 21, d = 13;
  const std::vector<Map> j = maps(B, D, d);
  const Columns v0 = columns(B, d), p0 = columns(B, d);
  const Map mean = gram(map(2 * d, d));
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, mean);
  std::vector<Found> plain;
  for (const Variant& variant : variants(5, preconditioner))
    plain.push_back(lobpcg(j, v0, variant.options, p0));
  for (const double c : {1e-25, 1e-18, 3.0, 1e18}) {  // squares of the first and the last are beyond float32
    std::vector<Map> scaled;
    for (const Map& m : j) scaled.push_back(reference::rounded_to_float(times(c, m)));
    set(preconditioner, times(c * c, mean));
    size_t i = 0;
    for (const Variant& variant : variants(5, preconditioner)) {
      const Found found = lobpcg(scaled, v0, variant.options, p0);
      std::vector<double> expected = plain[i].theta;
      for (double& x : expected) x = std::sqrt(x) * c;
      for (int64_t b = 0; b < B; ++b) {
        EXPECT_NEAR(found.s1(b) / expected[static_cast<size_t>(b)], 1.0, 1e-5) << variant.name << " " << c;
        EXPECT_EQ(found.status[static_cast<size_t>(b)], 0) << variant.name << " " << c;
      }
      EXPECT_TRUE(close(found.v, plain[i].v, {.factor = 100, .reason = "J is rounded anew, five iterations"}))
          << variant.name << " " << c;
      ++i;
    }
  }
}

TEST_P(LobpcgInvarianceTest, RotationsOfTheImageChangeNothing) {  // J -> U J, here into R^D with D >> d
  const int64_t B = 3, d = slow() ? 16 : 128, D = slow() ? 40 : 3072;
  const Map small = map_with(spectrum("geo", d, 10), d);
  const Map large =
      reference::rounded_to_float(multiply(reference::random_orthonormal(D, d, random_), small));
  SharedOperator j(*kernels_, B, small), uj(*kernels_, B, large);
  const Columns v0 = columns(B, d), p0 = columns(B, d);
  for (const Direction direction : {Direction::orthonormal, Direction::authors}) {
    const LobpcgOptions options{.iterations = 5, .direction = direction};
    const Found plain = lobpcg(j, v0, options, p0), rotated = lobpcg(uj, v0, options, p0);
    // U J is rounded anew: 3e-8 sqrt(d) s_max against s1 = s_max / 10.
    for (int64_t b = 0; b < B; ++b) EXPECT_NEAR(rotated.s1(b) / plain.s1(b), 1.0, 1e-6) << b;
  }
}

TEST_P(LobpcgInvarianceTest, RotationsOfTheDomainChangeNothing) {  // J -> J V, v0 -> V^T v0
  const int64_t B = 4, d = slow() ? 16 : 64, D = slow() ? 20 : 80;
  const Map rotation = reference::random_orthonormal(d, d, random_);
  std::vector<Map> j, jv;
  Columns v0 = columns(B, d), p0 = columns(B, d), v0_rotated, p0_rotated;
  for (int64_t b = 0; b < B; ++b) {
    j.push_back(map_with(spectrum("geo", d, 100), D));
    jv.push_back(reference::rounded_to_float(multiply(j[b], rotation)));
    v0_rotated.push_back(reference::rounded_to_float(multiply(transpose(rotation), v0[b])));
    p0_rotated.push_back(reference::rounded_to_float(multiply(transpose(rotation), p0[b])));
  }
  const Found plain = lobpcg(j, v0, {.iterations = 5}), rotated = lobpcg(jv, v0_rotated, {.iterations = 5});
  for (int64_t b = 0; b < B; ++b) EXPECT_NEAR(rotated.s1(b) / plain.s1(b), 1.0, 1e-5) << b;
  // r / mean(r) is not rotation invariant: the authors' direction changes, and the estimate with it.
  const LobpcgOptions authors{.iterations = 5, .direction = Direction::authors};
  const Found plain_a = lobpcg(j, v0, authors, p0), rotated_a = lobpcg(jv, v0_rotated, authors, p0_rotated);
  double most = 0;
  for (int64_t b = 0; b < B; ++b) most = std::max(most, std::abs(rotated_a.s1(b) / plain_a.s1(b) - 1));
  EXPECT_LE(most, 1e-2);
  EXPECT_GT(most, 1e-5);
}

TEST_P(LobpcgInvarianceTest, ASampleKnowsNothingOfItsBatch) {
  const int64_t B = slow() ? 9 : 64, D = 33, d = 19;
  const std::vector<Map> j = maps(B, D, d);
  const Columns v0 = columns(B, d), p0 = columns(B, d);
  const Map mean = gram(map(2 * d, d));
  Preconditioner preconditioner(*kernels_, B, d);
  set(preconditioner, mean);
  std::vector<int64_t> order;
  for (int64_t b = 0; b < B; ++b)
    order.push_back((5 * b + 2) % B);  // a permutation: 5 divides neither 9 nor 64
  std::vector<Map> j_permuted;
  Columns v0_permuted, p0_permuted;
  for (const int64_t b : order) {
    j_permuted.push_back(j[b]);
    v0_permuted.push_back(v0[b]);
    p0_permuted.push_back(p0[b]);
  }
  for (const Variant& variant : variants(4, preconditioner)) {
    const Found all = lobpcg(j, v0, variant.options, p0);
    EXPECT_TRUE(same_bits(lobpcg(j, v0, variant.options, p0), all)) << "a second run, " << variant.name;
    const Found permuted = lobpcg(j_permuted, v0_permuted, variant.options, p0_permuted);
    for (int64_t i = 0; i < B; ++i)
      EXPECT_TRUE(same_bits(permuted.sample(i), all.sample(order[i]))) << i << " " << variant.name;
    for (const int64_t b : {int64_t{0}, B / 2, B - 1}) {
      const Found alone = lobpcg({j[b]}, {v0[b]}, variant.options, {p0[b]});
      EXPECT_TRUE(same_bits(alone, all.sample(b))) << b << " alone, " << variant.name;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Devices, LobpcgInvarianceTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
