// SPDX-License-Identifier: MIT
#include "reference/philox.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include "reference/random.h"
#include "support/tolerance.h"

namespace ebm::reference {
namespace {

using test::close;
using Four = std::array<uint32_t, 4>;

// Random123's kat_vectors, philox4x32 10.
TEST(ReferencePhiloxTest, PublishedKnownAnswers) {
  EXPECT_EQ(philox4x32_10({0, 0, 0, 0}, {0, 0}), (Four{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr uint32_t ones = 0xffffffff;
  EXPECT_EQ(philox4x32_10({ones, ones, ones, ones}, {ones, ones}),
            (Four{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32_10({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Four{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(ReferencePhiloxTest, UniformsAreTheMiddleOfTheirInterval) {
  EXPECT_EQ(uniform_of(0), 0x1p-33);
  EXPECT_EQ(uniform_of(0x80000000), 0.5 + 0x1p-33);
  EXPECT_EQ(uniform_of(0xffffffff), 1 - 0x1p-33);
}

TEST(ReferencePhiloxTest, BoxMullerByHand) {
  // u0 = 1/2 + 2^-33 -> r = sqrt(2 log 2) nearly; u1 a hair above 1/4: angle pi/2
  const std::array<double, 2> pair = box_muller(0x80000000, 0x40000000);
  EXPECT_NEAR(pair[0], std::sqrt(2 * std::log(2.0)), 1e-9);
  EXPECT_NEAR(pair[1], 0.0, 1e-8);
  const std::array<double, 2> other = box_muller(0x80000000, 0);
  EXPECT_NEAR(other[0], 0.0, 1e-8);
  EXPECT_NEAR(other[1], std::sqrt(2 * std::log(2.0)), 1e-9);
}

TEST(ReferencePhiloxTest, NormalsHaveTheirMoments) {
  constexpr int n = 20000;
  double moments[5] = {};
  for (uint32_t i = 0; i < n; ++i)
    for (const double x : philox_normals({i, 0, 0, 0}, {42, 7}))
      for (int k = 1; k <= 4; ++k) moments[k] += std::pow(x, k) / (4 * n);
  const double error =
      1 / std::sqrt(4.0 * n);  // five standard errors each: variances of x^k are 1, 2, 15, 96
  EXPECT_NEAR(moments[1], 0, 5 * error);
  EXPECT_NEAR(moments[2], 1, 5 * std::sqrt(2.0) * error);
  EXPECT_NEAR(moments[3], 0, 5 * std::sqrt(15.0) * error);
  EXPECT_NEAR(moments[4], 3, 5 * std::sqrt(96.0) * error);
}

TEST(ReferenceRandomTest, FixedBySeedNeverNearZeroAndNormal) {
  EXPECT_EQ(Random(5).normals(7), Random(5).normals(7));
  EXPECT_NE(Random(5).normals(7), Random(6).normals(7));
  const std::vector<double> x = Random(1).normals(20000);
  double second = 0;
  for (const double element : x) {
    EXPECT_GE(std::abs(element), 0.01);
    second += element * element / 20000;
  }
  EXPECT_NEAR(second, 1.0, 0.06);
}

TEST(ReferenceRandomTest, MersenneTwisterIsTheStandardsOwn) {
  // The C++ standard fixes the 10000th draw of a default-seeded mt19937.
  std::mt19937 engine;
  engine.discard(9999);
  EXPECT_EQ(engine(), 4123659995u);
}

TEST(ReferenceRandomTest, RandomNetworksAreExactInFloat) {
  const Network g = random_network(table6_generator(2, 5, 3), Statistics::running, 3);
  EXPECT_EQ(std::ssize(g.parameters), parameter_count(g.layers));
  EXPECT_EQ(std::ssize(g.running), running_count(g.layers));
  EXPECT_EQ(rounded_to_float(g.parameters), g.parameters);
  EXPECT_EQ(rounded_to_float(g.running), g.running);
}

}  // namespace
}  // namespace ebm::reference
