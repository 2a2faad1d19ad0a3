// SPDX-License-Identifier: MIT
#pragma once

#include <vector>

#include "data/data_source.h"
#include "kernels/formulas/rank_rows.h"

namespace ebm {

/// What tells runs on these images from those on others; another number with other formulas.
inline constexpr const char* shapes_checksum = "shapes:1";

/// Images of shapes in colours (kernels/formulas/shapes.h), drawn anew for each iteration on the device:
/// `--synthetic`. Of each 100 draws that follow one another, from a multiple of 100 on, every mode has one, in
/// an order of its own.
class ShapesData final : public DataSource {
 public:
  /// Batches of so many steps, of which this is one rank's share, of images of `shape`, H = W, from the noise
  /// stream `stream` of `seed`. Throws Error when the images are not square.
  ShapesData(Kernels& kernels, const Features& shape, const RankRows& share, int64_t steps, uint64_t seed,
             uint32_t stream);

  const Features& features() const override { return shape_; }
  void draw(const uint64_t* iteration, View x) override;

 private:
  Kernels& kernels_;
  Features shape_;
  RankRows share_;
  int64_t steps_;
  uint64_t seed_;
  uint32_t stream_;
  Tensor uniforms_;
  Buffer<int64_t> picks_;
};

/// The first `count` images of a noise stream: count x H x W x C. Those of a stream that no training draws
/// from are held out.
std::vector<float> shape_images(Kernels& kernels, const Features& shape, int64_t count, uint64_t seed,
                                uint32_t stream);

}  // namespace ebm
