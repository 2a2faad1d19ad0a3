// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "train/method.h"

namespace ebm::test {

/// Keeps what an iteration tells, on the host.
class Seen final : public Watcher {
 public:
  explicit Seen(Kernels& kernels) : kernels_(kernels) {}
  void see(const std::string& name, ConstView values) override {
    if (!values.empty()) results[name] = download(kernels_, values);
    at(name);
  }

  std::map<std::string, std::vector<float>> results;
  std::function<void(const std::string&)> at = [](const std::string&) {};  ///< called after each

 private:
  Kernels& kernels_;
};

/// The number of the last iteration under this name. Throws Error when there is none.
inline float number(Method& method, const std::string& name) {
  const Numbers::Values values = method.numbers().download();
  const std::vector<Numbers::Entry>& entries = method.numbers().entries();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].name == name) return values.numbers[i];
  }
  throw Error("there is no number '" + name + "'");
}

}  // namespace ebm::test
