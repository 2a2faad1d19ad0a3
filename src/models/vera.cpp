// SPDX-License-Identifier: MIT
#include "models/vera.h"

#include "models/stack.h"

namespace ebm {

namespace {

constexpr float slope = 0.2f, eps = 1e-5f;
constexpr Window conv4{.kernel = {4, 4}, .stride = {2, 2}, .padding = {1, 1}};

/// The convolution between one pixel and the least image.
Window over_all(int64_t side) {
  return {.kernel = {side / 16, side / 16}};
}

}  // namespace

std::unique_ptr<Layer> vera_toy_energy(int64_t hidden) {
  Stack main(flat(2));
  main.linear(hidden).leaky(slope).linear(hidden).leaky(slope).linear(1);
  return main.build();
}

std::unique_ptr<Layer> vera_toy_generator(int64_t latent, int64_t hidden) {
  Stack main(flat(latent));
  for (int i = 0; i < 2; ++i) main.linear(hidden, Bias::no).batch_norm(eps, relu);
  main.linear(2);
  return main.build();
}

std::unique_ptr<Layer> vera_image_energy(int64_t side, int64_t c) {
  Stack main({.height = side, .width = side, .channels = 3});
  for (const int64_t times : {1, 2, 4, 8}) main.convolution(conv4, times * c, leaky_relu(slope));
  main.convolution(over_all(side), 1, {}, Bias::no);
  return main.build();
}

std::unique_ptr<Layer> vera_image_generator(int64_t side, int64_t latent, int64_t c) {
  Stack main(flat(latent));
  main.transposed_convolution(over_all(side), 8 * c, {}, Bias::no).batch_norm(eps, relu);
  for (const int64_t times : {4, 2, 1})
    main.transposed_convolution(conv4, times * c, {}, Bias::no).batch_norm(eps, relu);
  main.transposed_convolution(conv4, 3).tanh();
  return main.build();
}

}  // namespace ebm
