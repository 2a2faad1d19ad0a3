// SPDX-License-Identifier: MIT
// What Figure 3 compares: the entropy of G's density less that of z, E[1/2 log det J^T J], and what estimates or
// bounds it. Batch norm on its running statistics.
#pragma once

#include <string>
#include <vector>

#include "evaluate/jacobian_monitor.h"
#include "linalg/hutchinson.h"
#include "linalg/lanczos.h"
#include "linalg/lobpcg.h"
#include "linalg/preconditioner.h"

namespace ebm {

struct EntropyEstimateOptions {
  int64_t points = 16;  ///< latent points; these and all probes are functions of the seed
  uint64_t seed = 1;
  int64_t lobpcg_iterations = 2;  ///< as in training
  Direction direction = Direction::orthonormal;
  int64_t lanczos_pairs = 3;
};

class EntropyEstimates {
 public:
  /// `generator` must outlive it.
  EntropyEstimates(Kernels& kernels, Network& generator, const EntropyEstimateOptions& options);

  /// entropy_lobpcg       d log s_1, s_1 by a few steps of LOBPCG: what training maximises
  /// entropy_s1           d log s_1 exactly, a lower bound
  /// entropy_log_det      1/2 log det J^T J exactly, the truth
  /// entropy_hutchinson   d/2 log(||J v||^2 / d), one probe a point (Kumar et al. 2020)
  /// entropy_slq          1/2 log det J^T J by stochastic Lanczos quadrature, one probe a point
  /// entropy_lobpcg_preconditioned   as the first, preconditioned by the mean of J^T J, of 8 d probes there
  /// entropy_trace_bound  d/2 log(tr J^T J / d), what Hutchinson's estimates lie about: an upper bound
  static std::vector<std::string> names();
  /// In that order, each at every point. NaN where J has a number that is not finite. Waits for the device.
  std::vector<std::vector<double>> at_points();
  /// The means over the points.
  std::vector<double> means();

 private:
  Tensor normals(uint32_t purpose, const Features& features);
  void draw(uint32_t purpose, uint64_t number, const Tensor& to);
  void make_preconditioner();
  std::vector<double> log_dets(const SampleNumbers& values, const SampleStatuses& status);

  Kernels& kernels_;
  EntropyEstimateOptions options_;
  int64_t d_, range_;
  Buffer<uint64_t> number_;  // of a draw
  JacobianMonitor exact_;
  GeneratorJacobian jacobian_;
  Preconditioner preconditioner_;
  Lobpcg lobpcg_, preconditioned_;
  Hutchinson hutchinson_;
  Lanczos lanczos_;
  Tensor z_, v0_, p0_, v_, g_, e_;
};

}  // namespace ebm
