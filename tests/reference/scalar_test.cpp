// SPDX-License-Identifier: MIT
#include "reference/scalar.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "support/tolerance.h"

namespace ebm::reference {
namespace {

using test::close;

/// x + e1 + e2, so that f carries f, f', f', f''.
HyperDual seeded(double x) {
  return {Dual<double>(x, 1.0), Dual<double>(1.0, 0.0)};
}

struct Case {
  const char* name;
  std::function<HyperDual(HyperDual)> f;
  double value, first, second;  ///< at x = 0.7, by hand
};

TEST(ReferenceScalarTest, FirstAndSecondDerivativesOfEachFunction) {
  const double x = 0.7;
  const double t = std::tanh(x);
  const std::vector<Case> cases{
      {"sqrt", [](HyperDual a) { return sqrt(a); }, std::sqrt(x), 0.5 / std::sqrt(x),
       -0.25 / (x * std::sqrt(x))},
      {"log", [](HyperDual a) { return log(a); }, std::log(x), 1 / x, -1 / (x * x)},
      {"exp", [](HyperDual a) { return exp(a); }, std::exp(x), std::exp(x), std::exp(x)},
      {"tanh", [](HyperDual a) { return tanh(a); }, t, 1 - t * t, -2 * t * (1 - t * t)},
      {"cube", [](HyperDual a) { return a * a * a; }, x * x * x, 3 * x * x, 6 * x},
      {"inverse", [](HyperDual a) { return 1.0 / a; }, 1 / x, -1 / (x * x), 2 / (x * x * x)},
      {"quotient", [](HyperDual a) { return a / (1.0 + a); }, x / (1 + x), 1 / ((1 + x) * (1 + x)),
       -2 / ((1 + x) * (1 + x) * (1 + x))},
      {"difference", [](HyperDual a) { return 3.0 - a * a - 2.0; }, 1 - x * x, -2 * x, -2},
      {"abs", [](HyperDual a) { return abs(-a * a); }, x * x, 2 * x, 2},
      {"compound",
       [](HyperDual a) {
         HyperDual b = a;
         b += a;
         b *= a;
         b -= a;
         b /= a;
         return b;
       },
       2 * x - 1, 2, 0},
  };
  for (const Case& c : cases) {
    const HyperDual y = c.f(seeded(x));
    const std::vector<double> actual{y.value.value, y.value.derivative, y.derivative.value,
                                     y.derivative.derivative};
    EXPECT_TRUE(close(actual, std::vector<double>{c.value, c.first, c.first, c.second})) << c.name;
  }
}

TEST(ReferenceScalarTest, MixedDerivative) {
  // d2/dxdy of x^2 y + tanh(x y) at (.3, -.8)
  const double x = 0.3;
  const double y = -0.8;
  const HyperDual a{Dual<double>(x, 1.0), Dual<double>(0.0)};
  const HyperDual b{Dual<double>(y), Dual<double>(1.0, 0.0)};
  const HyperDual f = a * a * b + tanh(a * b);
  const double t = std::tanh(x * y);
  const double expected = 2 * x + (1 - t * t) - 2 * t * (1 - t * t) * x * y;
  EXPECT_TRUE(close(f.derivative.derivative, expected));
}

TEST(ReferenceScalarTest, ComparisonsGoByValue) {
  const Dual<double> a(1.0, 5.0);
  const Dual<double> b(2.0, -5.0);
  EXPECT_TRUE(a < b && a <= b && b > a && b >= a && !(a > b) && !(a == b));
  EXPECT_TRUE(a == (Dual<double>(1.0, 7.0)));
  EXPECT_TRUE(seeded(-1.0) < 0.0);
}

TEST(ReferenceScalarTest, NanStaysNan) {
  const Dual<double> bad(std::nan(""), 1.0);
  EXPECT_TRUE(std::isnan((bad * 0.0).value));
  EXPECT_FALSE(bad < 0.0 || bad > 0.0 || bad == 0.0);
}

}  // namespace
}  // namespace ebm::reference
