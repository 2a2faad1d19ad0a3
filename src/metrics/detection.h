// SPDX-License-Identifier: MIT
// How well a score tells samples of two kinds apart: detection of what is out of distribution (Table 4). A
// sample is called positive when its score is at or above a threshold; TPR and FPR are the shares of the
// positive and of the negative samples that are. Samples of one score pass together, so ties are counted
// right. In float64, values in [0, 1].
//
//   auroc                  P(positive > negative) + 1/2 P(equal), the area below TPR over FPR
//   average_precision      sum_n (R_n - R_{n-1}) P_n over falling thresholds
//   precision_recall_area  trapezoids below precision over recall, which starts at (0, 1)
//   fpr_at_tpr             FPR at the highest threshold with the TPR asked for; nothing is interpolated
//
// These are scikit-learn's roc_auc_score, average_precision_score and auc(recall, precision) of its
// precision_recall_curve, and a point of its roc_curve.
//
// Protocol: the paper does not say its own. Here the score is -E, the energy's negative, and what is in
// distribution is positive (VERA, eval.py); both areas below precision over recall are given, the trapezoids
// since MEG takes them (anomaly_mnist.py), and both again with what is out of distribution as positive, score
// E.
#pragma once

#include <span>

namespace ebm {

/// Scores of samples of both kinds.
struct Scores {
  std::span<const double> positive;
  std::span<const double> negative;
};

/// Throw Error when a kind has no sample or a score is NaN (infinite ones have their place in the order).
double auroc(const Scores& scores);
double average_precision(const Scores& scores);
double precision_recall_area(const Scores& scores);
/// Throws Error unless 0 < tpr <= 1, too.
double fpr_at_tpr(const Scores& scores, double tpr);

struct Detection {
  double auroc = 0;
  double fpr80 = 0;  // FPR at TPR 0.8
  double average_precision = 0;
  double precision_recall_area = 0;
  double average_precision_out = 0;  // out of distribution positive
  double precision_recall_area_out = 0;
};

/// From the energies of samples in and out of distribution.
Detection detection(std::span<const float> in_energies, std::span<const float> out_energies);

}  // namespace ebm
