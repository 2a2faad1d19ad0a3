// SPDX-License-Identifier: MIT
// The weights of Inception from a file of PyTorch's (models/inception.h). There
// a convolution has no bias and a batch norm behind it,
//   y = g (w * x - m) / sqrt(v + eps) + b,   eps = 1e-3,
// which is a convolution with weight g w / sqrt(v + eps) and bias b - g m / sqrt(v + eps): computed in
// float64 here.
#pragma once

#include "data/torch_file.h"
#include "layers/network.h"

namespace ebm {

/// Gives the two networks of models/inception.h their weights. Throws Error, which says how to get the right
/// file, when the file lacks an array, has one of another shape, has others besides, or has a number that is
/// not finite or a variance that is negative.
void read_inception_weights(const TorchFile& file, Kernels& kernels, Network& features, Network& logits);

}  // namespace ebm
