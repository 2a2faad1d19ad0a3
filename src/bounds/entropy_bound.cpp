// SPDX-License-Identifier: MIT
#include "bounds/entropy_bound.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "linalg/gram.h"
#include "linalg/lanczos.h"
#include "linalg/preconditioner.h"

namespace ebm {

namespace {

constexpr double running_gram_beta = 0.98;

/// What all bounds have: the Jacobian, the numbers of each sample, and the preconditioner where there is one.
class BoundBase : public EntropyBound {
 public:
  BoundBase(Kernels& kernels, Network& generator, int64_t batch, int64_t tangents,
            const EntropyBoundOptions& options)
      : kernels_(kernels),
        jacobian_(kernels, generator, batch, tangents, options.jacobian, options.weight_gradients),
        batch_(batch),
        domain_(jacobian_.domain()),
        range_(jacobian_.range()),
        value_(kernels, batch, flat(1)),
        log_s1_(kernels, batch, flat(1)),
        good_(kernels, batch, flat(1)),
        floored_(kernels, batch, flat(1)),
        u_bar_(kernels, batch, flat(range_)),
        jv_(kernels, batch, flat(range_)) {
    if (options.preconditioning == Preconditioning::running_gram)
      preconditioner_.emplace(kernels, batch, domain_, running_gram_beta, options.ranks);
  }

  ConstView value() const override { return value_; }
  ConstView log_s1() const override { return log_s1_; }
  ConstView good() const override { return good_; }
  ConstView floored() const override { return floored_; }
  GeneratorJacobian& jacobian() override { return jacobian_; }

  void probe(ConstView z, ConstView v0, View jv0) override {
    jacobian_.linearize(z);
    jacobian_.apply(v0, jv0);
    kernels_.run(FiniteSamples{.rows = batch_, .columns = range_, .x = jv0.data, .good = good_.data()});
  }

  bool wants_e() const override { return preconditioner_.has_value(); }
  Buffer<double>* state() override { return preconditioner_ ? &preconditioner_->state() : nullptr; }
  void state_restored() override {
    if (preconditioner_) preconditioner_->factor();
  }

 protected:
  void linearize(ConstView z, const Probes& probes) {
    jacobian_.linearize(z);
    if (preconditioner_) {
      preconditioner_->update(jacobian_, probes.e);
      preconditioner_->factor();
    }
  }
  /// The recorded JVP at v, then one backward pass: sum_b <u_bar_b, dJ_b v_b>.
  void gradient_along(ConstView v, ConstView u_bar, View z_bar, Gradient gradient) {
    jacobian_.apply(v, jv_);
    jacobian_.gradient(u_bar, z_bar, gradient);
  }
  void scale_probe_product(const SmallestSingular& found, View jv0) {
    kernels_.run(ScaleRows{.rows = batch_,
                           .columns = range_,
                           .in = found.jv0_unit.data,
                           .scale = found.norm_v0.data,
                           .squared = found.theta.data,
                           .out = jv0.data});
  }
  /// J v0 by a pass of its own, 0 for bad samples.
  void apply_to_probe(View jv0) {
    jacobian_.apply(v0_, jv0);
    kernels_.run(ZeroBadRows{.rows = batch_, .columns = range_, .good = good_.data(), .x = jv0.data});
  }
  const Preconditioner* preconditioner() const { return preconditioner_ ? &*preconditioner_ : nullptr; }

  Kernels& kernels_;
  GeneratorJacobian jacobian_;
  int64_t batch_, domain_, range_;
  Tensor value_, log_s1_, good_, floored_;
  Tensor u_bar_, jv_;  // B x D
  ConstView v0_;
  std::optional<Preconditioner> preconditioner_;
};

/// d log s1, however s1 and its vector v were found.
class SingularValue : public BoundBase {
 public:
  using BoundBase::BoundBase;

  ConstView v() const override { return found_.v; }

  void probe_product(View jv0) override { scale_probe_product(found_, jv0); }

  void gradient(View z_bar, Gradient gradient) override { gradient_along(found_.v, u_bar_, z_bar, gradient); }

 protected:
  /// Where s1 and v will be, or are.
  void set_found(const SmallestSingular& found) { found_ = found; }
  void bound() {
    const SmallestSingular& found = found_;
    kernels_.run(SingularValueBound{.rows = batch_,
                                    .range = range_,
                                    .domain = domain_,
                                    .u = found.jv.data,
                                    .status = found.status.data,
                                    .floor2 = found.floor2.data,
                                    .value = value_.data(),
                                    .log_s1 = log_s1_.data(),
                                    .u_bar = u_bar_.data(),
                                    .good = good_.data(),
                                    .floored = floored_.data()});
  }

 private:
  SmallestSingular found_{};
};

class LobpcgBound final : public SingularValue {
 public:
  LobpcgBound(Kernels& kernels, Network& generator, int64_t batch, const EntropyBoundOptions& options)
      : SingularValue(kernels, generator, batch, 1, options),
        direction_(options.direction),
        solver_(kernels, batch, domain_, range_,
                {.iterations = static_cast<int>(options.lobpcg_iterations),
                 .direction = options.direction,
                 .preconditioner = preconditioner()}) {}

  bool wants_p0() const override { return direction_ == Direction::authors; }

  void start(ConstView z, const Probes& probes) override {
    linearize(z, probes);
    solver_.start(jacobian_, probes.v0, wants_p0() ? probes.p0 : ConstView{});
    set_found(solver_.result());
  }
  void finish() override {
    solver_.finish(jacobian_);
    bound();
  }

 private:
  Direction direction_;
  Lobpcg solver_;
};

class ExactSingularValue final : public SingularValue {
 public:
  ExactSingularValue(Kernels& kernels, Network& generator, int64_t batch, const EntropyBoundOptions& options)
      : SingularValue(kernels, generator, batch, generator.input().size(), options),
        gram_(kernels, batch, domain_, range_) {}

  void start(ConstView z, const Probes& probes) override {
    linearize(z, probes);
    gram_.run(jacobian_, probes.v0);
    set_found(gram_.result());
    bound();
  }

  /// The trace holds the tangents of all unit vectors, so those of v are their combination.
  void gradient(View z_bar, Gradient gradient) override {
    if (jacobian_.z_depends()) return SingularValue::gradient(z_bar, gradient);
    if (!z_bar.empty()) throw Error("the gradient with respect to z is zero; do not ask for it");
    jacobian_.gradient_of_columns(v(), u_bar_, gradient);
  }

 private:
  ExactGram gram_;
};

/// 1/2 log det J^T J, exactly.
class ExactLogDet final : public BoundBase {
 public:
  ExactLogDet(Kernels& kernels, Network& generator, int64_t batch, const EntropyBoundOptions& options)
      : BoundBase(kernels, generator, batch, generator.input().size(), options),
        gram_(kernels, batch, domain_, range_, GramUse::log_det_gradient) {}

  ConstView v() const override { return {}; }

  void start(ConstView z, const Probes& probes) override {
    linearize(z, probes);
    gram_.run(jacobian_, probes.v0);
    const SmallestSingular found = gram_.result();
    kernels_.run(LogDetBound{.rows = batch_,
                             .log_det = gram_.log_det().data,
                             .s1_squared = found.theta.data,
                             .floor2 = found.floor2.data,
                             .status = found.status.data,
                             .value = value_.data(),
                             .log_s1 = log_s1_.data(),
                             .good = good_.data(),
                             .floored = floored_.data()});
  }

  void probe_product(View jv0) override { scale_probe_product(gram_.result(), jv0); }

  /// The generator's trace still holds the products with all unit vectors, the tangents of this gradient.
  void gradient(View z_bar, Gradient gradient) override {
    jacobian_.gradient(gram_.log_det_cotangents(), z_bar, gradient);
  }

 private:
  ExactGram gram_;
};

/// log |det J| of a generator that knows it, a flow; nothing is known of s1.
class FlowLogDet final : public BoundBase {
 public:
  FlowLogDet(Kernels& kernels, Network& generator, int64_t batch, const EntropyBoundOptions& options)
      : BoundBase(kernels, generator, batch, 1, options) {
    log_s1_.upload(std::vector<float>(static_cast<size_t>(batch), std::numeric_limits<float>::quiet_NaN()));
    floored_.upload(std::vector<float>(static_cast<size_t>(batch), 0.0f));
  }

  ConstView v() const override { return {}; }

  void start(ConstView z, const Probes& probes) override {
    v0_ = probes.v0;
    jacobian_.linearize(z);
    jacobian_.log_det(value_);
    kernels_.run(FiniteSamples{.rows = batch_, .columns = 1, .x = value_.data(), .good = good_.data()});
  }

  void probe_product(View jv0) override { apply_to_probe(jv0); }

  void gradient(View z_bar, Gradient gradient) override {
    jacobian_.log_det_gradient(good_, z_bar, gradient);
  }
};

/// Stochastic Lanczos quadrature of 1/2 log det J^T J with its conjugate-gradient surrogate gradient.
class SlqBound final : public BoundBase {
 public:
  SlqBound(Kernels& kernels, Network& generator, int64_t batch, const EntropyBoundOptions& options)
      : BoundBase(kernels, generator, batch, 1, options),
        lanczos_(kernels, batch, domain_, range_,
                 {.pairs = static_cast<int>(options.lanczos_pairs), .preconditioner = preconditioner()}) {}

  ConstView v() const override { return lanczos_.result().v; }

  void start(ConstView z, const Probes& probes) override {
    linearize(z, probes);
    v0_ = probes.v0;
    lanczos_.run(jacobian_, probes.v0);
    const auto found = lanczos_.result();
    kernels_.run(LogDetBound{.rows = batch_,
                             .log_det = found.gauss.data,
                             .s1_squared = nullptr,
                             .floor2 = nullptr,
                             .status = found.status.data,
                             .value = value_.data(),
                             .log_s1 = log_s1_.data(),
                             .good = good_.data(),
                             .floored = floored_.data()});
  }

  void probe_product(View jv0) override { apply_to_probe(jv0); }

  void gradient(View z_bar, Gradient gradient) override {
    const auto found = lanczos_.result();
    gradient_along(found.v, found.u, z_bar, gradient);
  }

 private:
  Lanczos lanczos_;
};

}  // namespace

std::unique_ptr<EntropyBound> make_entropy_bound(Kernels& kernels, Network& generator, int64_t batch,
                                                 const EntropyBoundOptions& options) {
  const bool exact = options.kind == EntropyBoundKind::s1 || options.kind == EntropyBoundKind::logdet;
  if (exact && options.preconditioning != Preconditioning::none) {
    throw Error(
        "the exact lower bounds s1 and logdet have no use for a preconditioner; choose lobpcg or slq");
  }
  switch (options.kind) {
    case EntropyBoundKind::s1:
      return std::make_unique<ExactSingularValue>(kernels, generator, batch, options);
    case EntropyBoundKind::logdet:
      if (generator.has_log_det()) return std::make_unique<FlowLogDet>(kernels, generator, batch, options);
      return std::make_unique<ExactLogDet>(kernels, generator, batch, options);
    case EntropyBoundKind::slq:
      return std::make_unique<SlqBound>(kernels, generator, batch, options);
    case EntropyBoundKind::lobpcg:
      // Where LOBPCG's basis comes to span R^d, the whole Gram matrix gives the same vector for fewer passes.
      if (generator.input().size() <= std::min<int64_t>(options.lobpcg_iterations, 2) + 1) {
        return std::make_unique<ExactSingularValue>(
            kernels, generator, batch,
            EntropyBoundOptions{.jacobian = options.jacobian, .weight_gradients = options.weight_gradients});
      }
      return std::make_unique<LobpcgBound>(kernels, generator, batch, options);
  }
  throw Error("unknown lower bound");
}

}  // namespace ebm
