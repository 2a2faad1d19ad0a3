// SPDX-License-Identifier: MIT
// StackedMNIST's modes. A classifier names the digit in each of a sample's channels; three digits are one of
// 1000 modes.
//
//   modes = number of modes with a sample
//   KL    = sum over those of q ln(q / p),   q the share of samples in a mode, in nats, without smoothing
//
// uniform_modes: p = 1 / 1000. MEG's count (scripts/evals.py), which the paper follows: 26,000 samples,
// counted once. Whether its classifier drops out while it counts is the caller's business.
//
// labelled_modes: p = shares of the training set's labels; a mode without a training sample adds nothing.
// VERA's count (mode_counting/stackmnist_mode.py) is that of generated digits first_is_highest and training
// digits first_is_lowest (utils/data.py): it compares q with p's digits reversed. Give both one order for the
// KL proper.
#pragma once

#include <cstdint>
#include <span>

namespace ebm {

struct CountedModes {
  int64_t modes = 0;
  double kl = 0;
};

/// What a sample's digits are: `channels` a sample, each 0 ... classes - 1.
struct DigitShape {
  int64_t channels = 3;
  int64_t classes = 10;
};

/// Which channel counts ones; it matters only between two sets of labels.
enum class DigitOrder { first_is_highest, first_is_lowest };

struct Digits {
  std::span<const int64_t> values;  // (samples, channels)
  DigitOrder order = DigitOrder::first_is_highest;
};

/// Throw Error when there is no sample, a part of one, a digit that is no class, or more than 2^24 modes.
CountedModes uniform_modes(std::span<const int64_t> digits, const DigitShape& shape = {});
CountedModes labelled_modes(const Digits& generated, const Digits& training, const DigitShape& shape = {});

}  // namespace ebm
