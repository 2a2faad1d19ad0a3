// SPDX-License-Identifier: MIT
#include "support/rounded_products.h"

#include "kernels/runner.h"

namespace ebm::test {

std::unique_ptr<RoundedProducts> make_rounded_products(std::unique_ptr<Kernels> device) {
  return std::make_unique<Runner<RoundedProducts>>(std::move(device));
}

}  // namespace ebm::test
