// SPDX-License-Identifier: MIT
// Methods with given numbers in place of noise and data.
#pragma once

#include <map>

#include "support/networks.h"
#include "train/method.h"

namespace ebm::test {

/// Gives a method recorded draws. Throws Error for a draw that nobody recorded.
class RecordedNoise final : public NoiseSource {
 public:
  explicit RecordedNoise(Kernels& kernels) : kernels_(kernels) {}
  void record(const std::string& name, const reference::Matrix<double>& values) {
    draws_.insert_or_assign(name, on_device(kernels_, values));
  }
  void fill(const std::string& name, Distribution, View out) override {
    const auto found = draws_.find(name);
    if (found == draws_.end() || found->second.size() != out.size()) {
      throw Error("the draw " + name + " has no recorded " + to_string(out));
    }
    kernels_.copy(out.data, found->second.data(), out.size() * static_cast<int64_t>(sizeof(float)));
  }

 private:
  Kernels& kernels_;
  std::map<std::string, Tensor> draws_;
};

/// Gives a method the same batch again and again.
class RecordedData final : public DataSource {
 public:
  RecordedData(Kernels& kernels, const reference::Matrix<double>& x)
      : RecordedData(kernels, x, flat(x.cols)) {}
  RecordedData(Kernels& kernels, const reference::Matrix<double>& x, const Features& features)
      : kernels_(kernels), x_(on_device(kernels, x, features)) {}
  const Features& features() const override { return x_.features(); }
  void draw(const uint64_t*, View x) override {
    kernels_.copy(x.data, x_.data(), x.size() * static_cast<int64_t>(sizeof(float)));
  }

 private:
  Kernels& kernels_;
  Tensor x_;
};

}  // namespace ebm::test
