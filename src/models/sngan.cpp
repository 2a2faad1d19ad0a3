// SPDX-License-Identifier: MIT
#include "models/sngan.h"

#include <utility>

#include "layers/linear.h"
#include "models/blocks.h"

namespace ebm {

namespace {

constexpr Features image{.height = 32, .width = 32, .channels = 3};
constexpr Window conv3{.kernel = {3, 3}, .padding = {1, 1}};
constexpr Window conv1{.kernel = {1, 1}};
constexpr Extent twice{2, 2};
constexpr float eps = 2e-5f;  // Chainer's default

/// OptimizedBlock.
void first_block(Stack& main, int64_t channels) {
  Stack left = main.side(), right = main.side();
  left.convolution(conv3, channels, relu).convolution(conv3, channels).average_pool(twice);
  right.average_pool(twice).convolution(conv1, channels);
  main.residual(std::move(left), std::move(right));
}

/// ReLU Conv2d ReLU Conv2d.
Stack convolved(const Stack& main, int64_t channels) {
  Stack left = main.side();
  left.leaky(relu.slope).convolution(conv3, channels, relu).convolution(conv3, channels);
  return left;
}

}  // namespace

std::unique_ptr<Layer> sngan_energy(int64_t c, WeightNorm weight_norm) {
  Stack main(image);
  main.weight_norm(weight_norm);
  first_block(main, c);  // 16
  Stack left = convolved(main, c), right = main.side();
  left.average_pool(twice);
  right.pointwise_and_average_pool(c, twice);
  main.residual(std::move(left), std::move(right));  // 8
  main.residual(convolved(main, c));
  main.residual(convolved(main, c));
  main.leaky(relu.slope).spatial_sum();
  auto expand = std::make_unique<Linear>(main.features(), flat(1), Bias::no, Activation{}, weight_norm);
  return network_of("main", main.build(), "expand", std::move(expand));
}

std::unique_ptr<Layer> sngan_generator(int64_t latent, int64_t c) {
  Stack main(flat(latent));
  main.linear(Features{.height = 4, .width = 4, .channels = c}).reshape();
  for (int i = 0; i < 3; ++i) doubling_block(main, c, eps);  // 8, 16, 32
  main.batch_norm(eps, relu).convolution(conv3, image.channels).tanh();
  return network_of("main", main.build());
}

}  // namespace ebm
