// SPDX-License-Identifier: MIT
// What a generator's Jacobian J = dG/dz is like, exactly: all its columns by d JVPs, in float64 from there on
// (linalg/gram.h). Batch norm on its running statistics.
#pragma once

#include "bounds/generator_jacobian.h"
#include "linalg/gram.h"

namespace ebm {

/// Of one point z, d = dim z, s_1 <= ... <= s_d the singular values of J.
struct JacobianNumbers {
  double log_det;     ///< 1/2 log det J^T J: the entropy of G's density there, less that of z
  double d_log_s1;    ///< d log s_1, a lower bound of it
  double condition;   ///< s_d / s_1; infinite where J has lost rank
  double anisotropy;  ///< C_z, the standard deviation of ||J e_i|| over i = 1 .. d (eq. 21; divisor d)
  /// d/2 log(tr J^T J / d), an upper bound of log_det: that of the means of s_i^2, arithmetic and geometric
  double trace_bound;
};

/// d log s_1 of each point, of its floor where J has lost rank; NaN where J has a number that is not finite.
/// Waits for the device.
std::vector<double> d_log_s1(Kernels& kernels, const SmallestSingular& found, int64_t d);

class JacobianMonitor {
 public:
  /// Of `points` latent points at a time. `generator` must outlive it.
  JacobianMonitor(Kernels& kernels, Network& generator, int64_t points);

  int64_t points() const { return jacobian_.batch(); }
  /// At the rows of `z` (points() x d). All NaN where J has a number that is not finite. Waits for
  /// the device.
  std::vector<JacobianNumbers> at(const std::vector<float>& z);

 private:
  Kernels& kernels_;
  GeneratorJacobian jacobian_;
  ExactGram gram_;
  Tensor z_;
};

/// The means over points of log_det, d_log_s1, anisotropy and trace_bound, and the median of the condition.
JacobianNumbers summary(const std::vector<JacobianNumbers>& points);

}  // namespace ebm
