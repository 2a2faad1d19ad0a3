// SPDX-License-Identifier: MIT
#include "data/toy.h"

namespace ebm {

ToyData::ToyData(Kernels& kernels, ToyDataset dataset, int64_t batch, uint64_t seed, uint32_t stream)
    : kernels_(kernels),
      dataset_(dataset),
      seed_(seed),
      stream_(stream),
      normals_(kernels, batch, flat(2)),
      uniforms_(kernels, batch, flat(2)) {}

void ToyData::draw(const uint64_t* iteration, View x) {
  kernels_.noise({Distribution::normal, seed_, stream_, iteration}, normals_);
  if (dataset_ == ToyDataset::swiss_roll) {
    kernels_.noise({Distribution::uniform, seed_, stream_ + 1, iteration}, uniforms_);
  }
  kernels_.run(ToyBatch{.rows = x.rows,
                        .dataset = dataset_,
                        .normals = normals_.data(),
                        .uniforms = uniforms_.data(),
                        .x = x.data});
}

}  // namespace ebm
