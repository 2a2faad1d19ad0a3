// SPDX-License-Identifier: MIT
// Upper bounds of the negative log-likelihood (section 2.2), which the energy minimises:
//   L_E = mean E(x) - mean E(x~) + [ term ]_+
//
//   bidirectional     term = weight / 2 mean_i (E'(x~_i; J v0_i) - a_i . v0_i)^2 / n_i - hinge
//                     (eq. 15, 18-20)
//   gp_real, gp_fake, gp_interpolated
//                     term = weight mean_i ||grad_x E(x^_i)||^2 - hinge, the zero-centred gradient penalty at
//                     x, x~, or alpha x + (1 - alpha) x~
//   none              term = 0
//
// With SampleWeighting::importance log Z by importance sampling (kernels/formulas/sample_weights.h) has the place of
// -mean E(x~): where d = D and G is one to one its density at x~ is known.
//
// E'(x; u) is E's derivative along u, so both need E's derivative along one direction a sample; ||grad E||^2
// is E' along u = grad E held constant, and its gradient in theta twice that of E'. The parameters' gradient
// then is one backward pass of (E, E'): shared by both when E is piecewise linear, vjp_of_jvp otherwise.
#pragma once

#include <memory>
#include <vector>

#include "bounds/entropy_bound.h"
#include "parallel/shared_rows.h"

namespace ebm {

enum class EnergyPenaltyKind { bidirectional, gp_real, gp_fake, gp_interpolated, none };

/// How the pair (E, E') is sent backwards; `automatic` shares one signal when E is piecewise linear.
enum class PairBackward { automatic, separate };

/// What the samples count in L_E: 1/B each, or p_E / p_G, as far as the batch tells.
enum class SampleWeighting { equal, importance };

struct EnergyPenaltyOptions {
  EnergyPenaltyKind kind = EnergyPenaltyKind::bidirectional;
  double weight = 0.001;
  PenaltyNormaliser normaliser = PenaltyNormaliser::d;  ///< bidirectional only
  double hinge = 1;
  PairBackward backward = PairBackward::automatic;
  SampleWeighting samples = SampleWeighting::equal;
  WideLatents wide = {};          ///< importance: of the z that the caller widened (WidenLatents)
  Communicator* ranks = nullptr;  ///< that share each batch: L_E is that of all their samples; null: one
};

/// Where the means go, on the device.
struct EnergyScalars {
  float *energy_real, *energy_fake, *penalty, *loss;
  float *log_z = nullptr, *effective_samples = nullptr;  ///< with importance: log Z^, (sum w)^2 / sum w^2
};

class EnergyPenalty {
 public:
  virtual ~EnergyPenalty() = default;

  /// Where the caller puts x (B data points) and x~ (B samples) before evaluate.
  View data() const { return inputs_.row_range(real_row_, batch_); }
  View samples() const { return inputs_.row_range(fake_row_, batch_); }
  /// Bidirectional: where the caller puts J v0 (EntropyBound::probe_product or probe).
  View directions() const { return inputs_.row_range(values_, batch_); }

  /// What one iteration brings besides x and x~; empty where a bound has no use for it.
  struct Draw {
    ConstView z, v0;         ///< bidirectional: B x d; z with importance too
    ConstView z_score;       ///< bidirectional: grad_z of the entropy value, B x d; empty if zero
    ConstView alpha;         ///< gp_interpolated: B x 1
    ConstView log_det = {};  ///< importance: log |det J(z)|, B x 1, after the lower bound has finished
    ConstView good = {};     ///< importance: 0 for samples to leave out, B x 1
  };
  /// L_E into `scalars`, and the gradient of L_E into the energy's parameters (overwritten).
  void evaluate(const Draw& draw, const EnergyScalars& scalars) {
    prepare(draw);
    forward();
    loss(draw, scalars);
    backward();
  }
  /// The four parts of evaluate. First the points (rows 0 .. B) and directions (rows after the values), as
  /// far as they are known: the lower bound must have started.
  virtual void prepare(const Draw& draw) = 0;
  /// E on values and tangents: concerns the energy alone.
  virtual void forward() = 0;
  /// L_E and the cotangents: the lower bound must have finished, and z_score be known.
  void loss(const Draw& draw, const EnergyScalars& scalars);
  /// The gradient: concerns the energy alone.
  void backward();

  /// Per sample, after evaluate (B x 1 each): E(x), E(x~), E' along the direction (empty without a penalty).
  ConstView energy_real() const { return outputs_.row_range(real_row_, batch_); }
  ConstView energy_fake() const { return outputs_.row_range(fake_row_, batch_); }
  ConstView directional() const { return has_tangents() ? ConstView(directional_outputs()) : ConstView(); }
  /// a = -grad_z log p_g(G(z)) of the bidirectional bound, B x d; empty for the others.
  virtual ConstView score() const { return {}; }

 protected:
  /// Whether E takes all values in one call, or B at a time, as batches of their own: then each has batch
  /// statistics of its own, and a pass may go through the points alone.
  enum class Rows { together, apart };

  EnergyPenalty(Kernels& kernels, Network& energy, int64_t batch, const EnergyPenaltyOptions& options,
                Precision precision, Rows rows);

  /// The objective, with what it reads of the draw computed.
  virtual EnergyObjective objective(const Draw& draw) = 0;

  View points() const { return inputs_.row_range(0, batch_); }
  bool has_tangents() const { return options_.kind != EnergyPenaltyKind::none; }
  View directional_outputs() const { return outputs_.row_range(values_, batch_); }
  ConstView unit_cotangents() const { return ones_; }
  /// The trace of the points and their tangents, and E's values on its rows: all rows, or the points alone.
  Trace& trace() { return *parts_.front(); }
  View inputs() const { return part(inputs_, 0); }
  View outputs() const { return part(outputs_, 0); }
  void weigh_samples(const Draw& draw, const EnergyScalars& scalars, const float* fake);
  /// E on the batches of the other traces: first the data, then the samples, as far as they are no points.
  void forward_others();

  Kernels& kernels_;
  Network& energy_;
  int64_t batch_;
  EnergyPenaltyOptions options_;

 private:
  View part(const Tensor& rows, size_t i) const {
    return rows.row_range(static_cast<int64_t>(i) * part_rows_, part_rows_);
  }

  // Rows of inputs_ and outputs_: [points with tangents (B) | the other values | the tangents (B)]. Samples
  // or data serve as the points where they can; values_ is 2 B, or 3 B with interpolated points.
  int64_t real_row_, fake_row_, values_, part_rows_;
  std::vector<std::unique_ptr<Trace>> parts_;  // of part_rows_ values each
  Tensor inputs_, outputs_;
  // With several ranks B is this rank's samples, and whole_batch_ those of all, which L_E is of.
  int64_t whole_batch_;
  Tensor value_weights_;  // values_ x 1: 1/(whole batch) for data, minus that for samples, 0 for other points
  Tensor tangent_weights_;      // B x 1: c of EnergyObjective
  Tensor ones_;                 // part_rows_ x 1
  Buffer<double> log_density_;  // whole_batch_, with importance: log p_G(x~)
  struct {
    SharedRows<float> real, fake, directional, target, norm_v0, good, c;  // of EnergyObjective
    SharedRows<float> z, log_det, cotangent;                              // with importance
  } shared_;
};

/// `lower` (bidirectional only, else null) must outlive the bound.
std::unique_ptr<EnergyPenalty> make_energy_penalty(Kernels& kernels, Network& energy, EntropyBound* lower,
                                                   int64_t batch, const EnergyPenaltyOptions& options,
                                                   Precision precision = Precision::training);

}  // namespace ebm
