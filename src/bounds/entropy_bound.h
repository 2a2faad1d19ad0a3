// SPDX-License-Identifier: MIT
// Lower bounds of the generator's entropy (section 2.1): per sample a value h_b(z) with
//   H[p_g] >= H[p_0] + E h    (singular values),   or = (exact log det).
//
//   lobpcg   d log s1, s1 by K steps of LOBPCG from v0 (eq. 10, 16; linalg/lobpcg.h)
//   s1       d log s1 exactly, from the Gram matrix J^T J (small d, or as a witness)
//   logdet   1/2 log det J^T J exactly (eq. 9)
//   slq      an estimate of it by stochastic Lanczos quadrature
//
// All have a gradient of one form: constants v[t], u_bar[t] with  dh = sum_t u_bar[t]^T dJ v[t]. So the
// gradient with respect to z and the parameters is one vjp_of_jvp of the generator.
#pragma once

#include <memory>

#include "bounds/generator_jacobian.h"
#include "linalg/lobpcg.h"

namespace ebm {

enum class EntropyBoundKind { lobpcg, s1, logdet, slq };

/// LOBPCG's preconditioner and Lanczos' whitening: none, or the running mean of J^T J
/// (linalg/preconditioner.h).
enum class Preconditioning { none, running_gram };

struct EntropyBoundOptions {
  EntropyBoundKind kind = EntropyBoundKind::lobpcg;
  int64_t lobpcg_iterations = 2;
  Direction direction = Direction::orthonormal;
  int64_t lanczos_pairs = 3;
  Preconditioning preconditioning = Preconditioning::none;
  /// Of J's products, and of its tangents and cotangents: full or tf32x3, which are as exact.
  Precision jacobian = Precision::full;
  /// Of the last products of gradient(). They are sums over the batch, where no s1 is lost.
  Precision weight_gradients = Precision::full;
  Communicator* ranks = nullptr;  ///< that share each batch, and the running mean of J^T J; null: one
};

class EntropyBound {
 public:
  virtual ~EntropyBound() = default;

  /// What an evaluation draws, N(0, 1) each: v0 (B x d), and where asked for (else empty) p0 (B x d), e (B x
  /// D).
  struct Probes {
    ConstView v0, p0, e;
  };
  virtual bool wants_p0() const { return false; }
  virtual bool wants_e() const { return false; }

  /// Evaluates h at z (B x d). z and the probes must stay unchanged until gradient().
  void evaluate(ConstView z, const Probes& probes) {
    start(z, probes);
    finish();
  }
  /// The two parts of evaluate: as far as probe_product() needs, and the rest.
  virtual void start(ConstView z, const Probes& probes) = 0;
  virtual void finish() {}

  /// After evaluate, per sample, B numbers each unless said: h; log s1 (log of the smallest singular value or
  /// its estimate; NaN for slq); 1 if the sample is good, else 0. A bad sample's h and cotangents are 0, so
  /// it moves nothing, unless its activations are not finite: then neither is the gradient, and the run
  /// stops. floored: 1 for a good sample whose J has lost rank, to rounding; its h is made of the floor's
  /// value, and moves nothing either.
  virtual ConstView value() const = 0;
  virtual ConstView log_s1() const = 0;
  virtual ConstView good() const = 0;
  virtual ConstView floored() const = 0;
  /// The (right) singular vector or other v of the gradient, B x d; empty for logdet.
  virtual ConstView v() const = 0;

  /// Instead of evaluate, where h is not wanted: J v0 alone (B x D), one pass. good() becomes 0 for samples
  /// where it is not finite; their rows are 0.
  virtual void probe(ConstView z, ConstView v0, View jv0) = 0;

  /// J v0 (B x D; 0 for samples that are known to be bad, and where it is not finite), after start(): free,
  /// since the evaluation began there, but for slq: one pass.
  virtual void probe_product(View jv0) = 0;

  /// The gradient of sum over good samples of h: z_bar (B x d; must be empty if !jacobian().z_depends()) and
  /// parameters.
  virtual void gradient(View z_bar, Gradient gradient) = 0;

  virtual GeneratorJacobian& jacobian() = 0;

  /// What a checkpoint must hold besides the networks, or null.
  virtual Buffer<double>* state() { return nullptr; }
  /// Called after state() was written.
  virtual void state_restored() {}
};

/// Buffers for B samples are made here. Throws Error on a combination that makes no sense.
std::unique_ptr<EntropyBound> make_entropy_bound(Kernels& kernels, Network& generator, int64_t batch,
                                                 const EntropyBoundOptions& options);

}  // namespace ebm
