// SPDX-License-Identifier: MIT
#include "evaluate/jacobian_monitor.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ebm {

namespace {

constexpr int64_t tangents_at_a_time = 8;  // little memory beside that of training

template <class T>
std::vector<T> numbers(Kernels& kernels, const T* data, int64_t count) {
  std::vector<T> values(static_cast<size_t>(count));
  kernels.download(values.data(), data, count * static_cast<int64_t>(sizeof(T)));
  return values;
}

/// The standard deviation of the roots of G's diagonal, G d x d.
double spread_of_columns(const double* gram, int64_t d) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < d; ++i) sum += std::sqrt(gram[i * d + i]);
  const double mean = sum / static_cast<double>(d);
  for (int64_t i = 0; i < d; ++i) squares += std::pow(std::sqrt(gram[i * d + i]) - mean, 2);
  return std::sqrt(squares / static_cast<double>(d));
}

double trace_of(const double* gram, int64_t d) {
  double sum = 0;
  for (int64_t i = 0; i < d; ++i) sum += gram[i * d + i];
  return sum;
}

}  // namespace

std::vector<double> d_log_s1(Kernels& kernels, const SmallestSingular& found, int64_t d) {
  const int64_t rows = found.theta.rows;
  const std::vector<double> theta = numbers(kernels, found.theta.data, rows),
                            floor2 = numbers(kernels, found.floor2.data, rows);
  const std::vector<int32_t> status = numbers(kernels, found.status.data, rows);
  std::vector<double> values;
  for (size_t i = 0; i < theta.size(); ++i) {
    const bool bad = (status[i] & bad_sample) != 0;
    values.push_back(bad ? std::numeric_limits<double>::quiet_NaN()
                         : static_cast<double>(d) / 2 * std::log(std::max(theta[i], floor2[i])));
  }
  return values;
}

JacobianMonitor::JacobianMonitor(Kernels& kernels, Network& generator, int64_t points)
    : kernels_(kernels),
      jacobian_(kernels, generator, points, std::min(tangents_at_a_time, generator.input().size())),
      gram_(kernels, points, generator.input().size(), generator.output().size()),
      z_(kernels, points, generator.input()) {}

std::vector<JacobianNumbers> JacobianMonitor::at(const std::vector<float>& z) {
  z_.upload(z);
  jacobian_.linearize(z_);
  gram_.run(jacobian_);
  const int64_t rows = points(), d = jacobian_.domain();
  const SmallestSingular smallest = gram_.result();
  const std::vector<double> theta = numbers(kernels_, smallest.theta.data, rows),
                            floor2 = numbers(kernels_, smallest.floor2.data, rows),
                            log_det = numbers(kernels_, gram_.log_det().data, rows),
                            bound = d_log_s1(kernels_, smallest, d),
                            condition = numbers(kernels_, gram_.cond().data, rows),
                            gram = numbers(kernels_, gram_.gram().data, rows * d * d);
  const std::vector<int32_t> status = numbers(kernels_, smallest.status.data, rows);
  std::vector<JacobianNumbers> found;
  for (size_t i = 0; i < theta.size(); ++i) {
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    const bool lost = !(theta[i] > floor2[i]);
    found.push_back({.log_det = log_det[i],
                     .d_log_s1 = bound[i],
                     .condition = lost ? std::numeric_limits<double>::infinity() : condition[i],
                     .anisotropy = spread_of_columns(gram.data() + static_cast<int64_t>(i) * d * d, d),
                     .trace_bound = static_cast<double>(d) / 2 *
                                    std::log(trace_of(gram.data() + static_cast<int64_t>(i) * d * d, d) /
                                             static_cast<double>(d))});
    if ((status[i] & bad_sample) != 0) found.back() = {nan, nan, nan, nan, nan};
  }
  return found;
}

JacobianNumbers summary(const std::vector<JacobianNumbers>& points) {
  JacobianNumbers mean{};
  std::vector<double> conditions;
  const auto count = static_cast<double>(points.size());
  for (const JacobianNumbers& point : points) {
    mean.log_det += point.log_det / count;
    mean.d_log_s1 += point.d_log_s1 / count;
    mean.anisotropy += point.anisotropy / count;
    mean.trace_bound += point.trace_bound / count;
    conditions.push_back(point.condition);
  }
  const auto middle = conditions.begin() + std::ssize(conditions) / 2;
  std::nth_element(conditions.begin(), middle, conditions.end());
  mean.condition = *middle;
  return mean;
}

}  // namespace ebm
