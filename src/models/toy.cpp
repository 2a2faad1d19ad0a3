// SPDX-License-Identifier: MIT
#include "models/toy.h"

#include "layers/linear.h"
#include "models/stack.h"

namespace ebm {

std::unique_ptr<Layer> toy_energy(int64_t hidden, OutputScale scale, WeightNorm weight_norm,
                                  EnergyOutput output) {
  Stack main(flat(2));
  main.weight_norm(weight_norm);
  main.linear(hidden).prelu();
  main.linear(hidden).prelu();
  main.linear(1);
  if (output == EnergyOutput::softplus) main.smooth(Curve::softplus);
  if (scale == OutputScale::none) return network_of("main", main.build());
  return network_of("main", main.build(), "l",
                    std::make_unique<Linear>(flat(1), flat(1), Bias::no, Activation{}, weight_norm));
}

std::unique_ptr<Layer> toy_generator(int64_t latent, int64_t hidden) {
  constexpr float eps = 1e-5f;
  Stack main(flat(latent));
  main.linear(hidden).prelu().batch_norm(eps);
  main.linear(hidden).prelu().batch_norm(eps);
  main.linear(2);
  return network_of("main", main.build());
}

}  // namespace ebm
