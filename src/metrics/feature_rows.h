// SPDX-License-Identifier: MIT
// Features of samples, as a network gives them: float32, a row a sample.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace ebm {

struct FeatureRows {
  std::span<const float> values;  // (count, dim)
  int64_t dim = 0;

  [[nodiscard]] int64_t count() const { return static_cast<int64_t>(values.size()) / dim; }
  [[nodiscard]] std::span<const float> row(int64_t i) const {
    return values.subspan(static_cast<size_t>(i * dim), static_cast<size_t>(dim));
  }
};

/// Throws Error unless `rows`, which a message calls `name`, are whole rows, at least `at_least` of them, of
/// finite numbers.
void check_rows(const std::string& name, const FeatureRows& rows, int64_t at_least);

/// Throws Error unless a and b have features of one length.
void check_same_length(const FeatureRows& a, const FeatureRows& b);

}  // namespace ebm
