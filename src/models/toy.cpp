// SPDX-License-Identifier: MIT
#include "models/toy.h"

#include "layers/linear.h"
#include "layers/monotone_coupling.h"
#include "models/stack.h"

namespace ebm {

std::unique_ptr<Layer> toy_energy(int64_t hidden, OutputScale scale, WeightNorm weight_norm,
                                  EnergyOutput output, const HiddenLayers& layers) {
  Stack main(flat(2));
  main.weight_norm(weight_norm).smooth_activations(layers.curve);
  for (int64_t i = 0; i < layers.depth; ++i) main.linear(hidden).prelu();
  main.linear(1);
  if (output == EnergyOutput::softplus) main.smooth(Curve::softplus);
  if (scale == OutputScale::none) return network_of("main", main.build());
  return network_of("main", main.build(), "l",
                    std::make_unique<Linear>(flat(1), flat(1), Bias::no, Activation{}, weight_norm));
}

std::unique_ptr<Layer> toy_generator(int64_t latent, int64_t hidden, const HiddenLayers& layers) {
  constexpr float eps = 1e-5f;
  Stack main(flat(latent));
  main.smooth_activations(layers.curve);
  for (int64_t i = 0; i < layers.depth; ++i) main.linear(hidden).prelu().batch_norm(eps);
  main.linear(2);
  return network_of("main", main.build());
}

std::unique_ptr<Layer> toy_flow(int64_t hidden, int64_t couplings, int64_t steps) {
  constexpr int64_t features = 2;
  std::vector<std::unique_ptr<Layer>> layers;
  for (int64_t i = 0; i < couplings; ++i) {
    Stack net(flat(MonotoneCoupling::kept(features)));
    net.linear(hidden).tanh();
    net.linear(MonotoneCoupling::parameters(features, steps));
    layers.push_back(
        std::make_unique<MonotoneCoupling>(flat(features), steps, Sequential::Child{"net", net.build()}));
  }
  return network_of("main", sequential(std::move(layers)));
}

}  // namespace ebm
