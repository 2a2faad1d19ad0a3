// SPDX-License-Identifier: MIT
#include "data/shapes.h"

#include "parallel/rank_noise.h"

namespace ebm {

ShapesData::ShapesData(Kernels& kernels, const Features& shape, const RankRows& share, int64_t steps,
                       uint64_t seed, uint32_t stream)
    : kernels_(kernels),
      shape_(shape),
      share_(share),
      steps_(steps),
      seed_(seed),
      stream_(stream),
      uniforms_(kernels, share.rows * steps, flat(shape_uniforms)),
      picks_(kernels, 2 * share.rows * steps) {
  if (shape.height != shape.width)
    throw Error("shapes are drawn on squares, not on " + to_string(shape) + "; give another shape");
  require_noise_for(share, shape_uniforms);
}

void ShapesData::draw(const uint64_t* iteration, View x) {
  require_batch(x, uniforms_.rows(), shape_);
  rank_noise(kernels_, {Distribution::uniform, seed_, stream_, iteration}, share_, uniforms_);
  kernels_.run(PickImages{.rows = x.rows,
                          .order = {.seed = seed_, .count = shape_modes(shape_.channels)},
                          .flips = Flips::none,
                          .share = share_,
                          .draws = share_.of_step() * steps_,
                          .iteration = iteration,
                          .staged = nullptr,
                          .picks = picks_.data()});
  kernels_.run(ShapeImages{.rows = x.rows * shape_.height,
                           .columns = shape_.width,
                           .channels = shape_.channels,
                           .uniforms = uniforms_.data(),
                           .picks = picks_.data(),
                           .x = x.data});
}

std::vector<float> shape_images(Kernels& kernels, const Features& shape, int64_t count, uint64_t seed,
                                uint32_t stream) {
  const Buffer<uint64_t> first(kernels, 1);  // the number of the draw, always 0
  const Tensor images(kernels, count, shape);
  ShapesData(kernels, shape, {.rows = count}, 1, seed, stream).draw(first.data(), images);
  return images.download();
}

}  // namespace ebm
