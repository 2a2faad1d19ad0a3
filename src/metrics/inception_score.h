// SPDX-License-Identifier: MIT
// The inception score (Salimans et al. 2016, arXiv:1606.03498), by torch-fidelity's protocol (metric_isc.py):
//
//   score of a split = exp( mean_i KL(p_i || q) ),     q = mean_i p_i over the split,
//   KL(p_i || q) = sum_c p_ic (ln p_ic - ln q_c)
//
// p_i are the softmax of a classifier's logits (all 1008 of the Inception network of 2015-12-05). Split s of
// S has the samples s N / S ... (s + 1) N / S - 1 of the given order. mean and std over the splits; std
// divides by S. In float64.
//
// Protocols: torch-fidelity has 10 splits in the order NumpyRandom(2020).permutation(N) (numpy_random.h), MEG
// 10 splits of 5,000 samples as they come, the authors' code (score/score.py) 1 split.
#pragma once

#include <cstdint>
#include <span>

#include "metrics/feature_rows.h"
#include "metrics/spread.h"

namespace ebm {

/// What the rows of class scores are.
enum class ClassScores { logits, probabilities };

/// `scores` (N, classes); `order`, a permutation of 0 ... N - 1, or none for samples as they come.
/// Probabilities may be 0, and 0 ln 0 is 0; each row is to add up to 1 within 1e-3. Throws Error when a
/// number is not finite or no probability, there are fewer samples than splits, or `order` is no permutation.
MeanAndDeviation inception_score(const FeatureRows& scores, ClassScores kind, int64_t splits = 10,
                                 std::span<const int64_t> order = {});

}  // namespace ebm
