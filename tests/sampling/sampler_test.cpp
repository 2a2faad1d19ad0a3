// SPDX-License-Identifier: MIT
#include "sampling/sampler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "models/dcgan.h"
#include "reference/image_networks.h"
#include "reference/random.h"
#include "sampling/latent_points.h"
#include "support/devices.h"
#include "support/networks.h"

namespace ebm::test {
namespace {

std::vector<float> random_floats(int64_t count, uint32_t seed) {
  return reference::to_float(reference::Random(seed).normals(count));
}

using Vector = std::vector<double>;

/// Row i of an array of rows of d numbers.
Vector row(const std::vector<float>& rows, int64_t i, int64_t d) {
  return {rows.begin() + i * d, rows.begin() + (i + 1) * d};
}
double length(const Vector& a) {
  return std::sqrt(reference::dot(a, a));
}
double angle(const Vector& a, const Vector& b) {
  return std::acos(std::min(1.0, reference::dot(a, b) / (length(a) * length(b))));
}

TEST(InterpolateTest, RowsAreGreatCirclesFromOneEndToTheOther) {
  constexpr int64_t d = 7, rows = 3, columns = 5;
  const Tolerance of_angles{.factor = 100, .reason = "an arc cosine of float32 vectors"};
  const std::vector<float> ends = random_floats(2 * rows * d, 3);
  const std::vector<float> points = interpolate(ends, d, columns);
  ASSERT_EQ(std::ssize(points), rows * columns * d);
  for (int64_t r = 0; r < rows; ++r) {
    const Vector a = row(ends, 2 * r, d), b = row(ends, 2 * r + 1, d);
    EXPECT_TRUE(close(reference::to_float(row(points, r * columns, d)), a));
    EXPECT_TRUE(close(reference::to_float(row(points, (r + 1) * columns - 1, d)), b));
    for (int64_t i = 0; i + 1 < columns; ++i) {
      const Vector here = row(points, r * columns + i, d), next = row(points, r * columns + i + 1, d);
      const double share = static_cast<double>(i) / (columns - 1);
      EXPECT_TRUE(close(static_cast<float>(angle(here, next)), angle(a, b) / (columns - 1), of_angles));
      EXPECT_TRUE(close(static_cast<float>(length(here)), (1 - share) * length(a) + share * length(b)));
      // Angles to both ends add up: the point is on the arc between them.
      EXPECT_TRUE(close(static_cast<float>(angle(a, here) + angle(here, b)), angle(a, b), of_angles));
    }
  }
}

TEST(InterpolateTest, EndsOnOneLineAreJoinedAlongIt) {
  const std::vector<float> a{0.5f, -2, 1};
  const auto between = [&](float factor) {
    std::vector<float> ends = a;
    for (const float x : a) ends.push_back(factor * x);
    return interpolate(ends, 3, 5);
  };
  for (const float factor : {1.0f, 1.0f + 1e-6f, 3.0f, -1.0f, -2.0f}) {
    const std::vector<float> points = between(factor);
    ASSERT_EQ(points.size(), 15u);
    for (size_t i = 0; i < 5; ++i) {
      for (size_t j = 0; j < 3; ++j) {
        const double expected = (1 + static_cast<double>(factor - 1) * static_cast<double>(i) / 4) * a[j];
        EXPECT_NEAR(points[3 * i + j], expected, 1e-6) << "towards " << factor << " times, point " << i;
      }
    }
  }
}

TEST(InterpolateTest, NearlyParallelEndsAreJoinedAlongALine) {
  for (const float off : {1e-7f, 1e-6f, 1e-5f, 1e-4f}) {
    const std::vector<float> points = interpolate({1, 0, 1, off}, 2, 3);
    EXPECT_NEAR(points[2], 1, 1e-6);
    EXPECT_NEAR(points[3], off / 2, 1e-3 * off);
  }
}

TEST(InterpolateTest, AnEndAtTheOriginHasNoDirection) {
  const std::vector<float> points = interpolate({0, 0, 2, 4}, 2, 3);
  EXPECT_EQ(points, (std::vector<float>{0, 0, 1, 2, 2, 4}));
}

TEST(InterpolateTest, OneColumnIsTheFirstEnd) {
  const std::vector<float> ends{1, 2, 3, 4};
  EXPECT_EQ(interpolate(ends, 2, 1), (std::vector<float>{1, 2}));
}

class SamplerTest : public testing::TestWithParam<std::string> {};

TEST_P(SamplerTest, ChunksMakeNoDifference) {
  constexpr int64_t latent = 5, width = 2, count = 11;
  const auto kernels = open_device(GetParam());
  const reference::Network oracle =
      random_network(reference::table8_generator(latent, width), reference::Statistics::running, 5);
  Network generator(*kernels, dcgan_generator(latent, width));
  load(*kernels, generator, oracle);
  const std::vector<float> latents = random_floats(count * latent, 7);

  const std::vector<float> images = NetworkSampler(*kernels, generator, 4).samples(latents);
  ASSERT_EQ(std::ssize(images), count * generator.output().size());
  std::vector<float> one_by_one;
  NetworkSampler single(*kernels, generator, 1);
  for (int64_t i = 0; i < count; ++i) {
    const auto image = single.samples({latents.begin() + i * latent, latents.begin() + (i + 1) * latent});
    one_by_one.insert(one_by_one.end(), image.begin(), image.end());
  }
  EXPECT_TRUE(close(images, one_by_one));
  const reference::Matrix<double> z(count, latent, Vector(latents.begin(), latents.end()));
  EXPECT_TRUE(close(images, oracle(z).values, {.factor = 20, .reason = "float32 roundings of many layers"}));
  EXPECT_TRUE(single.samples({}).empty());
}

INSTANTIATE_TEST_SUITE_P(Devices, SamplerTest, testing::ValuesIn(devices_with_convolutions()));

class LatentPointsTest : public testing::TestWithParam<std::string> {};

TEST_P(LatentPointsTest, AreAFunctionOfSeedAndStream) {
  const auto kernels = open_device(GetParam());
  const auto points = [&](uint64_t seed, uint32_t stream, int64_t count) {
    return latent_points(*kernels, seed, stream, count, flat(5));
  };
  const std::vector<float> first = points(3, 16, 9);
  ASSERT_EQ(first.size(), 45u);
  EXPECT_EQ(points(3, 16, 9), first);
  EXPECT_NE(points(4, 16, 9), first);
  EXPECT_NE(points(3, 17, 9), first);
  // More of them begin with the same ones: a larger grid shows the images of a smaller one.
  const std::vector<float> more = points(3, 16, 12);
  EXPECT_EQ(std::vector<float>(more.begin(), more.begin() + 45), first);
}

TEST_P(LatentPointsTest, AreStandardNormal) {
  const auto kernels = open_device(GetParam());
  constexpr int64_t count = 2000, d = 3;
  double sum = 0, squares = 0;
  for (const float x : latent_points(*kernels, 1, 0, count, flat(d))) {
    sum += x;
    squares += static_cast<double>(x) * x;
  }
  const double n = count * d;
  EXPECT_NEAR(sum / n, 0, 5 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1, 5 * std::numbers::sqrt2 / std::sqrt(n));
}

INSTANTIATE_TEST_SUITE_P(Devices, LatentPointsTest, testing::ValuesIn(devices()));

}  // namespace
}  // namespace ebm::test
