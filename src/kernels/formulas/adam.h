// SPDX-License-Identifier: MIT
// Adam (Kingma & Ba 2015) with PyTorch's arrangement of the constants, over a flat buffer of parameters:
//   g = the loss's gradient + weight_decay w,   m = b1 m + (1 - b1) g,   v = b2 v + (1 - b2) g^2,
//   w -= lr / (1 - b1^t)  m / ( sqrt(v) / sqrt(1 - b2^t) + eps ),
// and what changes its rate from one iteration to the next.
#pragma once

#include "kernels/formulas/element.h"

namespace ebm {

/// The factor of lr at iteration t = 0, 1, ...: min(1, (t + 1) / warm_up) times
///   constant  1
///   linear    max(0, 1 - t / horizon)
///   cosine    (1 + cos(pi min(1, t / horizon))) / 2
///   steps     step_factor for each of the two steps that t / horizon has reached
struct RateSchedule {
  enum class Kind { constant, linear, cosine, steps } kind = Kind::constant;
  int64_t horizon = 0;  ///< iterations until the rate is the least; 0: never
  int64_t warm_up = 0;  ///< iterations over which it grows
  double step_factor = 0.3, first_step = 0.8, second_step = 0.9;

  bool changes() const { return kind != Kind::constant || warm_up > 0; }

  EBM_HD double factor(uint64_t iteration) const {
    const double t = static_cast<double>(iteration);
    const double grown = warm_up > 0 ? (t + 1) / static_cast<double>(warm_up) : 1;
    const double warm = grown < 1 ? grown : 1;
    if (kind == Kind::constant || horizon == 0) return warm;
    const double done = t / static_cast<double>(horizon);
    const double along = done < 1 ? done : 1;
    if (kind == Kind::steps)
      return warm * (along < first_step ? 1 : step_factor) * (along < second_step ? 1 : step_factor);
    if (kind == Kind::linear) return warm * (1 - along);
    constexpr double pi = 3.14159265358979323846;
    return warm * 0.5 * (1 + cos(pi * along));
  }
};

/// What depends on the step alone: t += 1, schedule = { lr / (1 - b1^t), 1 / sqrt(1 - b2^t) }.
struct AdamSchedule {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows = 1, columns = 1;
  double lr, beta1, beta2;
  RateSchedule rate;
  const uint64_t* iteration;  // 1; null: the rate is lr
  int64_t* step;              // 1: t, counted here so that a captured graph counts
  float* schedule;            // 2

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(iteration, 1);
    uses.updates(step, 1);
    uses.writes(schedule, 2);
  }

  EBM_HD void operator()(int64_t, int64_t) const {
    const int64_t t = *step + 1;
    *step = t;
    const double now = iteration != nullptr ? lr * rate.factor(*iteration) : lr;
    schedule[0] = static_cast<float>(now / (1 - pow(beta1, static_cast<double>(t))));
    schedule[1] = static_cast<float>(1 / sqrt(1 - pow(beta2, static_cast<double>(t))));
  }
};

/// One step for every parameter, a team a chunk. A parameter that becomes NaN or Inf raises *not_finite.
struct AdamStep {
  static constexpr Pattern pattern = Pattern::teams;
  static constexpr int64_t chunk = 2048;
  static int64_t chunks(int64_t size) { return (size + chunk - 1) / chunk; }

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(schedule, 2);
    uses.reads(gradient_factor, 1);
    uses.reads(gradient, size);
    uses.updates(value, size);
    uses.updates(first, size);
    uses.updates(second, size);
    uses.touches(not_finite, 1);
  }

  int64_t rows;         // chunks(size)
  int64_t size;         // a multiple of 4, as that of every flat buffer of parameters
  double beta1, beta2;  // double: in float32 1 - 0.999 is off by 1e-5
  float eps;
  float weight_decay;
  const float* schedule;          // from AdamSchedule
  const float* gradient_factor;   // 1; null: 1
  const float* gradient;          // size
  float *value, *first, *second;  // size: w, m, v
  int32_t* not_finite;            // 1

  EBM_HD int64_t work() const { return 4 * chunk; }  // a root and a division each
  template <class Team>
  EBM_DEVICE void operator()(const Team& team, int64_t row) const {
    using E = typename Team::Elements;
    const int64_t begin = row * chunk, count = size - begin < chunk ? size - begin : chunk;
    const double failed = team.sum(count / E::count, [=, *this](int64_t k) {
      return step(E{0, begin + E::count * k, size});
    });
    team.single([&] {
      if (failed > 0) *not_finite = 1;  // every writer writes the same: no race that matters
    });
  }

 private:
  /// How many of the element's parameters are not finite.
  template <class E>
  EBM_HD double step(const E& e) const {
    const float b1 = static_cast<float>(beta1), rest1 = static_cast<float>(1 - beta1);
    const float b2 = static_cast<float>(beta2), rest2 = static_cast<float>(1 - beta2);
    const float rate = schedule[0], correction = schedule[1];
    const float factor = gradient_factor != nullptr ? *gradient_factor : 1.0f;
    auto g = e(gradient) * factor;
    if (weight_decay != 0) g = g + weight_decay * e(value);
    const auto m = b1 * e(first) + rest1 * g;
    const auto v = b2 * e(second) + rest2 * g * g;
    const auto w = e(value) - rate * (m / (sqrt_of(v) * correction + eps));
    e.write(first, m);
    e.write(second, v);
    e.write(value, w);
    return count_not_finite(w);
  }
};

}  // namespace ebm
