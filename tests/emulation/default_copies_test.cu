// SPDX-License-Identifier: MIT
// A recorded graph's nodes are counted rightly where the driver says cudaMemcpyDefault of its copies.
#include "core/memory.h"
#include "kernels/cuda/cuda_base.h"
#include "planted.cuh"

namespace ebm::emulated {

void plant_default_copies(bool planted);

namespace {

TEST(DefaultCopiesTest, CopiesOnTheDeviceAndToTheHostAreToldApart) {
  const auto kernels = make_cuda_kernels(0);
  const Buffer<float> a(*kernels, 3), b(*kernels, 3);
  const auto readback = kernels->readback(3 * sizeof(float));
  for (const bool planted : {false, true}) {
    plant_default_copies(planted);
    const auto graph = kernels->capture([&] {
      kernels->copy(b.data(), a.data(), 3 * sizeof(float));
      readback->start(b.data());
    });
    plant_default_copies(false);
    EXPECT_EQ(graph->nodes().copies, 1) << planted;
    EXPECT_EQ(graph->nodes().others, 1) << planted;
  }
}

}  // namespace
}  // namespace ebm::emulated
