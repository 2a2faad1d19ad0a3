// SPDX-License-Identifier: MIT
#include "models/meg.h"

#include "layers/joined_inputs.h"
#include "layers/linear.h"
#include "models/stack.h"

namespace ebm {

namespace {

constexpr float slope = 0.2f;
constexpr Window conv5{.kernel = {5, 5}, .stride = {2, 2}, .padding = {2, 2}};
constexpr Window to_even{
    .kernel = {5, 5}, .stride = {2, 2}, .padding = {2, 2}, .output_padding = {1, 1}};  // doubles the side

std::unique_ptr<Layer> leaky_mlp(int64_t inputs, int64_t hidden) {
  Stack main(flat(inputs));
  for (int i = 0; i < 3; ++i) main.linear(hidden).leaky(slope);
  main.linear(1);
  return network_of("main", main.build());
}

/// Of a digit, to 2 x 2 x w.
Stack digit_trunk(int64_t channels, int64_t width) {
  Stack main({.height = 28, .width = 28, .channels = channels});
  for (const int64_t part : {8, 4, 2, 1}) main.convolution(conv5, width / part, leaky_relu(slope));
  return main;
}

/// The trunk, and a Linear named `expand` to so many numbers.
std::unique_ptr<Layer> expanded(Stack main, int64_t numbers) {
  auto expand = std::make_unique<Linear>(main.features(), flat(numbers));
  return network_of("main", main.build(), "expand", std::move(expand));
}

}  // namespace

std::unique_ptr<Layer> meg_toy_energy(int64_t hidden) {
  return leaky_mlp(2, hidden);
}

std::unique_ptr<Layer> meg_toy_generator(int64_t latent, int64_t hidden) {
  Stack main(flat(latent));
  for (int i = 0; i < 3; ++i) main.linear(hidden).leaky(0);
  main.linear(2);
  return network_of("main", main.build());
}

std::unique_ptr<Layer> meg_toy_statistics(int64_t latent, int64_t hidden) {
  return leaky_mlp(2 + latent, hidden);
}

std::unique_ptr<Layer> meg_digit_energy(int64_t channels, int64_t width) {
  return expanded(digit_trunk(channels, width), 1);
}

std::unique_ptr<Layer> meg_digit_generator(int64_t latent, int64_t channels, int64_t width) {
  constexpr float eps = 1e-5f;
  const Features first{.height = 2, .width = 2, .channels = width};
  Stack main(first);
  main.batch_norm(eps, relu);
  main.transposed_convolution(to_even, width / 2).batch_norm(eps, relu);  // 4
  main.transposed_convolution(conv5, width / 4).batch_norm(eps, relu);    // 7
  main.transposed_convolution(to_even, width / 8).batch_norm(eps, relu);  // 14
  main.transposed_convolution(to_even, channels).tanh();                  // 28
  return network_of("expand", std::make_unique<Linear>(flat(latent), first), "main", main.build());
}

std::unique_ptr<Layer> meg_digit_statistics(int64_t latent, int64_t channels, int64_t width) {
  Stack head(flat(2 * latent));
  head.linear(width).leaky(slope).linear(1);
  return std::make_unique<JoinedInputs>(
      Sequential::Child{"trunk", expanded(digit_trunk(channels, width), latent)},
      Sequential::Child{"head", head.build()});
}

}  // namespace ebm
