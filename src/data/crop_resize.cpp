// SPDX-License-Identifier: MIT
#include "data/crop_resize.h"

#include <algorithm>
#include <cmath>

namespace ebm {
namespace {

constexpr int64_t channels = 3;

/// The pixels first, first + 1, ... of a line that an output pixel is made of, and their weights (sum 1).
struct Taps {
  int64_t first = 0;
  std::vector<float> weights = {};
};

std::vector<Taps> triangle_taps(int64_t side_in, int64_t side_out) {
  const double scale = static_cast<double>(side_in) / static_cast<double>(side_out);
  const double support = std::max(1.0, scale);
  std::vector<Taps> all(static_cast<size_t>(side_out));
  for (int64_t i = 0; i < side_out; ++i) {
    Taps& taps = all[static_cast<size_t>(i)];
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    taps.first = std::max<int64_t>(0, static_cast<int64_t>(std::floor(centre - support)));
    const int64_t last = std::min(side_in - 1, static_cast<int64_t>(std::ceil(centre + support)));
    double sum = 0;
    for (int64_t j = taps.first; j <= last; ++j) {
      const double distance = std::abs(static_cast<double>(j) + 0.5 - centre);
      const double weight = std::max(0.0, 1 - distance / support);
      taps.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : taps.weights) weight = static_cast<float>(weight / sum);
  }
  return all;
}

/// out[o][i][.] = sum over taps of in[(first + j) * step + o * stride][.]: one line for each o of `lines`.
void resample(const std::vector<Taps>& taps, const float* in, int64_t lines, int64_t line_stride,
              int64_t step, float* out) {
  const auto count = std::ssize(taps);
  for (int64_t line = 0; line < lines; ++line) {
    for (int64_t i = 0; i < count; ++i) {
      const Taps& t = taps[static_cast<size_t>(i)];
      float sums[channels] = {};
      for (size_t j = 0; j < t.weights.size(); ++j) {
        const float* pixel = in + line * line_stride + (t.first + static_cast<int64_t>(j)) * step;
        for (int64_t c = 0; c < channels; ++c) sums[c] += t.weights[j] * pixel[c];
      }
      for (int64_t c = 0; c < channels; ++c) out[(line * count + i) * channels + c] = sums[c];
    }
  }
}

}  // namespace

int64_t crop_room(const Image& image) {
  return std::abs(image.width - image.height);
}

int64_t centre_offset(const Image& image) {
  return std::llrint(static_cast<double>(crop_room(image)) / 2);
}

std::vector<uint8_t> crop_and_resize(const Image& image, int64_t offset, int64_t side) {
  const int64_t edge = std::min(image.width, image.height);
  const int64_t left = image.width > edge ? offset : 0, top = image.height > edge ? offset : 0;
  std::vector<float> square(static_cast<size_t>(edge * edge * channels));
  for (int64_t row = 0; row < edge; ++row) {
    const uint8_t* from = image.rgb.data() + ((top + row) * image.width + left) * channels;
    std::copy_n(from, edge * channels, square.data() + row * edge * channels);
  }
  const std::vector<Taps> taps = triangle_taps(edge, side);
  // Rows to length `side`; then the columns of that, which come out as rows of the transposed picture.
  std::vector<float> narrow(static_cast<size_t>(edge * side * channels));
  resample(taps, square.data(), edge, edge * channels, channels, narrow.data());
  std::vector<float> transposed(static_cast<size_t>(side * side * channels));
  resample(taps, narrow.data(), side, channels, side * channels, transposed.data());

  std::vector<uint8_t> pixels(transposed.size());
  for (int64_t row = 0; row < side; ++row) {
    for (int64_t column = 0; column < side; ++column) {
      for (int64_t c = 0; c < channels; ++c) {
        const float value = transposed[static_cast<size_t>((column * side + row) * channels + c)];
        pixels[static_cast<size_t>((row * side + column) * channels + c)] =
            static_cast<uint8_t>(std::clamp(std::lround(value), 0L, 255L));
      }
    }
  }
  return pixels;
}

}  // namespace ebm
