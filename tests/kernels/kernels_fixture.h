// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "reference/random.h"
#include "support/devices.h"
#include "support/tolerance.h"

namespace ebm::test {

/// One test on one device.
class KernelsTest : public testing::TestWithParam<std::string> {
 protected:
  KernelsTest() : kernels_(open_device(GetParam())) {}

  Tensor tensor(int64_t rows, int64_t columns, const std::vector<float>& values) {
    Tensor t(*kernels_, rows, flat(columns));
    t.upload(values);
    return t;
  }
  std::vector<float> normals(int64_t n) {
    const std::vector<double> values = random_.normals(n);
    return {values.begin(), values.end()};
  }

  std::unique_ptr<Kernels> kernels_;
  reference::Random random_{20240607};
};

/// The larger of `worst` and error / unit, where NaN is the largest of all.
inline double worse(double worst, double error, double unit) {
  const double relative = error == 0 ? 0 : error / unit;
  return relative <= worst ? worst : std::isnan(relative) ? HUGE_VAL : relative;
}

inline const std::vector<int64_t> odd_sizes{1, 3, 17, 257, 1000};

/// The same bits, NaN included.
inline bool same_bits(const std::vector<float>& a, const std::vector<float>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace ebm::test
