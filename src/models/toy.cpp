// SPDX-License-Identifier: MIT
#include "models/toy.h"

#include "layers/linear.h"
#include "models/stack.h"

namespace ebm {

std::unique_ptr<Layer> toy_energy(int64_t hidden, OutputScale scale) {
  Stack main(flat(2));
  main.linear(hidden).prelu();
  main.linear(hidden).prelu();
  main.linear(1);
  if (scale == OutputScale::none) return network_of("main", main.build());
  return network_of("main", main.build(), "l", std::make_unique<Linear>(1, 1, Bias::no));
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
