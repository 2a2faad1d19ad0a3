// SPDX-License-Identifier: MIT
#include "models/toy.h"

#include <utility>
#include <vector>

#include "layers/batch_norm.h"
#include "layers/linear.h"
#include "layers/prelu.h"
#include "layers/sequential.h"

namespace ebm {

std::unique_ptr<Layer> toy_energy(int64_t hidden, OutputScale scale) {
  std::vector<std::unique_ptr<Layer>> main;
  main.push_back(std::make_unique<Linear>(2, hidden));
  main.push_back(std::make_unique<PreluLayer>(flat(hidden)));
  main.push_back(std::make_unique<Linear>(hidden, hidden));
  main.push_back(std::make_unique<PreluLayer>(flat(hidden)));
  main.push_back(std::make_unique<Linear>(hidden, 1));
  std::vector<Sequential::Child> children;
  children.push_back({"main", sequential(std::move(main))});
  if (scale == OutputScale::learned) children.push_back({"l", std::make_unique<Linear>(1, 1, Bias::no)});
  return std::make_unique<Sequential>(std::move(children));
}

std::unique_ptr<Layer> toy_generator(int64_t latent, int64_t hidden) {
  std::vector<std::unique_ptr<Layer>> main;
  for (const int64_t in : {latent, hidden}) {
    main.push_back(std::make_unique<Linear>(in, hidden));
    main.push_back(std::make_unique<PreluLayer>(flat(hidden)));
    main.push_back(std::make_unique<BatchNorm>(flat(hidden)));
  }
  main.push_back(std::make_unique<Linear>(hidden, 2));
  std::vector<Sequential::Child> children;
  children.push_back({"main", sequential(std::move(main))});
  return std::make_unique<Sequential>(std::move(children));
}

}  // namespace ebm
