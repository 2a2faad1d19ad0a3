// SPDX-License-Identifier: MIT
#include "evaluate/image_resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace ebm {

namespace {

constexpr std::array names{std::pair{Resize::tf, "tf"}, std::pair{Resize::legacy_torch, "legacy_torch"},
                           std::pair{Resize::clean, "clean"}};
constexpr int64_t colours = 3;

/// The weights of the old pixels first, first + 1, ...
struct Span {
  int64_t first;
  std::vector<double> weights;
};

/// Between the old pixels around a place, counted from the middle of pixel 0.
Span bilinear(float place, int64_t old_size) {
  const auto low = static_cast<int64_t>(place);
  const double right = static_cast<double>(place) - static_cast<double>(low);
  if (low + 1 >= old_size) return {old_size - 1, {1}};
  return {low, {1 - right, right}};
}

/// The places are float32 there too.
Span tensorflow(int64_t j, int64_t old_size, int64_t size) {
  const auto scale = static_cast<float>(static_cast<double>(old_size) / static_cast<double>(size));
  return bilinear(static_cast<float>(j) * scale, old_size);
}

Span pytorch(int64_t j, int64_t old_size, int64_t size) {
  const float scale = static_cast<float>(old_size) / static_cast<float>(size);
  return bilinear(std::max(0.0f, scale * (static_cast<float>(j) + 0.5f) - 0.5f), old_size);
}

/// Keys' cubic convolution with a = -1/2.
double cubic(double x) {
  constexpr double a = -0.5;
  x = std::abs(x);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

/// Pillow's: for smaller images the filter is as much wider.
Span pillow(int64_t j, int64_t old_size, int64_t size) {
  const double scale = static_cast<double>(old_size) / static_cast<double>(size), wide = std::max(scale, 1.0);
  const double radius = 2 * wide, centre = (static_cast<double>(j) + 0.5) * scale;
  const int64_t first = std::max<int64_t>(0, static_cast<int64_t>(std::floor(centre - radius + 0.5)));
  const int64_t last = std::min(old_size, static_cast<int64_t>(std::floor(centre + radius + 0.5)));
  Span span{first, {}};
  double sum = 0;
  for (int64_t i = first; i < last; ++i) {
    span.weights.push_back(cubic((static_cast<double>(i) - centre + 0.5) / wide));
    sum += span.weights.back();
  }
  for (double& weight : span.weights) weight /= sum;
  return span;
}

Span span_of(Resize how, int64_t j, int64_t old_size, int64_t size) {
  switch (how) {
    case Resize::tf:
      return tensorflow(j, old_size, size);
    case Resize::legacy_torch:
      return pytorch(j, old_size, size);
    default:
      return pillow(j, old_size, size);
  }
}

/// What a line of an image, width x C, is multiplied with: the taps of each new pixel, for each colour.
std::vector<float> line_matrix(const TapTable& table, const Features& image) {
  const size_t channels = static_cast<size_t>(image.channels), columns = table.first.size() * colours;
  std::vector<float> matrix(static_cast<size_t>(image.width) * channels * columns);
  for (size_t column = 0; column < columns; ++column) {
    const size_t j = column / colours, c = channels == 1 ? 0 : column % colours;
    for (size_t k = 0; k < static_cast<size_t>(table.taps); ++k) {
      const size_t pixel = static_cast<size_t>(table.first[j]) + k;
      matrix[(pixel * channels + c) * columns + column] =
          table.weights[j * static_cast<size_t>(table.taps) + k];
    }
  }
  return matrix;
}

const Features& checked(const Features& image) {
  if (image.pixels() < 1 || (image.channels != 1 && image.channels != colours))
    throw Error("images of " + to_string(image) + " cannot be resized; they must have 1 or 3 channels");
  return image;
}

}  // namespace

Resize resize_named(const std::string& name) {
  for (const auto& [how, its_name] : names) {
    if (name == its_name) return how;
  }
  throw UsageError("there is no resize '" + name + "'; give tf, legacy_torch or clean");
}

std::string to_string(Resize how) {
  return std::find_if(names.begin(), names.end(), [&](const auto& row) { return row.first == how; })->second;
}

TapTable tap_table(Resize how, int64_t old_size, int64_t size) {
  std::vector<Span> spans;
  size_t taps = 1;
  for (int64_t j = 0; j < size; ++j) {
    spans.push_back(span_of(how, j, old_size, size));
    taps = std::max(taps, spans.back().weights.size());
  }
  TapTable table{.taps = static_cast<int64_t>(taps), .first = {}, .weights = {}};
  for (const Span& span : spans) {
    // Where a span is shorter, weights of 0 fill it up on the side that has pixels.
    const int64_t first = std::min(span.first, old_size - table.taps);
    const size_t at = table.weights.size() + static_cast<size_t>(span.first - first);
    table.first.push_back(static_cast<int32_t>(first));
    table.weights.resize(table.weights.size() + taps, 0);
    for (size_t k = 0; k < span.weights.size(); ++k)
      table.weights[at + k] = static_cast<float>(span.weights[k]);
  }
  return table;
}

ImageResize::Table::Table(Kernels& kernels, const TapTable& table)
    : count(table.taps),
      first(kernels, std::span<const int32_t>(table.first)),
      weights(kernels, std::span<const float>(table.weights)) {}

Taps ImageResize::Table::taps() const {
  return {.size = first.size(), .taps = count, .first = first.data(), .weights = weights.data()};
}

ImageResize::ImageResize(Kernels& kernels, Resize how, const Features& image, int64_t side, int64_t batch)
    : kernels_(kernels),
      image_(checked(image)),
      scale_(how == Resize::legacy_torch ? 2.0f / 255 : 1.0f / 128),
      shift_(-1),
      along_(kernels, tap_table(how, image.width, side)),
      down_(kernels, tap_table(how, image.height, side)),
      images_(kernels, batch * image.size()),
      numbers_(kernels, batch * image.size()),
      line_matrix_(kernels, line_matrix(tap_table(how, image.width, side), image)),
      lines_(kernels, batch * image.height * side * colours) {}

void ImageResize::run(const uint8_t* images, View y) const {
  const int64_t columns = y.features.width * colours;
  kernels_.upload(images_.data(), images, y.rows * image_.size());
  kernels_.run(ResizeLines{.rows = y.rows * image_.height,
                           .columns = columns,
                           .width = image_.width,
                           .channels = image_.channels,
                           .out_channels = colours,
                           .table = along_.taps(),
                           .images = images_.data(),
                           .out = lines_.data()});
  run_down(y);
}

void ImageResize::run(const float* images, View y) const {
  kernels_.upload(numbers_.data(), images, y.rows * image_.size() * static_cast<int64_t>(sizeof(float)));
  kernels_.gemm({.m = y.rows * image_.height,
                 .n = y.features.width * colours,
                 .inner = image_.width * image_.channels,
                 .a = numbers_.data(),
                 .b = line_matrix_.data(),
                 .c = lines_.data()});
  run_down(y);
}

void ImageResize::run_down(View y) const {
  kernels_.run(ResizeColumns{.rows = y.rows * y.features.height,
                             .columns = y.features.width * colours,
                             .height = image_.height,
                             .table = down_.taps(),
                             .scale = scale_,
                             .shift = shift_,
                             .x = lines_.data(),
                             .y = y.data});
}

}  // namespace ebm
