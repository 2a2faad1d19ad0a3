// SPDX-License-Identifier: MIT
// Inputs and results of tests/golden/make_metrics_goldens.py and make_reference_goldens.py, and what a refusal is.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"
#include "io/hdf5_file.h"
#include "metrics/feature_rows.h"
#include "support/files.h"

namespace ebm::test {

/// A group of tests/golden/metrics/measures.h5, or of another file there.
class MetricsGolden {
 public:
  explicit MetricsGolden(std::string group, const char* file = "measures.h5")
      : file_(Hdf5File::open_read(golden_folder() / "metrics" / file)), group_(std::move(group)) {}

  template <class T>
  [[nodiscard]] std::vector<T> array(const std::string& name) const {
    return file_.read_dataset<T>(group_ + "/" + name).values;
  }
  [[nodiscard]] double number(const std::string& name) const { return array<double>(name).at(0); }
  [[nodiscard]] std::vector<int64_t> integers(const std::string& name) const { return array<int64_t>(name); }
  [[nodiscard]] int64_t columns(const std::string& name) const {
    return file_.read_dataset<float>(group_ + "/" + name).dims.at(1);
  }

 private:
  Hdf5File file_;
  std::string group_;
};

/// f() throws an Error of one line that says `said`.
template <class F>
void expect_refusal(const F& f, const std::string& said) {
  try {
    f();
    ADD_FAILURE() << "nothing was refused; expected \"" << said << "\"";
  } catch (const Error& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find(said), std::string::npos) << message;
    EXPECT_EQ(message.find('\n'), std::string::npos) << message;
  }
}

}  // namespace ebm::test
