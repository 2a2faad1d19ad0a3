// SPDX-License-Identifier: MIT
// Images of shapes, made on the device: a mode is one of ten shapes in one of ten colours (white alone where
// an image has not three channels), which lies on a grey ground, jittered in its place, size, turn and in the
// ground's level (docs/method.md, "Shapes"). Only +, -, *, / and square roots.
#pragma once

#include "kernels/formulas/formula.h"

namespace ebm {

inline constexpr int64_t shape_kinds = 10;
EBM_HD constexpr int64_t shape_colours(int64_t channels) {
  return channels == 3 ? 10 : 1;
}
/// mode = kind * colours + colour.
EBM_HD constexpr int64_t shape_modes(int64_t channels) {
  return shape_kinds * shape_colours(channels);
}

inline constexpr float shape_contrast = 0.8f, shape_ground_range = 0.1f;

/// The colour's value in a channel.
EBM_HD inline float shape_colour(int64_t colour, int64_t channel) {
  constexpr int8_t levels[10][3] = {{1, 1, 1},  {-1, -1, -1}, {1, -1, -1}, {-1, 1, -1}, {-1, -1, 1},
                                    {1, 1, -1}, {1, -1, 1},   {-1, 1, 1},  {1, 0, -1},  {0, -1, 1}};
  return shape_contrast * static_cast<float>(levels[colour][channel % 3]);
}

/// Where a shape lies on the square (-1, 1)^2, its radius, and the tangent of half the angle that it is
/// turned by.
struct ShapePose {
  float x, y, radius, turn;
};

/// How many numbers u in (0, 1) an image is made of: its pose, the ground's level; the rest is not used, and
/// keeps the rows of each rank at a multiple of 4.
inline constexpr int64_t shape_uniforms = 8;
EBM_HD inline ShapePose shape_pose(const float* u) {
  return {.x = 0.24f * u[0] - 0.12f,
          .y = 0.24f * u[1] - 0.12f,
          .radius = 0.65f + 0.15f * u[2],
          .turn = 0.12f * u[3] - 0.06f};
}
EBM_HD inline float shape_ground(const float* u) {
  return shape_ground_range * (2 * u[4] - 1);
}

EBM_HD inline float rectangle_distance(float x, float y, float half_width, float half_height) {
  return fmaxf(fabsf(x) - half_width, fabsf(y) - half_height);
}
EBM_HD inline float plus_distance(float x, float y) {
  return fminf(rectangle_distance(x, y, 0.95f, 0.28f), rectangle_distance(x, y, 0.28f, 0.95f));
}
/// A point of a star is in all of five half planes but one: the second largest of n_i . p is below the radius.
EBM_HD inline float star_distance(float x, float y) {
  const float a = fabsf(x);
  const float along[5] = {-y, 0.95105652f * a - 0.30901699f * y, -0.95105652f * a - 0.30901699f * y,
                          0.58778525f * a + 0.80901699f * y, -0.58778525f * a + 0.80901699f * y};
  float largest = fmaxf(along[0], along[1]), second = fminf(along[0], along[1]);
  for (int i = 2; i < 5; ++i) {
    second = fmaxf(second, fminf(largest, along[i]));
    largest = fmaxf(largest, along[i]);
  }
  return second - 0.32f;
}

/// Less than 0 inside of the shape, 0 on its edge, near which it is the distance from it. y points upwards.
EBM_HD inline float shape_distance(int64_t kind, float x, float y) {
  constexpr float root_half = 0.70710678f;
  const float from_centre = sqrtf(x * x + y * y);
  switch (kind) {
    case 0:  // disc
      return from_centre - 0.9f;
    case 1:  // ring
      return fabsf(from_centre - 0.75f) - 0.22f;
    case 2:  // square
      return rectangle_distance(x, y, 0.75f, 0.75f);
    case 3:  // frame
      return fabsf(rectangle_distance(x, y, 0.62f, 0.62f)) - 0.19f;
    case 4:  // triangle
      return fmaxf(-y, 0.8660254f * fabsf(x) + 0.5f * y) - 0.5f;
    case 5:  // diamond
      return root_half * (fabsf(x) + fabsf(y)) - 0.7f;
    case 6:
      return star_distance(x, y);
    case 7:
      return plus_distance(x, y);
    case 8:  // cross
      return plus_distance(root_half * (x + y), root_half * (y - x));
    default: {  // crescent: a disc without another
      const float aside = x - 0.5f;
      return fmaxf(from_centre - 0.95f, 0.78f - sqrtf(aside * aside + y * y));
    }
  }
}

/// How much of a pixel the shape covers, 0 to 1, of an image of side x side pixels: 1/2 - distance from the
/// edge in pixels.
EBM_HD inline float shape_coverage(int64_t kind, const ShapePose& pose, int64_t side, int64_t row,
                                   int64_t column) {
  const auto pixels = static_cast<float>(side);
  const float x = static_cast<float>(2 * column + 1) / pixels - 1 - pose.x;
  const float y = 1 - static_cast<float>(2 * row + 1) / pixels - pose.y;
  const float scale = 1 + pose.turn * pose.turn;
  const float cosine = (1 - pose.turn * pose.turn) / scale, sine = 2 * pose.turn / scale;
  const float u = (cosine * x + sine * y) / pose.radius, v = (cosine * y - sine * x) / pose.radius;
  const float in_pixels = shape_distance(kind, u, v) * pose.radius * pixels / 2;
  return fminf(fmaxf(0.5f - in_pixels, 0.0f), 1.0f);
}

/// x[b, h, w, c] = ground + coverage (colour_c - ground) of the mode of picks[b] and the numbers of uniforms[b].
struct ShapeImages {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows;     // batch * side: one line of pixels each
  int64_t columns;  // side
  int64_t channels;
  const float* uniforms;  // batch x shape_uniforms
  const int64_t* picks;   // batch x 2, as PickImages gives them: a mode first
  float* x;               // rows x columns x channels

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(uniforms, rows / columns * shape_uniforms);
    uses.reads(picks, rows / columns * 2);
    uses.writes(x, rows * columns * channels);
  }

  EBM_HD void operator()(int64_t line, int64_t column) const {
    const int64_t b = line / columns;
    const float* const u = uniforms + b * shape_uniforms;
    const int64_t mode = picks[2 * b], colours = shape_colours(channels);
    const float covered = shape_coverage(mode / colours, shape_pose(u), columns, line - b * columns, column);
    const float ground = shape_ground(u);
    for (int64_t c = 0; c < channels; ++c)
      x[(line * columns + column) * channels + c] =
          ground + covered * (shape_colour(mode % colours, c) - ground);
  }
};

}  // namespace ebm
