// SPDX-License-Identifier: MIT
// One whole training iteration, naively: the energy's step, then the generator's.
//
//   x~ = G(z) with batch statistics (the running ones move); J = dG/dz on the running statistics just moved
//   L_E = mean E(x) - mean E(x~) + [ upper term - zeta ]_+
//     upper term = w/2 * mean_i (E'(x~_i; J v0_i) - a_i . v0_i)^2 / n_i  bidirectional, a = z + grad_z H(z)
//                = w   * mean_i ||grad_x E(x^_i)||^2  zero-centred: x^ real, fake or between
//   Adam on the energy; then, with the new energy and x~2 = G(z2) (running statistics move again),
//   L_G = mean E(x~2) - lambda_H mean_i H_i,   Adam on the generator.
// H_i is the entropy bound at the energy step's z_i (running statistics moved once) or at z2_i (moved twice).
#pragma once

#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "reference/bounds.h"
#include "reference/lobpcg.h"
#include "reference/quadrature.h"

namespace ebm::reference {

enum class LowerBound { none, lobpcg, authors, s1, log_det, slq_gauss, slq_radau };
enum class UpperBound { bidirectional, zero_centred_real, zero_centred_fake, zero_centred_between };
enum class EntropyZ { energy, generator };

struct EbmBbConfig {
  LowerBound lower = LowerBound::s1;
  UpperBound upper = UpperBound::bidirectional;
  int64_t iterations = 2;  ///< of LOBPCG, of the authors' variant, or Lanczos steps
  double radau_fraction = 0.1;
  double penalty_weight = 0.001;
  Normaliser normaliser = Normaliser::none;
  double hinge = 0.0;
  double entropy_weight = 1.0;
  EntropyZ entropy_z = EntropyZ::generator;
  double lr_energy = 2e-4;
  double lr_generator = 2e-4;
  double beta1 = 0.0;
  double beta2 = 0.9;
  double epsilon = 1e-8;
};

/// PyTorch's Adam: m <- b1 m + (1-b1) g, s <- b2 s + (1-b2) g^2, w <- w - lr/(1-b1^t) m /
/// (sqrt(s)/sqrt(1-b2^t) + eps)
struct Moments {
  Vector<double> exp_avg = {};
  Vector<double> exp_avg_sq = {};
  int64_t step = 0;
};
inline void adam_step(Vector<double>& w, const Vector<double>& g, Moments& moments, double lr, double beta1,
                      double beta2, double epsilon) {
  moments.exp_avg.resize(w.size(), 0.0);
  moments.exp_avg_sq.resize(w.size(), 0.0);
  ++moments.step;
  const double correction1 = 1 - std::pow(beta1, static_cast<double>(moments.step));
  const double correction2 = 1 - std::pow(beta2, static_cast<double>(moments.step));
  for (size_t i = 0; i < w.size(); ++i) {
    double& m = moments.exp_avg[i];
    double& s = moments.exp_avg_sq[i];
    m = beta1 * m + (1 - beta1) * g[i];
    s = beta2 * s + (1 - beta2) * g[i] * g[i];
    w[i] -= lr / correction1 * m / (std::sqrt(s) / std::sqrt(correction2) + epsilon);
  }
}

/// What the entropy bound of one sample is made of; v and u are constants of its gradient.
struct EntropySample {
  double value = 0.0;   ///< d log s1, or 1/2 log det(J^T J) or its SLQ estimate
  double log_s1 = 0.0;  ///< lobpcg, authors, s1
  Vector<double> v;     ///< unit (SLQ: sqrt(d) q1); empty for log_det
  Vector<double> u;     ///< SLQ alone
};
inline EntropySample entropy_sample(const EbmBbConfig& config, const Network& g, const Vector<double>& z,
                                    const Vector<double>& v0, const Vector<double>& p0) {
  const double d = static_cast<double>(z.size());
  const Matrix<double> j = jacobian(g, z, g.parameters);
  const auto from_iterates = [&](const Iterates& iterates) {
    return EntropySample{
        .value = d * iterates.log_s1(), .log_s1 = iterates.log_s1(), .v = iterates.v, .u = {}};
  };
  switch (config.lower) {
    case LowerBound::none:
      return {};
    case LowerBound::lobpcg:
      return from_iterates(lobpcg(j, v0, {.iterations = config.iterations}));
    case LowerBound::authors:
      return from_iterates(authors_iteration(j, v0, p0, config.iterations, BasisOrder::svd));
    case LowerBound::s1: {
      const Smallest smallest = smallest_singular(j);
      return {.value = d * std::log(smallest.s), .log_s1 = std::log(smallest.s), .v = smallest.v, .u = {}};
    }
    case LowerBound::log_det:
      return {.value = half_log_det(g, z, g.parameters), .log_s1 = 0.0, .v = {}, .u = {}};
    case LowerBound::slq_gauss:
    case LowerBound::slq_radau: {
      const Slq estimate = slq(j, v0, config.iterations, config.radau_fraction);
      return {.value = config.lower == LowerBound::slq_gauss ? estimate.gauss : estimate.radau,
              .log_s1 = 0.0,
              .v = estimate.v,
              .u = estimate.u};
    }
  }
  throw std::invalid_argument("entropy_sample: unknown lower bound");
}

/// A function with the gradient of H(z; w): H itself, but u^T J v for SLQ (its value is d).
template <class T>
T entropy_surrogate(const EntropySample& sample, const Network& g, const Vector<T>& z, const Vector<T>& w) {
  if (sample.v.empty()) return half_log_det(g, z, w);
  if (!sample.u.empty()) return bilinear(g, z, w, sample.u, sample.v);
  return T(static_cast<double>(z.size())) * log_s1(g, z, w, sample.v);
}

struct EbmBbState {
  Network energy = {};
  Network generator = {};  ///< its `running` moves; its `statistics` is not looked at
  Moments energy_moments = {};
  Moments generator_moments = {};
};
struct EbmBbInputs {
  Matrix<double> x = {};             ///< data
  Matrix<double> z = {};             ///< latents of the energy step
  Matrix<double> v0 = {};            ///< probes, and starts of the iterations
  Matrix<double> p0 = {};            ///< LowerBound::authors alone
  Matrix<double> z_generator = {};   ///< latents of the generator step
  Matrix<double> v0_generator = {};  ///< EntropyZ::generator alone
  Matrix<double> p0_generator = {};
  Vector<double> between = {};  ///< zero_centred_between: x^ = t x + (1 - t) x~, one t a sample
};
struct EbmBbResult {
  Vector<double> energy_real = {};
  Vector<double> energy_fake = {};
  std::vector<EntropySample> entropy = {};            ///< at z, where the iteration needs it
  std::vector<EntropySample> entropy_generator = {};  ///< at z2, with EntropyZ::generator
  Matrix<double> a = {};                              ///< bidirectional
  Vector<double> directional = {};                    ///< E'(x~; J v0), bidirectional
  double penalty = 0.0;  ///< the mean_i of the upper term, without w, 1/2 and hinge
  double loss_energy = 0.0;
  double loss_generator = 0.0;
  Vector<double> gradient_energy = {};
  Vector<double> gradient_generator = {};
  EbmBbState after = {};
};

/// The constants of L_E: all that depends on the generator.
struct EnergyStep {
  Matrix<double> x_fake, jv0, a, x_between;
};

template <class T>
T upper_mean(const EbmBbConfig& config, const EbmBbInputs& in, const EnergyStep& step, const Network& e,
             const Vector<T>& w) {
  switch (config.upper) {
    case UpperBound::bidirectional:
      return bidirectional_penalty(e, w, step.x_fake, step.jv0, step.a, in.v0, config.normaliser);
    case UpperBound::zero_centred_real:
      return zero_centred_penalty(e, w, in.x);
    case UpperBound::zero_centred_fake:
      return zero_centred_penalty(e, w, step.x_fake);
    case UpperBound::zero_centred_between:
      return zero_centred_penalty(e, w, step.x_between);
  }
  throw std::invalid_argument("upper_mean: unknown upper bound");
}

template <class T>
T energy_loss(const EbmBbConfig& config, const EbmBbInputs& in, const EnergyStep& step, const Network& e,
              const Vector<T>& w) {
  const double half = config.upper == UpperBound::bidirectional ? 0.5 : 1.0;
  const T over = T(half * config.penalty_weight) * upper_mean(config, in, step, e, w) - T(config.hinge);
  const T difference = mean(e(lift<T>(in.x), w).values) - mean(e(lift<T>(step.x_fake), w).values);
  return over > T(0.0) ? difference + over : difference;
}

/// mean E(G(z2; w)) - lambda_H mean_i surrogate_i: the generator loss's gradient (its value too, but for
/// SLQ).
template <class T>
T generator_loss(const EbmBbConfig& config, const EbmBbInputs& in, const Network& e, const Network& g_batch,
                 const Network& g_running, const Matrix<double>& entropy_z,
                 const std::vector<EntropySample>& entropy, const Vector<T>& w) {
  T loss = mean(e(g_batch(lift<T>(in.z_generator), w), lift<T>(e.parameters)).values);
  Vector<T> bounds;
  for (size_t i = 0; i < entropy.size(); ++i)
    bounds.push_back(
        entropy_surrogate(entropy[i], g_running, lift<T>(entropy_z.row(static_cast<int64_t>(i))), w));
  if (!bounds.empty()) loss -= T(config.entropy_weight) * mean(bounds);
  return loss;
}

inline std::vector<EntropySample> entropy_samples(const EbmBbConfig& config, const Network& g,
                                                  const Matrix<double>& z, const Matrix<double>& v0,
                                                  const Matrix<double>& p0) {
  std::vector<EntropySample> result;
  for (int64_t i = 0; i < z.rows; ++i)
    result.push_back(entropy_sample(config, g, z.row(i), v0.rows > 0 ? v0.row(i) : Vector<double>{},
                                    p0.rows > 0 ? p0.row(i) : Vector<double>{}));
  return result;
}

inline EbmBbResult play(const EbmBbConfig& config, const EbmBbState& before, const EbmBbInputs& in) {
  EbmBbResult result{.after = before};
  Network& e = result.after.energy;
  Network& g = result.after.generator;
  const bool has_entropy = config.lower != LowerBound::none;
  const bool bidirectional = config.upper == UpperBound::bidirectional;
  if (bidirectional && !has_entropy)
    throw std::invalid_argument("play: the bidirectional bound needs a lower bound");

  // Energy step.
  EnergyStep step;
  step.x_fake = g.with(Statistics::batch)(in.z);
  g.running = g.running_after(in.z);
  const Network g_once = g.with(Statistics::running);
  if (has_entropy && (bidirectional || config.entropy_z == EntropyZ::energy))
    result.entropy = entropy_samples(config, g_once, in.z, in.v0, in.p0);
  if (bidirectional) {
    step.jv0 = Matrix<double>(in.z.rows, step.x_fake.cols);
    step.a = in.z;
    for (int64_t i = 0; i < in.z.rows; ++i) {
      const Vector<double> z = in.z.row(i);
      step.jv0.set_row(i, jacobian_times(g_once, z, g.parameters, in.v0.row(i)));
      const auto surrogate = [&](const auto& any_z, const auto& w) {
        return entropy_surrogate(result.entropy[static_cast<size_t>(i)], g_once, any_z, w);
      };
      step.a.set_row(i, combine(1.0, z, 1.0, sample_gradient(surrogate, z, g.parameters).z_bar));
    }
    result.directional = directional(e, step.x_fake, e.parameters, step.jv0);
    result.a = step.a;
  }
  if (config.upper == UpperBound::zero_centred_between) {
    step.x_between = in.x;
    for (int64_t i = 0; i < in.x.rows; ++i)
      step.x_between.set_row(i, combine(in.between[i], in.x.row(i), 1 - in.between[i], step.x_fake.row(i)));
  }
  result.energy_real = e(in.x).values;
  result.energy_fake = e(step.x_fake).values;
  result.penalty = upper_mean(config, in, step, e, e.parameters);
  result.loss_energy = energy_loss(config, in, step, e, e.parameters);
  result.gradient_energy =
      gradient([&](const auto& w) { return energy_loss(config, in, step, e, w); }, e.parameters);
  adam_step(e.parameters, result.gradient_energy, result.after.energy_moments, config.lr_energy, config.beta1,
            config.beta2, config.epsilon);

  // Generator step.
  const Network g_batch = g.with(Statistics::batch);
  g.running = g.running_after(in.z_generator);
  const bool own_z = config.entropy_z == EntropyZ::generator;
  const Network g_running = own_z ? g.with(Statistics::running) : g_once;
  if (has_entropy && own_z)
    result.entropy_generator =
        entropy_samples(config, g_running, in.z_generator, in.v0_generator, in.p0_generator);
  const std::vector<EntropySample>& entropy = own_z ? result.entropy_generator : result.entropy;
  const Matrix<double>& entropy_z = own_z ? in.z_generator : in.z;
  result.gradient_generator = gradient(
      [&](const auto& w) { return generator_loss(config, in, e, g_batch, g_running, entropy_z, entropy, w); },
      g.parameters);
  result.loss_generator = mean(e(g_batch(in.z_generator)).values);
  Vector<double> values;
  for (const EntropySample& sample : entropy) values.push_back(sample.value);
  if (!values.empty()) result.loss_generator -= config.entropy_weight * mean(values);
  adam_step(g.parameters, result.gradient_generator, result.after.generator_moments, config.lr_generator,
            config.beta1, config.beta2, config.epsilon);
  return result;
}

}  // namespace ebm::reference
