// SPDX-License-Identifier: MIT
#pragma once

#include "data/data_source.h"
#include "kernels/formulas/rank_rows.h"

namespace ebm {

/// The data sets of section 5.2, drawn anew for each iteration on the device (kernels/formulas/toy_data.h).
class ToyData final : public DataSource {
 public:
  /// Batches of `batch` points from the noise streams stream and stream + 1 of `seed`.
  ToyData(Kernels& kernels, ToyDataset dataset, int64_t batch, uint64_t seed, uint32_t stream)
      : ToyData(kernels, dataset, {.rows = batch}, 1, seed, stream) {}
  /// Batches of so many steps, of which this is one rank's share.
  ToyData(Kernels& kernels, ToyDataset dataset, const RankRows& share, int64_t steps, uint64_t seed,
          uint32_t stream);

  const Features& features() const override { return plane_; }
  std::optional<ToyDensity> density() const override { return ToyDensity{dataset_}; }
  void draw(const uint64_t* iteration, View x) override;

 private:
  Kernels& kernels_;
  ToyDataset dataset_;
  RankRows share_;
  uint64_t seed_;
  uint32_t stream_;
  Features plane_ = flat(2);
  Tensor normals_, uniforms_;
};

}  // namespace ebm
