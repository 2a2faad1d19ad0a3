// SPDX-License-Identifier: MIT
// Spectral normalisation (Miyato et al. 2018) of a weight, naively, for any scalar: W / (u^T W v), where u
// and v are constants.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "reference/scalar.h"

namespace ebm::reference {

/// x / max(|x|, 1e-12)
inline std::vector<double> unit(std::vector<double> x) {
  double squared = 0;
  for (const double element : x) squared += element * element;
  const double length = std::max(std::sqrt(squared), 1e-12);
  for (double& element : x) element /= length;
  return x;
}

/// W (outputs x inputs) normalised with u, which a power iteration moves first if `iterate`: v = unit(W^T u),
/// u = unit(W v). `updated`, when given, receives u.
template <class T>
std::vector<T> spectral_weight(int64_t outputs, int64_t inputs, const T* w, const double* running,
                               bool iterate, double* updated) {
  const auto at = [&](int64_t o, int64_t i) -> const T& { return w[o * inputs + i]; };
  std::vector<double> u(running, running + outputs), v(static_cast<size_t>(inputs));
  for (int64_t i = 0; i < inputs; ++i)
    for (int64_t o = 0; o < outputs; ++o) v[static_cast<size_t>(i)] += value_of(at(o, i)) * u.at(o);
  v = unit(v);
  if (iterate) {
    u.assign(u.size(), 0.0);
    for (int64_t o = 0; o < outputs; ++o)
      for (int64_t i = 0; i < inputs; ++i) u[static_cast<size_t>(o)] += value_of(at(o, i)) * v.at(i);
    u = unit(u);
    if (updated != nullptr) std::copy(u.begin(), u.end(), updated);
  }
  T sigma = T(0.0);
  for (int64_t o = 0; o < outputs; ++o)
    for (int64_t i = 0; i < inputs; ++i) sigma += T(u.at(o) * v.at(i)) * at(o, i);
  std::vector<T> normalised;
  for (int64_t k = 0; k < outputs * inputs; ++k) normalised.push_back(w[k] / sigma);
  return normalised;
}

}  // namespace ebm::reference
