// SPDX-License-Identifier: MIT
// The Inception v3 network of TensorFlow's graph of 2015-12-05, which inception scores and Frechet distances
// are measured with (Szegedy et al. 2016, arXiv:1512.00567; Heusel et al. 2017, arXiv:1706.08500), as PyTorch
// ports have it (mseitzer/pytorch-fid, toshas/torch-fidelity). In three places it is not torchvision's
// Inception v3: average pooling does not count padding, the last block pools the largest, and there are 1008
// classes.
//
// A convolution there has no bias and a batch norm behind it; with running statistics that is a convolution
// with a bias (evaluate/inception_weights.h folds the one into the other), then ReLU. For evaluation only:
// forward.
#pragma once

#include <memory>
#include <string>

#include "layers/layer.h"

namespace ebm {

struct InceptionShape {
  int64_t side = 299;  ///< of the images, at least 75
  // For tests:
  int64_t narrower = 1;  ///< divides the channels of all layers: 1, 2, 4, 8 or 16
  std::string last{};    ///< the network ends with the layer or block of this name; "": it is whole
};

inline constexpr int64_t inception_classes = 1008;

/// Images of side x side x 3, in [-1, 1], to features: the mean over all pixels of the last block's 2048
/// channels. Parameters are named as in PyTorch's files but for the batch norms: "Mixed_5b.branch1x1.weight",
/// ".bias". Throws Error when the channels cannot be divided or the image is too small.
std::unique_ptr<Layer> inception_features(const InceptionShape& shape = {});

/// Features to the logits of 1008 classes: "fc.weight", "fc.bias".
std::unique_ptr<Layer> inception_logits(const InceptionShape& shape = {});

}  // namespace ebm
