// SPDX-License-Identifier: MIT
#include "data/svhn.h"

#include <fmt/format.h>

#include "data/mat_file.h"

namespace ebm {
namespace {

/// X's dimensions as H x W x C; MATLAB drops a last dimension of 1.
Features image_shape(const MatArray& x, const std::filesystem::path& path) {
  const auto& dims = x.dims();
  constexpr int64_t largest_side = 4096;
  const bool fits = (dims.size() == 3 || dims.size() == 4) && x.storage() == MatArray::Storage::uint8 &&
                    dims[0] <= largest_side && dims[1] <= largest_side && dims[2] == 3;
  if (!fits) throw unusable(path, "its array X is not uint8 of height x width x 3 x count");
  return {.height = dims[0], .width = dims[1], .channels = dims[2]};
}

int64_t digit(double y, int64_t image, const std::filesystem::path& path) {
  for (int64_t label = 1; label <= 10; ++label) {
    if (y == static_cast<double>(label)) return label % 10;
  }
  throw unusable(path, fmt::format("image {} has label {}, svhn has labels 1..10", image, y));
}

}  // namespace

void read_svhn(const std::filesystem::path& folder, DataSplit split, ImageSink& sink) {
  require_split("svhn", split, {DataSplit::train, DataSplit::test, DataSplit::extra});
  const InputFile file(folder / fmt::format("{}_32x32.mat", to_string(split)));
  MatArray x(file, "X");
  const std::vector<double> y = MatArray(file, "y").read_all();
  const Features shape = image_shape(x, file.path());
  const int64_t count = x.count() / shape.size();
  if (std::ssize(y) != count) {
    throw unusable(file.path(), fmt::format("it has {} labels for {} images", y.size(), count));
  }
  sink.begin({.name = "svhn",
              .split = split,
              .source = file.path().filename().string(),
              .shape = shape,
              .count = count});
  std::vector<uint8_t> stored(static_cast<size_t>(shape.size())), pixels(stored.size());
  for (int64_t i = 0; i < count; ++i) {
    x.read(stored, fmt::format("image {} of {}", i, count));
    size_t at = 0;
    for (int64_t row = 0; row < shape.height; ++row) {
      for (int64_t column = 0; column < shape.width; ++column) {
        for (int64_t channel = 0; channel < shape.channels; ++channel) {
          pixels[at++] = stored[static_cast<size_t>(row + shape.height * (column + shape.width * channel))];
        }
      }
    }
    sink.add(pixels, digit(y[static_cast<size_t>(i)], i, file.path()));
  }
  x.require_end();
}

}  // namespace ebm
