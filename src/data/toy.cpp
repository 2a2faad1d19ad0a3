// SPDX-License-Identifier: MIT
#include "data/toy.h"

#include "parallel/rank_noise.h"

namespace ebm {

ToyData::ToyData(Kernels& kernels, ToyDataset dataset, const RankRows& share, int64_t steps, uint64_t seed,
                 uint32_t stream)
    : kernels_(kernels),
      dataset_(dataset),
      share_(share),
      seed_(seed),
      stream_(stream),
      normals_(kernels, share.rows * steps, flat(2)),
      uniforms_(kernels, share.rows * steps, flat(2)) {
  require_noise_for(share, plane_.size());
}

void ToyData::draw(const uint64_t* iteration, View x) {
  rank_noise(kernels_, {Distribution::normal, seed_, stream_, iteration}, share_, normals_);
  if (dataset_ == ToyDataset::swiss_roll) {
    rank_noise(kernels_, {Distribution::uniform, seed_, stream_ + 1, iteration}, share_, uniforms_);
  }
  kernels_.run(ToyBatch{.rows = x.rows,
                        .share = share_,
                        .dataset = dataset_,
                        .normals = normals_.data(),
                        .uniforms = uniforms_.data(),
                        .x = x.data});
}

}  // namespace ebm
