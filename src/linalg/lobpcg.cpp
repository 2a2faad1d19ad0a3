// SPDX-License-Identifier: MIT
// LOBPCG, one sample (all samples in lockstep; branches are selects; vectors float32, numbers float64).
// A = J^T J, sigma = ||u||, s = hypot(c1, c2):
//
//   start          v = v0 / ||v0||;  u = J v;  p = Jp = 0
//   K times:
//   search         g = J^T uh, uh = u / sigma;  r = g - sigma v          = (A v - theta v) / sigma
//                  w = T r, made orthonormal to v and p;  Jw = J w
//   rayleigh_ritz  G = [u Jw Jp]^T [u Jw Jp];  c = eigenvector of its smallest eigenvalue, c0 >= 0
//                  v' = c0 v + c1 w + c2 p                              u' = c0 u + c1 Jw + c2 Jp
//                  p' = -s v + (c0 / s) (c1 w + c2 p)                   Jp' = -s u + (c0 / s) (c1 Jw + c2 Jp)
//   finish         theta = <u, u>
//
// p' is orthonormal to v' by construction. Dividing u by its norm before J^T keeps s1 from being squared in
// float32. The basis is orthonormal, so there is no generalised eigenproblem and no Cholesky factorisation
// that could fail. What a step does to one sample: kernels/formulas/lobpcg.h.
#include "linalg/lobpcg.h"

#include "linalg/preconditioner.h"

namespace ebm {

Lobpcg::Lobpcg(Kernels& kernels, int64_t B, int64_t d, int64_t D, const LobpcgOptions& options)
    : kernels_(kernels),
      batch_(B),
      d_(d),
      range_(D),
      options_(options),
      v_(kernels, B, flat(d)),
      w_(kernels, B, flat(d)),
      p_(kernels, B, flat(d)),
      uh_(kernels, B, flat(D)),
      u_(kernels, B, flat(D)),
      u0_(kernels, B, flat(D)),
      jw_(kernels, B, flat(D)),
      jp_(kernels, B, flat(D)),
      theta_(kernels, B),
      trace_(kernels, B),
      floor2_(kernels, B),
      norm_v0_(kernels, B),
      has_w_(kernels, B),
      has_p_(kernels, B),
      status_(kernels, B) {
  if (options.iterations < 0) {
    throw Error("LOBPCG with " + std::to_string(options.iterations) + " iterations: give 0 or more");
  }
  if (options.direction == Direction::authors) {
    if (options.preconditioner != nullptr)
      throw Error("LOBPCG: the authors' direction has no preconditioner");
    authors_ = Buffer<AuthorsColumns>(kernels, B);
  }
  if (options.preconditioner != nullptr) r_ = Tensor(kernels, B, flat(d));
}

void Lobpcg::check(const LinearOperator& j, ConstView v0, ConstView p0) const {
  const auto fits = [&](ConstView x) { return x.rows == batch_ && x.columns() == d_; };
  if (j.batch() != batch_ || j.domain() != d_ || j.range() != range_ || !fits(v0) ||
      !(p0.empty() || fits(p0))) {
    throw Error("LOBPCG for " + std::to_string(batch_) + " maps R^" + std::to_string(d_) + " -> R^" +
                std::to_string(range_) + " got a start of " + to_string(v0) +
                " and another operator or direction");
  }
  if (options_.direction == Direction::authors && p0.empty())
    throw Error("LOBPCG: the authors' direction needs a p0");
}

// v = v0 / ||v0||;  u = J v;  uh = u / ||u||;  p = p0 made orthonormal to v, or 0
void Lobpcg::start(LinearOperator& j, ConstView v0, ConstView p0) {
  check(j, v0, p0);
  const Range range(kernels_, "lobpcg");
  kernels_.run(LobpcgStart{.rows = batch_,
                           .d = d_,
                           .v0 = v0.data,
                           .p0 = p0.data,
                           .v = v_.data(),
                           .p = p_.data(),
                           .norm_v0 = norm_v0_.data(),
                           .trace = trace_.data(),
                           .has_p = has_p_.data(),
                           .status = status_.data(),
                           .authors = authors_.data()});
  j.apply(v_, u0_);
  if (p0.empty()) {
    kernels_.zero(jp_.data(), jp_.size() * static_cast<int64_t>(sizeof(float)));
  } else {
    j.apply(p_, jp_);
  }
  kernels_.run(
      UnitImage{.rows = batch_, .range = range_, .u = u0_.data(), .uh = uh_.data(), .theta = theta_.data()});
}

void Lobpcg::finish(LinearOperator& j) {
  const Range range(kernels_, "lobpcg");
  float* u = u0_.data();
  for (int k = 0; k < options_.iterations; ++k) {
    search(j);
    rayleigh_ritz(u, u_.data(), k + 1 < options_.iterations ? uh_.data() : nullptr);
    u = u_.data();  // and J v0 / ||v0|| stays in u0_
  }
  kernels_.run(LobpcgFinish{.rows = batch_,
                            .range = range_,
                            .u = u,
                            .u0 = u0_.data(),
                            .trace = trace_.data(),
                            .theta = theta_.data(),
                            .floor2 = floor2_.data(),
                            .status = status_.data()});
}

// r = J^T uh - sqrt(theta) v;  w = T r, orthonormal to v and p;  J w
void Lobpcg::search(LinearOperator& j) {
  const Preconditioner* const t = options_.preconditioner;
  j.apply_adjoint(uh_, t != nullptr ? r_ : w_);
  if (t != nullptr) {
    kernels_.run(
        LobpcgResidual{.rows = batch_, .d = d_, .v = v_.data(), .theta = theta_.data(), .r = r_.data()});
    t->precondition(r_, w_);
  }
  kernels_.run(LobpcgOrthonormalize{.rows = batch_,
                                    .d = d_,
                                    .v = v_.data(),
                                    .p = p_.data(),
                                    .theta = t != nullptr ? nullptr : theta_.data(),
                                    .w = w_.data(),
                                    .has_w = has_w_.data(),
                                    .status = status_.data(),
                                    .authors = authors_.data()});
  j.apply(w_, jw_);
}

// Rayleigh-Ritz on {v, w, p}: the new v, u, p, Jp, and from them uh and theta
void Lobpcg::rayleigh_ritz(const float* u, float* u_next, float* uh) {
  kernels_.run(LobpcgRayleighRitz{.rows = batch_,
                                  .d = d_,
                                  .range = range_,
                                  .v = v_.data(),
                                  .p = p_.data(),
                                  .w = w_.data(),
                                  .u = u,
                                  .u_next = u_next,
                                  .jp = jp_.data(),
                                  .jw = jw_.data(),
                                  .uh = uh,
                                  .theta = theta_.data(),
                                  .trace = trace_.data(),
                                  .has_w = has_w_.data(),
                                  .has_p = has_p_.data(),
                                  .status = status_.data(),
                                  .authors = authors_.data()});
}

SmallestSingular Lobpcg::result() const {
  return {.v = v_,
          .jv = options_.iterations > 0 ? u_ : u0_,
          .theta = {theta_.data(), batch_, flat(1)},
          .floor2 = {floor2_.data(), batch_, flat(1)},
          .status = {status_.data(), batch_, flat(1)},
          .jv0_unit = u0_,
          .norm_v0 = {norm_v0_.data(), batch_, flat(1)}};
}

}  // namespace ebm
