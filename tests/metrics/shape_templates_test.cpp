// SPDX-License-Identifier: MIT
// Modes of shapes: images that are drawn are told apart, with noise too; what is none is near none; the nearest
// template by plain sums.
#include "metrics/shape_templates.h"

#include <cmath>

#include "data/shapes.h"
#include "io/io_fixture.h"
#include "kernels/formulas/images.h"
#include "kernels/formulas/shapes.h"
#include "kernels/kernels_fixture.h"

namespace ebm::test {
namespace {

constexpr uint64_t seed = 3;
constexpr Features cifar{.height = 32, .width = 32, .channels = 3},
    grey{.height = 28, .width = 28, .channels = 1}, face{.height = 64, .width = 64, .channels = 3};

std::vector<float> drawn(const Features& shape, int64_t count) {
  return shape_images(*open_device("cpu"), shape, count, seed, 1);
}
int64_t mode_of(const Features& shape, int64_t image) {
  return ImageOrder{.seed = seed, .count = shape.channels == 3 ? 100 : 10}.image(
      static_cast<uint64_t>(image));
}
std::vector<float> with_noise(std::vector<float> images, double deviation) {
  reference::Random random(7);
  const std::vector<double> noise = random.normals(std::ssize(images));
  for (size_t i = 0; i < images.size(); ++i) images[i] += static_cast<float>(deviation * noise[i]);
  return images;
}
/// How many are taken for another mode.
int64_t mistaken(const Features& shape, const std::vector<NearestTemplate>& found) {
  int64_t wrong = 0;
  for (size_t i = 0; i < found.size(); ++i) wrong += found[i].mode != mode_of(shape, static_cast<int64_t>(i));
  return wrong;
}

TEST(ShapeTemplatesTest, TellTheModesOfEveryImage) {
  for (const Features& shape : {cifar, grey, face}) {
    const int64_t modes = shape.channels == 3 ? 100 : 10;
    const ShapeTemplates templates(shape);
    const std::vector<float> images = drawn(shape, 2 * modes);
    EXPECT_EQ(mistaken(shape, templates.nearest(images)), 0) << to_string(shape);
    EXPECT_EQ(mistaken(shape, templates.nearest(with_noise(images, 0.3))), 0) << to_string(shape);
    const ShapeCoverage found = templates.coverage(with_noise(images, 0.1));
    EXPECT_EQ(found.modes, modes);
    EXPECT_EQ(found.high_quality, 1);
    EXPECT_NEAR(found.kl, 0, 1e-12);
  }
}

TEST(ShapeTemplatesTest, NoiseAndEmptyGroundsAreNearNone) {
  const ShapeTemplates templates(cifar);
  const auto images = [](float level) {
    return std::vector<float>(static_cast<size_t>(4 * cifar.size()), level);
  };
  for (const std::vector<float>& x : {images(0), images(0.05f), images(1), images(-0.8f),
                                      with_noise(images(0), 0.3), with_noise(images(0), 1), images(NAN)}) {
    const ShapeCoverage found = templates.coverage(x);
    EXPECT_EQ(found.modes, 0) << x[0];
    EXPECT_EQ(found.high_quality, 0);
    EXPECT_NEAR(found.kl, std::log(100), 1e-12);
  }
}

TEST(ShapeTemplatesTest, CountsOnlyWhatIsNear) {
  const ShapeTemplates templates(grey);
  std::vector<float> images = drawn(grey, 10);  // each mode once
  std::vector<float> some(images.begin(), images.begin() + 4 * grey.size());
  some.insert(some.end(), images.begin(), images.begin() + grey.size());  // the first one again
  some.insert(some.end(), static_cast<size_t>(3 * grey.size()), 0.0f);    // and three empty grounds
  const ShapeCoverage found = templates.coverage(some);
  EXPECT_EQ(found.modes, 4);
  EXPECT_NEAR(found.high_quality, 5.0 / 8, 1e-12);
  EXPECT_NEAR(found.kl, 0.4 * std::log(0.4 * 10) + 0.6 * std::log(0.2 * 10), 1e-12);
}

/// At a pose on the grid, with its ground, an image of `cifar`, and averages of 2 x 2 of it and of its coverage.
struct Posed {
  std::vector<float> image;
  std::vector<double> coverage;
};
Posed posed(int64_t mode, const float* u, float ground) {
  Posed of;
  for (int64_t row = 0; row < 32; ++row) {
    for (int64_t column = 0; column < 32; ++column) {
      const float m = shape_coverage(mode / 10, shape_pose(u), 32, row, column);
      for (int64_t c = 0; c < 3; ++c) of.image.push_back(ground + m * (shape_colour(mode % 10, c) - ground));
    }
  }
  for (int64_t row = 0; row < 32; row += 2) {
    for (int64_t column = 0; column < 32; column += 2) {
      double sum = 0;
      for (int64_t i = 0; i < 4; ++i)
        sum += static_cast<double>(shape_coverage(mode / 10, shape_pose(u), 32, row + i / 2, column + i % 2));
      of.coverage.push_back(sum / 4);
    }
  }
  return of;
}

TEST(ShapeTemplatesTest, DistancesAreThoseOfPlainSums) {
  const float u[] = {1 / 6.0f, 0.5f, 0.75f, 0.25f};
  const ShapeTemplates templates(cifar);
  for (const int64_t mode : {0, 37, 99}) {
    Posed of = posed(mode, u, 0.04f);
    EXPECT_NEAR(templates.nearest(of.image)[0].distance, 0, 1e-3);
    // One pixel of each 2 x 2 is raised: D and K by their definitions, at the best ground.
    for (size_t i = 0; i < of.image.size(); ++i)
      if (i / 3 % 2 == 0 && i / 96 % 2 == 0) of.image[i] += 0.2f;
    double least = HUGE_VAL, share = 0;
    for (double g = -0.1; g <= 0.1; g += 1e-4) {
      double d = 0, k = 0;
      for (size_t p = 0; p < 256; ++p) {
        for (size_t c = 0; c < 3; ++c) {
          double x = 0;
          for (size_t i = 0; i < 4; ++i)
            x += static_cast<double>(of.image[((p / 16 * 2 + i / 2) * 32 + p % 16 * 2 + i % 2) * 3 + c]) / 4;
          const double m = of.coverage[p],
                       colour = static_cast<double>(shape_colour(mode % 10, static_cast<int64_t>(c)));
          d += std::pow(x - colour * m - g * (1 - m), 2);
          k += std::pow(m * (colour - g), 2);
        }
      }
      if (d < least) least = d, share = std::sqrt(d / k);
    }
    const NearestTemplate found = templates.nearest(of.image)[0];
    EXPECT_EQ(found.mode, mode);
    EXPECT_NEAR(found.distance, share, 1e-3 * share);
  }
}

TEST(ShapeTemplatesTest, RefuseOtherImages) {
  EXPECT_HAS(error_of([] { ShapeTemplates({.height = 28, .width = 32, .channels = 3}); }), "28x32x3");
  EXPECT_HAS(error_of([] { ShapeTemplates({.height = 8, .width = 8, .channels = 3}); }), "8x8x3");
  const ShapeTemplates templates(grey);
  EXPECT_HAS(error_of([&] { templates.nearest(std::vector<float>(100)); }), "100 numbers are no images");
  EXPECT_HAS(error_of([&] { templates.coverage({}); }), "no images");
}

}  // namespace
}  // namespace ebm::test
