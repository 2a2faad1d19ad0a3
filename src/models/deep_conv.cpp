// SPDX-License-Identifier: MIT
#include "models/deep_conv.h"

#include "layers/linear.h"
#include "models/dcgan.h"
#include "models/stack.h"

namespace ebm {

namespace {

constexpr float eps = 1e-4f;

}  // namespace

std::unique_ptr<Layer> deep_conv_energy(int64_t c) {
  constexpr Features image{.height = 32, .width = 32, .channels = 3};
  constexpr Window conv3{.kernel = {3, 3}, .padding = {1, 1}};
  constexpr Window conv4{.kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 1}};  // halves the image
  Stack main(image);
  for (const int64_t channels : {c, 2 * c, 4 * c}) {  // 16, 8, 4
    main.convolution(conv3, channels).batch_norm(eps, relu);
    main.convolution(conv4, channels).batch_norm(eps, relu);
  }
  main.convolution(conv3, 8 * c).batch_norm(eps, relu).spatial_sum();
  auto expand = std::make_unique<Linear>(main.features(), flat(1));
  return network_of("main", main.build(), "expand", std::move(expand));
}

std::unique_ptr<Layer> deep_conv_generator(int64_t latent, int64_t channels) {
  return dcgan_generator(latent, channels, eps);
}

}  // namespace ebm
