// SPDX-License-Identifier: MIT
// What plans do: whether they run, whether what they compute is right, and how long they take.
#pragma once

#include <limits>
#include <memory>
#include <string>

#include "kernels/cuda/context.h"
#include "kernels/cuda/cudnn/plan.h"

namespace ebm::cuda {

/// What one run of a plan showed.
struct Verdict {
  std::string fault = {};  ///< why it is not to be used; empty: it is right
  double error = 0;        ///< of its results: root mean square, relative to that of the results themselves
};

/// The root mean square error that results may have, relative to their own root mean square. What float32,
/// TF32 and bfloat16 do at the sums' lengths of the paper's networks is at most a third of it, and what TF32
/// does is ten times that of float32.
double allowed_error(Precision precision);

/// Trials of plans for one request, on random arrays of their own. All wait for the GPU and none may be asked
/// for while the context's stream records.
class Trials {
 public:
  /// Throws Error if there is no room for the arrays.
  Trials(const PlanRequest& request, const Context& context, cudnnHandle_t handle, void* workspace);
  ~Trials();

  /// Runs the plan once, compares some of its results with sums in float64, and sees whether it can be
  /// recorded.
  Verdict judge(const Plan& plan);

  /// Milliseconds of one run, the least of a few recorded graphs of many runs, whose arrays take turns so
  /// that the cache does not hold them. For plans that judge found right. A plan that takes far more than
  /// `least` in one run alone is timed by that run. Throws Error.
  double milliseconds(const Plan& plan, double least = std::numeric_limits<double>::infinity());

 private:
  class Arrays;
  std::unique_ptr<Arrays> arrays_;
};

}  // namespace ebm::cuda
