// SPDX-License-Identifier: MIT
#include "support/tolerance.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

namespace ebm::test {
namespace {

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double infinity = std::numeric_limits<double>::infinity();
constexpr double eps32 = 1.1920928955078125e-07;

TEST(ToleranceTest, EqualNumbersPass) {
  EXPECT_TRUE(close(std::vector<float>{1.0f, -2.0f}, std::vector<double>{1.0, -2.0}));
  EXPECT_TRUE(close(std::vector<double>{0.0}, std::vector<double>{0.0}));
  EXPECT_TRUE(close(1.5f, 1.5));
}

TEST(ToleranceTest, TheBoundIsTenEpsilonOfTheActualTypeTimesFactor) {
  // 4 * (1 + 9 eps) is exact in double; the actual values are doubles in the first pair and floats in the
  // second.
  EXPECT_FALSE(close(4.0 * (1 + 9 * eps32), 4.0));
  EXPECT_TRUE(close(4.0f * (1 + 9 * static_cast<float>(eps32)), 4.0));
  EXPECT_FALSE(close(4.0f * (1 + 11 * static_cast<float>(eps32)), 4.0));
  EXPECT_TRUE(
      close(4.0f * (1 + 11 * static_cast<float>(eps32)), 4.0, {.factor = 2, .reason = "two roundings"}));
}

TEST(ToleranceTest, TheErrorIsRelativeToTheLargestExpectedEntry) {
  EXPECT_TRUE(close(std::vector<float>{1e-4f, 1000.0f}, std::vector<double>{0.0, 1000.0}));
  EXPECT_FALSE(close(std::vector<float>{1e-4f, 1.0f}, std::vector<double>{0.0, 1.0}));
  EXPECT_FALSE(close(std::vector<float>{1e-4f}, std::vector<double>{0.0}));  // all expected zero: absolute
  EXPECT_FALSE(
      close(std::vector<float>{1e6f, 1.0f}, std::vector<double>{1.0, 1.0}));  // a large actual is no excuse
}

TEST(ToleranceTest, NotFiniteFailsOnEitherSide) {
  for (const double bad : {nan, infinity, -infinity}) {
    EXPECT_FALSE(close(std::vector<double>{1.0, bad}, std::vector<double>{1.0, 2.0}));
    EXPECT_FALSE(close(std::vector<double>{1.0, 2.0}, std::vector<double>{bad, 2.0}));
    EXPECT_FALSE(close(std::vector<double>{1.0, bad}, std::vector<double>{1.0, bad}));
    EXPECT_FALSE(close(bad, bad, {.factor = 1e30, .reason = "even so"}));
    EXPECT_FALSE(close(static_cast<float>(bad), 0.0));
  }
}

TEST(ToleranceTest, SizesMustAgreeAndNotBeZero) {
  EXPECT_FALSE(close(std::vector<double>{1.0}, std::vector<double>{1.0, 1.0}));
  EXPECT_FALSE(close(std::vector<double>{1.0, 1.0}, std::vector<double>{1.0}));
  EXPECT_FALSE(close(std::vector<double>{}, std::vector<double>{}));
}

TEST(ToleranceTest, AFactorNeedsAReasonAndMustBePositive) {
  EXPECT_FALSE(close(1.0, 1.0, {.factor = 2}));
  EXPECT_FALSE(close(1.0, 1.0, {.factor = nan, .reason = "nonsense"}));
  EXPECT_FALSE(close(1.0, 1.0, {.factor = 0, .reason = "nonsense"}));
}

TEST(ToleranceTest, DifferencesOfLargeTermsAreRelativeToTheTerms) {
  const Tolerance difference{.reason = "1000 - 1000", .terms = 1000};
  EXPECT_TRUE(close(1e-4f, 0.0, difference));
  EXPECT_FALSE(close(2e-3f, 0.0, difference));
  EXPECT_TRUE(close(2.001f, 2.0, difference));
  EXPECT_FALSE(close(1e-4f, 0.0, {.terms = 1000})) << "without a reason";
  EXPECT_FALSE(close(0.0, 0.0, {.reason = "nonsense", .terms = nan}));
  EXPECT_FALSE(close(0.0, 0.0, {.reason = "nonsense", .terms = infinity}));
}

TEST(ToleranceTest, AFailureNamesTheWorstIndexAndBothValues) {
  const auto result = close(std::vector<float>{1.0f, 2.5f, 3.01f}, std::vector<double>{1.0, 2.0, 3.0});
  ASSERT_FALSE(result);
  const std::string message = result.message();
  EXPECT_NE(message.find("index 1 of 3"), std::string::npos) << message;
  EXPECT_NE(message.find("actual 2.5"), std::string::npos) << message;
  EXPECT_NE(message.find("expected 2"), std::string::npos) << message;
}

}  // namespace
}  // namespace ebm::test
