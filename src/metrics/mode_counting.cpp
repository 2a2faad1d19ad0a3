// SPDX-License-Identifier: MIT
#include "metrics/mode_counting.h"

#include <cmath>
#include <string>
#include <vector>

#include "core/error.h"

namespace ebm {

namespace {

int64_t mode_number(const DigitShape& shape) {
  int64_t modes = 1;
  for (int64_t channel = 0; channel < shape.channels; ++channel) {
    modes *= shape.classes;
    if (modes < 1 || modes > int64_t{1} << 24) break;
  }
  if (shape.channels < 1 || shape.classes < 1 || modes < 1 || modes > int64_t{1} << 24)
    throw Error("modes of " + std::to_string(shape.channels) + " channels with " +
                std::to_string(shape.classes) + " classes each: not between 1 and 2^24");
  return modes;
}

/// The share of the samples in each mode.
std::vector<double> shares(const char* name, const Digits& digits, const DigitShape& shape) {
  const size_t channels = static_cast<size_t>(shape.channels), size = digits.values.size();
  std::vector<double> counts(static_cast<size_t>(mode_number(shape)));
  if (size == 0 || size % channels != 0)
    throw Error(std::string(name) + ": " + std::to_string(size) + " digits are no samples of " +
                std::to_string(channels) + " channels");
  for (size_t first = 0; first < size; first += channels) {
    int64_t mode = 0;
    for (size_t k = 0; k < channels; ++k) {
      const size_t channel = digits.order == DigitOrder::first_is_highest ? k : channels - 1 - k;
      const int64_t digit = digits.values[first + channel];
      if (digit < 0 || digit >= shape.classes)
        throw Error(std::string(name) + ": sample " + std::to_string(first / channels) + " has the digit " +
                    std::to_string(digit) + ", which is not in 0 ... " + std::to_string(shape.classes - 1));
      mode = mode * shape.classes + digit;
    }
    ++counts[static_cast<size_t>(mode)];
  }
  const size_t samples = size / channels;
  for (double& count : counts) count /= static_cast<double>(samples);
  return counts;
}

/// modes, and sum q ln(q / p) where both are positive.
CountedModes compared(const std::vector<double>& q, const std::vector<double>& p) {
  CountedModes counted;
  for (size_t mode = 0; mode < q.size(); ++mode) {
    if (q[mode] > 0) ++counted.modes;
    if (q[mode] > 0 && p[mode] > 0) counted.kl += q[mode] * std::log(q[mode] / p[mode]);
  }
  return counted;
}

}  // namespace

CountedModes uniform_modes(std::span<const int64_t> digits, const DigitShape& shape) {
  const std::vector<double> q = shares("the samples' digits", {digits}, shape);
  return compared(q, std::vector<double>(q.size(), 1 / static_cast<double>(q.size())));
}

CountedModes labelled_modes(const Digits& generated, const Digits& training, const DigitShape& shape) {
  return compared(shares("the samples' digits", generated, shape),
                  shares("the training digits", training, shape));
}

}  // namespace ebm
