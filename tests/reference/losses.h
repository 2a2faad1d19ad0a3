// SPDX-License-Identifier: MIT
// The losses of DCGAN, SNGAN, MEG and VERA as they are written down, for any scalar. Means are over
// the batch; rows of K points of B samples are k-major (row k B + b).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <numeric>
#include <vector>

#include "reference/matrix.h"
#include "reference/scalar.h"

namespace ebm::reference {

enum class Adversarial { softplus, hinge, linear };

/// log(1 + exp(x)); good for |x| < 700.
template <class T>
T softplus(const T& x) {
  using std::exp, std::log;
  return log(T(1.0) + exp(x));
}
template <class T>
T positive_part(const T& x) {
  return x > T(0.0) ? x : T(0.0);
}
template <class T>
T adversarial_loss(Adversarial kind, const std::vector<T>& real, const std::vector<T>& fake) {
  std::vector<T> of_real, of_fake;
  for (const T& e : real) {
    of_real.push_back(kind == Adversarial::softplus ? softplus(e)
                      : kind == Adversarial::hinge  ? positive_part(T(1.0) + e)
                                                    : e);
  }
  for (const T& e : fake) {
    of_fake.push_back(kind == Adversarial::softplus ? softplus(-e)
                      : kind == Adversarial::hinge  ? positive_part(T(1.0) - e)
                                                    : -e);
  }
  return mean(of_real) + mean(of_fake);
}

template <class T>
T adversarial_generator_loss(Adversarial kind, const std::vector<T>& fake) {
  std::vector<T> of_fake;
  for (const T& e : fake) of_fake.push_back(kind == Adversarial::softplus ? softplus(e) : e);
  return mean(of_fake);
}

/// -mean( y log p + (1 - y) log(1 - p) ), p = 1 / (1 + exp(-logit)), y = 1 for the first half.
template <class T>
T binary_cross_entropy(const std::vector<T>& logits) {
  std::vector<T> terms;
  for (size_t i = 0; i < logits.size(); ++i)
    terms.push_back(softplus(i < logits.size() / 2 ? -logits[i] : logits[i]));
  return mean(terms);
}

/// The order in which the keys rise; equal ones stay as they are.
inline std::vector<size_t> argsort(const std::vector<double>& keys) {
  std::vector<size_t> order(keys.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return keys[a] < keys[b]; });
  return order;
}

/// log N(x; mean, diag(exp(log_deviation))^2)
template <class T>
T log_normal(const std::vector<T>& x, const std::vector<T>& mean, const std::vector<T>& log_deviation) {
  using std::exp;
  T sum = T(0.0);
  for (size_t i = 0; i < x.size(); ++i) {
    const T r = (x[i] - mean[i]) / exp(log_deviation[i]);
    sum -= T(0.5) * r * r + log_deviation[i] + T(0.5 * std::log(2 * std::numbers::pi));
  }
  return sum;
}
template <class T>
T log_normal(const std::vector<T>& x, const std::vector<T>& mean, const T& log_deviation) {
  return log_normal(x, mean, std::vector<T>(x.size(), log_deviation));
}
template <class T>
T log_standard_normal(const std::vector<T>& x) {
  return log_normal(x, std::vector<T>(x.size(), T(0.0)), T(0.0));
}

/// What VERA's importance sampling makes of one sample x and its K points h_k with images g(h_k).
struct Importance {
  std::vector<double> weights, score;  // w_k, c
  double effective = 0, entropy = 0;   // 1 / sum w^2, <c, x>
};
inline Importance importance(const std::vector<double>& x, double logsigma, const std::vector<double>& h,
                             const std::vector<double>& post_logsigma, const Matrix<double>& points,
                             const Matrix<double>& images) {
  std::vector<double> ratios;
  for (int64_t k = 0; k < points.rows; ++k) {
    ratios.push_back(log_normal(x, images.row(k), logsigma) + log_standard_normal(points.row(k)) -
                     log_normal(points.row(k), h, post_logsigma));
  }
  const double largest = *std::max_element(ratios.begin(), ratios.end());
  double total = 0, squares = 0;
  for (const double r : ratios) total += std::exp(r - largest);
  Importance result{.weights = {}, .score = std::vector<double>(x.size())};
  for (int64_t k = 0; k < points.rows; ++k) {
    const double w = std::exp(ratios[static_cast<size_t>(k)] - largest) / total;
    result.weights.push_back(w);
    squares += w * w;
    const std::vector<double> away = combine(1.0, x, -1.0, images.row(k));
    result.score = combine(1.0, result.score, w / std::exp(2 * logsigma), away);
  }
  result.effective = 1 / squares;
  result.entropy = dot(result.score, x);
  return result;
}

/// VERA's loss of the posterior: h' = h + exp(post_logsigma) eta', g(h') of all rows, x and sigma constant.
template <class T, class G>
T posterior_loss(const G& g, const Matrix<double>& x, double logsigma, const Matrix<double>& h,
                 const Matrix<double>& eta, const std::vector<T>& post_logsigma) {
  using std::exp;
  Matrix<T> points(h.rows, h.cols);
  for (int64_t b = 0; b < h.rows; ++b) {
    for (int64_t j = 0; j < h.cols; ++j)
      points(b, j) = T(h(b, j)) + exp(post_logsigma[static_cast<size_t>(j)]) * T(eta(b, j));
  }
  const Matrix<T> images = g(points);
  T loss = T(0.0);
  for (int64_t b = 0; b < h.rows; ++b) {
    loss -= (log_normal(lift<T>(x.row(b)), images.row(b), T(logsigma)) + log_standard_normal(points.row(b))) /
            T(static_cast<double>(h.rows));
  }
  for (const T& s : post_logsigma) loss -= s + T(0.5 * (1 + std::log(2 * std::numbers::pi)));
  return loss;
}

}  // namespace ebm::reference
