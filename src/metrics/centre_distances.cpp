// SPDX-License-Identifier: MIT
#include "metrics/centre_distances.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ebm {

namespace {

/// y - mean, rounded to float32.
template <class T>
void take_off(std::span<const double> mean, std::span<const T> y, float* left) {
  for (size_t k = 0; k < mean.size(); ++k) left[k] = static_cast<float>(static_cast<double>(y[k]) - mean[k]);
}

double length_of(std::span<const float> x) {
  double sum = 0;
  for (const float value : x) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

std::vector<double> mean_of(const FeatureRows& points) {
  std::vector<double> mean(static_cast<size_t>(points.dim));
  for (int64_t i = 0; i < points.count(); ++i) {
    const std::span<const float> row = points.row(i);
    for (size_t k = 0; k < mean.size(); ++k) mean[k] += row[k];
  }
  for (double& x : mean) x /= static_cast<double>(points.count());
  return mean;
}

}  // namespace

double squared_distance(std::span<const float> x, std::span<const double> centre) {
  constexpr size_t lanes = 16;  // sums side by side, for SIMD
  double sums[lanes] = {};
  size_t k = 0;
  for (; k + lanes <= x.size(); k += lanes) {
    for (size_t lane = 0; lane < lanes; ++lane) {
      const double left = static_cast<double>(x[k + lane]) - centre[k + lane];
      sums[lane] += left * left;
    }
  }
  double sum = 0;
  for (; k < x.size(); ++k) sum += (x[k] - centre[k]) * (x[k] - centre[k]);
  for (const double part : sums) sum += part;
  return sum;
}

CentreDistances::CentreDistances(Kernels& kernels, const FeatureRows& points, int64_t centres)
    : kernels_(kernels),
      points_(points),
      mean_(mean_of(points)),
      centred_(kernels, centres * points.dim),
      products_(kernels, points.count() * centres) {
  const size_t dim = mean_.size();
  std::vector<float> centred(points.values.size());
  for (int64_t i = 0; i < points.count(); ++i) {
    float* const row = &centred[static_cast<size_t>(i) * dim];
    take_off<float>(mean_, points.row(i), row);
    lengths_.push_back(length_of({row, dim}));
  }
  centred_points_ = Buffer<float>(kernels, std::span<const float>(centred));
}

void CentreDistances::measure(std::vector<double> centres) {
  centres_ = std::move(centres);
  const size_t dim = mean_.size(), count = centres_.size() / dim;
  std::vector<float> centred(static_cast<size_t>(centred_.size()));
  centre_lengths_.clear();
  for (size_t j = 0; j < count; ++j) {
    take_off<double>(mean_, std::span(centres_).subspan(j * dim, dim), &centred[j * dim]);
    centre_lengths_.push_back(length_of({&centred[j * dim], dim}));
  }
  centred_.upload(centred);
  const int64_t rows = points_.count(), columns = static_cast<int64_t>(count);
  kernels_.gemm({.m = rows,
                 .n = columns,
                 .inner = points_.dim,
                 .a = centred_points_.data(),
                 .b = centred_.data(),
                 .transpose_b = Transpose::yes,
                 .c = products_.data()});
  found_.resize(static_cast<size_t>(rows * columns));
  kernels_.download(found_.data(), products_.data(), rows * columns * static_cast<int64_t>(sizeof(float)));
}

/// Where |x_i - c_j|^2 lies; NaN where the estimate overflowed, which excludes nothing.
CentreDistances::Interval CentreDistances::interval(size_t i, size_t j) const {
  constexpr double unit = 0x1p-24, smallest = 0x1p-120;  // below it float32 has fewer bits
  const double x = lengths_[i], c = centre_lengths_[j], dim = static_cast<double>(points_.dim);
  const double estimate = x * x - 2 * static_cast<double>(found_[i * centre_lengths_.size() + j]) + c * c;
  const double error = (dim / 2 + 4) * unit * (x + c) * (x + c) + dim * smallest;
  return {estimate - error, estimate + error};
}

double CentreDistances::exact(size_t i, size_t j) const {
  const size_t dim = mean_.size();
  return squared_distance(points_.row(static_cast<int64_t>(i)), std::span(centres_).subspan(j * dim, dim));
}

/// Of several centres.
size_t CentreDistances::nearest_of(size_t i, std::span<const size_t> centres) const {
  std::vector<double> distances;
  for (const size_t j : centres) distances.push_back(exact(i, j));
  return centres[static_cast<size_t>(std::min_element(distances.begin(), distances.end()) -
                                     distances.begin())];
}

std::vector<int64_t> CentreDistances::nearest(size_t first, size_t count) const {
  std::vector<int64_t> labels;
  std::vector<Interval> of_point(count);
  std::vector<size_t> open;
  for (size_t i = 0; i < lengths_.size(); ++i) {
    double bound = std::numeric_limits<double>::infinity();
    for (size_t j = 0; j < count; ++j) {
      of_point[j] = interval(i, first + j);
      if (of_point[j].high < bound) bound = of_point[j].high;
    }
    open.clear();
    for (size_t j = 0; j < count; ++j)
      if (!(of_point[j].low > bound)) open.push_back(first + j);
    const size_t found = open.size() == 1 ? open.front() : nearest_of(i, open);
    labels.push_back(static_cast<int64_t>(found - first));
  }
  return labels;
}

std::vector<double> CentreDistances::at_most(std::span<const double> bounds, size_t j) const {
  std::vector<double> least(bounds.begin(), bounds.end());
  for (size_t i = 0; i < least.size(); ++i)
    if (!(interval(i, j).low >= least[i])) least[i] = std::min(least[i], exact(i, j));
  return least;
}

}  // namespace ebm
