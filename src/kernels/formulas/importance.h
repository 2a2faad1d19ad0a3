// SPDX-License-Identifier: MIT
// The gradient of the generator's entropy by importance sampling (VERA: Grathwohl et al. 2021). The samples
// x~ = g(h) + sigma eps, h ~ N(0, I_d), eps ~ N(0, I_D), have the density p(x) = E_h N(x; g(h), sigma^2 I).
//   c_b = -grad_x log p(x~_b) = E[ (x~_b - g(h')) / sigma^2 ],  h' distributed as h given x~_b,
// is estimated from K points h_k = h + s eta_k, eta_k ~ N(0, I_d), s = exp(post_logsigma) in R^d, weighted by
//   w_bk = softmax over k of  log N(x~; g(h_k), sigma^2 I) + log N(h_k; 0, I) - log N(h_k; h, s^2).
// With c constant, <c_b, x~_b> has the entropy's gradient. s itself is learned from one point h' = h + s eta'
// a sample, by the loss
//   L_P = -mean_b[ log N(x~_b; g(h'_b), sigma^2 I) + log N(h'_b; 0, I) ] - entropy of N(h, s^2).
// Rows of the K points of B samples are k-major: row k B + b. sigma = exp(logsigma) is one number.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// h_k = h + exp(post_logsigma) eta_k.
struct AddPosteriorNoise {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;       // K B, d
  int64_t samples;             // B
  const float* h;              // B x d
  const float* eta;            // rows x d
  const float* post_logsigma;  // d
  float* out;                  // rows x d

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(h, samples * columns);
    uses.reads(eta, rows * columns);
    uses.reads(post_logsigma, columns);
    uses.writes(out, rows * columns);
  }

  bool aligned() const { return on_16_bytes(h, eta, post_logsigma, out); }
  EBM_HD float* output() const { return out; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e.in_row(h, remainder32(e.row, samples)) + exp_of(e.of_column(post_logsigma)) * e(eta);
  }
};

/// log_ratio = log N(x~; g(h_k), sigma^2 I) + log N(h_k; 0, I) - log N(h_k; h, s^2) up to what all k of a
/// sample share: -||x~ - g(h_k)||^2 / 2 sigma^2 - (||h_k||^2 - ||eta_k||^2) / 2.
struct ImportanceRatio {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows;           // K B
  int64_t samples;        // B
  int64_t domain, range;  // d, D
  const float* x;         // B x D
  const float* g;         // rows x D: g(h_k)
  const float *h, *eta;   // rows x d: h_k, eta_k
  const float* logsigma;  // 1
  double* log_ratio;      // rows

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, samples * range);
    uses.reads(g, rows * range);
    uses.reads({h, eta}, rows * domain);
    uses.reads(logsigma, 1);
    uses.writes(log_ratio, rows);
  }

  EBM_HD int64_t work() const { return range + domain; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    const float *own = x + remainder32(row, samples) * range, *mean = g + row * range;
    const double distance = team.sum(range, [=](int64_t i) {
      const double r = static_cast<double>(own[i]) - mean[i];
      return r * r;
    });
    const float *point = h + row * domain, *draw = eta + row * domain;
    const double latent = team.sum(domain, [=](int64_t i) {
      const double a = point[i], n = draw[i];
      return a * a - n * n;
    });
    team.single([&] { log_ratio[row] = -(distance * exp(-2.0 * *logsigma) + latent) / 2; });
  }
};

/// weight[b, :] = softmax over k of log_ratio[k B + b];  effective[b] = 1 / sum_k weight[b, k]^2, how many
/// points stand behind c_b. A NaN among a sample's ratios makes all its weights NaN.
struct ImportanceWeights {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows;             // B
  int64_t points;           // K
  const double* log_ratio;  // K B
  float* weight;            // B x K
  float* effective;         // B

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(log_ratio, rows * points);
    uses.writes(weight, rows * points);
    uses.writes(effective, rows);
  }

  EBM_HD int64_t work() const { return 8 * points; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t b) const {
    const double* const own = log_ratio + b;
    const int64_t step = rows;
    double largest = own[0];
    for (int64_t k = 1; k < points; ++k) largest = own[k * step] > largest ? own[k * step] : largest;
    const Sums<2> sums = team.sums(points, [=](int64_t k) {
      const double w = exp(own[k * step] - largest);
      return Sums<2>{{w, w * w}};
    });
    const double sum = sums.of[0], squares = sums.of[1];
    team.each(points, [=, this](int64_t k) {
      weight[b * points + k] = static_cast<float>(exp(own[k * step] - largest) / sum);
    });
    team.single([&] { effective[b] = static_cast<float>(sum * sum / squares); });
  }
};

/// c_b = sum_k w_bk (x~_b - g(h_k)) / sigma^2, and <c_b, x~_b>.
struct ImportanceScore {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows;           // B
  int64_t range, points;  // D, K
  const float* x;         // B x D
  const float* g;         // K B x D
  const float* weight;    // B x K
  const float* logsigma;  // 1
  float* c;               // B x D
  float* entropy;         // B: <c_b, x~_b>

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows * range);
    uses.reads(g, points * rows * range);
    uses.reads(weight, rows * points);
    uses.reads(logsigma, 1);
    uses.writes(c, rows * range);
    uses.writes(entropy, rows);
  }

  EBM_HD int64_t work() const { return points * range; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t b) const {
    const double precision = exp(-2.0 * *logsigma);
    const float *own = x + b * range, *w = weight + b * points;
    const double dot = team.sum(range, [=, this](int64_t i) {
      double sum = 0;
      for (int64_t k = 0; k < points; ++k)
        sum += w[k] * (static_cast<double>(own[i]) - g[(k * rows + b) * range + i]);
      c[b * range + i] = static_cast<float>(precision * sum);
      return precision * sum * own[i];
    });
    team.single([&] { entropy[b] = static_cast<float>(dot); });
  }
};

/// x_bar += -entropy_weight / B c: what the entropy adds to the gradient of the energy's mean.
struct EntropyCotangent {
  static constexpr Pattern pattern = Pattern::elements;
  int64_t rows, columns;  // B, D
  float entropy_weight;
  const float* c;  // B x D
  float* x_bar;    // B x D

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(c, rows * columns);
    uses.updates(x_bar, rows * columns);
  }

  bool aligned() const { return on_16_bytes(c, x_bar); }
  EBM_HD float* output() const { return x_bar; }
  template <class E>
  EBM_HD auto operator()(const E& e) const {
    return e(x_bar) - entropy_weight / static_cast<float>(rows) * e(c);
  }
};

/// The numbers of the generator's step: the means of <c, x~> and of the effective points,
///   loss = mean E(x~) - entropy_weight mean <c, x~>,  and sigma.
struct VeraGeneratorObjective {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t samples;  // B
  float entropy_weight;
  const float *energy, *entropy, *effective;  // B: E(x~), and from ImportanceScore and ImportanceWeights
  const float* logsigma;                      // 1
  float *mean_entropy, *mean_effective, *loss, *sigma;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({energy, entropy, effective}, samples);
    uses.reads(logsigma, 1);
    uses.writes({mean_entropy, mean_effective, loss, sigma}, 1);
  }

  EBM_HD int64_t work() const { return samples; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double b = static_cast<double>(samples);
    const Sums<3> sums = team.sums(samples, [&](int64_t i) {
      return Sums<3>{{static_cast<double>(energy[i]), static_cast<double>(entropy[i]),
                      static_cast<double>(effective[i])}};
    });
    team.single([&] {
      *mean_entropy = static_cast<float>(sums.of[1] / b);
      *mean_effective = static_cast<float>(sums.of[2] / b);
      *loss = static_cast<float>((sums.of[0] - entropy_weight * sums.of[1]) / b);
      *sigma = static_cast<float>(exp(static_cast<double>(*logsigma)));
    });
  }
};

inline constexpr double log_two_pi = 1.8378770664093454836;

/// value[b] = -log N(x~_b; g(h'_b), sigma^2 I) - log N(h'_b; 0, I), and the cotangent of g(h') in its mean:
///   y_bar = -(x~ - g(h')) / (sigma^2 B).
struct PosteriorSurprise {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows;           // B
  int64_t domain, range;  // d, D
  const float *x, *g;     // B x D: x~, g(h')
  const float* h;         // B x d: h'
  const float* logsigma;  // 1
  float* y_bar;           // B x D
  double* value;          // B

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({x, g}, rows * range);
    uses.reads(h, rows * domain);
    uses.reads(logsigma, 1);
    uses.writes(y_bar, rows * range);
    uses.writes(value, rows);
  }

  EBM_HD int64_t work() const { return range + domain; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t b) const {
    const double log_s = *logsigma, precision = exp(-2 * log_s);
    const double factor = precision / static_cast<double>(rows);
    const float *own = x + b * range, *mean = g + b * range, *point = h + b * domain;
    float* const bar = y_bar + b * range;
    const double distance = team.sum(range, [=](int64_t i) {
      const double r = static_cast<double>(own[i]) - mean[i];
      bar[i] = static_cast<float>(-factor * r);
      return r * r;
    });
    const double latent =
        team.sum(domain, [=](int64_t i) { return static_cast<double>(point[i]) * point[i]; });
    team.single([&] {
      const double data = static_cast<double>(range), n = static_cast<double>(domain);
      value[b] = (distance * precision + latent + (data + n) * log_two_pi) / 2 + data * log_s;
    });
  }
};

/// The gradient of L_P with respect to post_logsigma, from the cotangent that g's vjp gives of y_bar:
///   post_logsigma_bar[j] = s_j sum_b (h_bar[b, j] + h'[b, j] / B) eta'[b, j] - 1.
struct PosteriorGradient {
  static constexpr Pattern pattern = Pattern::columns;
  int64_t rows, columns;         // B, d
  const float *h_bar, *h, *eta;  // B x d: h' and its draw
  const float* post_logsigma;    // d
  float* post_logsigma_bar;      // d

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads({h_bar, h, eta}, rows * columns);
    uses.reads(post_logsigma, columns);
    uses.writes(post_logsigma_bar, columns);
  }

  bool aligned() const { return on_16_bytes(h_bar, h, eta); }
  template <class E>
  EBM_HD auto term(const E& e) const {
    const double share = 1 / static_cast<double>(rows);
    return Sums{(as_double(e(h_bar)) + share * as_double(e(h))) * as_double(e(eta))};
  }
  EBM_HD void finish(int64_t column, const Sums<1>& sums) const {
    const double s = exp(static_cast<double>(post_logsigma[column]));
    post_logsigma_bar[column] = static_cast<float>(s * sums.of[0] - 1);
  }
};

/// L_P = mean_b value[b] - sum_j post_logsigma_j - d/2 (1 + log 2 pi).
struct PosteriorObjective {
  static constexpr Pattern pattern = Pattern::teams;
  int64_t rows = 1;
  int64_t samples, domain;     // B, d
  const double* value;         // B, from PosteriorSurprise
  const float* post_logsigma;  // d
  float* loss;                 // 1

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(value, samples);
    uses.reads(post_logsigma, domain);
    uses.writes(loss, 1);
  }

  EBM_HD int64_t work() const { return samples + domain; }
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t) const {
    const double sum = team.sum(samples, [&](int64_t i) { return value[i]; });
    const double log_s = team.sum(domain, [&](int64_t i) { return static_cast<double>(post_logsigma[i]); });
    team.single([&] {
      const double entropy = log_s + static_cast<double>(domain) / 2 * (1 + log_two_pi);
      *loss = static_cast<float>(sum / static_cast<double>(samples) - entropy);
    });
  }
};

}  // namespace ebm
