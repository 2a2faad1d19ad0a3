// SPDX-License-Identifier: MIT
#include "models/resnet.h"

#include "layers/linear.h"
#include "models/blocks.h"

namespace ebm {

namespace {

constexpr Features image{.height = 64, .width = 64, .channels = 3};
constexpr Window conv3{.kernel = {3, 3}, .padding = {1, 1}};
constexpr Window conv1{.kernel = {1, 1}};
constexpr Extent twice{2, 2};
constexpr float eps = 1e-4f;
constexpr float slope = 0.1f;

enum class Pooling { none, average };

/// LReLU, after a BN if there is one.
void activate(Stack& stack, EnergyNorm norm) {
  if (norm == EnergyNorm::batch) {
    stack.batch_norm(eps, leaky_relu(slope));
  } else {
    stack.leaky(slope);
  }
}

/// Conv2D, then (BN) LReLU.
void convolve_and_activate(Stack& stack, EnergyNorm norm, int64_t channels) {
  if (norm == EnergyNorm::batch) {
    stack.convolution(conv3, channels).batch_norm(eps, leaky_relu(slope));
  } else {
    stack.convolution(conv3, channels, leaky_relu(slope));
  }
}

/// ResBlock0 of Table 9.
void first_energy_block(Stack& main, EnergyNorm norm, int64_t channels) {
  Stack left = main.side(), right = main.side();
  convolve_and_activate(left, norm, channels);
  left.convolution(conv3, channels).average_pool(twice);
  right.average_pool(twice);
  if (norm == EnergyNorm::batch) right.batch_norm(eps);
  right.convolution(conv1, channels);
  main.residual(std::move(left), std::move(right));
}

/// ResBlock1 to ResBlock4.
void energy_block(Stack& main, EnergyNorm norm, int64_t channels, Pooling pooling) {
  Stack left = main.side(), right = main.side();
  activate(left, norm);
  convolve_and_activate(left, norm, channels);
  left.convolution(conv3, channels);
  if (norm == EnergyNorm::batch) right.batch_norm(eps);
  if (pooling == Pooling::average) {
    left.average_pool(twice);
    right.pointwise_and_average_pool(channels, twice);
  } else {
    right.convolution(conv1, channels);
  }
  main.residual(std::move(left), std::move(right));
}

}  // namespace

Stack resnet_energy_trunk(EnergyNorm norm, int64_t c, WeightNorm weight_norm, std::optional<Curve> curve) {
  Stack main(image);
  main.weight_norm(weight_norm).smooth_activations(curve);
  first_energy_block(main, norm, c);                  // 32
  energy_block(main, norm, 2 * c, Pooling::average);  // 16
  energy_block(main, norm, 4 * c, Pooling::average);  // 8
  energy_block(main, norm, 8 * c, Pooling::average);  // 4
  energy_block(main, norm, 16 * c, Pooling::none);    // 4
  main.leaky(slope).spatial_sum();
  return main;
}

std::unique_ptr<Layer> resnet_energy(EnergyNorm norm, int64_t c, WeightNorm weight_norm,
                                     std::optional<Curve> curve) {
  Stack main = resnet_energy_trunk(norm, c, weight_norm, curve);
  auto expand = std::make_unique<Linear>(main.features(), flat(1), Bias::yes, Activation{}, weight_norm);
  return network_of("main", main.build(), "expand", std::move(expand));
}

std::unique_ptr<Layer> resnet_generator(int64_t latent, int64_t c, std::optional<Curve> curve) {
  Stack main(flat(latent));
  main.smooth_activations(curve);
  main.linear(Features{.height = 4, .width = 4, .channels = 16 * c}).reshape();
  for (const int64_t channels : {8 * c, 4 * c, 2 * c, c})
    doubling_block(main, channels, eps);  // 8, 16, 32, 64
  main.batch_norm(eps, relu).convolution(conv3, image.channels).tanh();
  return network_of("main", main.build());
}

}  // namespace ebm
