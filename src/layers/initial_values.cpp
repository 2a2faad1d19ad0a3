// SPDX-License-Identifier: MIT
#include "layers/initial_values.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace ebm {

namespace {

using Kind = Initialization::Kind;

/// `count` numbers, uniform in (0, 1].
std::vector<float> uniforms(Kernels& kernels, int64_t count, uint64_t seed, uint32_t stream) {
  const Buffer<uint64_t> iteration(kernels, 1);
  const Tensor target(kernels, 1, flat(count));
  kernels.noise({Distribution::uniform, seed, stream, iteration.data()}, target);
  return target.download();
}

/// `count` numbers of N(0, 1). Made here, of uniform ones: a device's own differ in their last bits.
std::vector<double> normals(Kernels& kernels, int64_t count, uint64_t seed, uint32_t stream) {
  const std::vector<float> u = uniforms(kernels, count + count % 2, seed, stream);
  std::vector<double> x(u.size());
  for (size_t i = 0; i < x.size(); i += 2) {
    const double radius = std::sqrt(-2 * std::log(double{u[i]}));
    const double angle = 2 * std::numbers::pi * u[i + 1];
    x[i] = radius * std::sin(angle);
    x[i + 1] = radius * std::cos(angle);
  }
  x.resize(static_cast<size_t>(count));
  return x;
}

/// Four sums side by side, which the compiler makes a vector of.
double dot(std::span<const double> x, std::span<const double> y) {
  double sums[4] = {};
  size_t i = 0;
  for (; i + 4 <= x.size(); i += 4)
    for (size_t k = 0; k < 4; ++k) sums[k] += x[i + k] * y[i + k];
  for (; i < x.size(); ++i) sums[0] += x[i] * y[i];
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

/// Makes vectors of `length` numbers, which lie one after the other, orthonormal by Gram-Schmidt: the Q of
/// a QR decomposition of which R has a positive diagonal, for which PyTorch turns signs.
void orthonormalize(std::vector<double>& vectors, int64_t length) {
  const auto n = static_cast<size_t>(length);
  const auto vector = [&](size_t i) { return std::span(vectors).subspan(i * n, n); };
  for (size_t i = 0; i < vectors.size() / n; ++i) {
    const std::span<double> x = vector(i);
    for (size_t j = 0; j < i; ++j) {
      const std::span<const double> q = vector(j);
      const double along = dot(q, x);
      for (size_t k = 0; k < n; ++k) x[k] -= along * q[k];
    }
    const double norm = std::sqrt(dot(x, x));
    for (double& element : x) element /= norm;
  }
}

/// A rows x columns matrix from its normal numbers: rows orthonormal, or columns where these are fewer.
std::vector<double> orthogonal(std::vector<double> normal, int64_t rows, int64_t columns) {
  if (rows <= columns) {
    orthonormalize(normal, columns);
    return normal;
  }
  std::vector<double> transposed(normal.size());
  const auto exchange = [&](const std::vector<double>& from, std::vector<double>& to, int64_t r, int64_t c) {
    for (int64_t i = 0; i < r; ++i)
      for (int64_t j = 0; j < c; ++j)
        to[static_cast<size_t>(j * r + i)] = from[static_cast<size_t>(i * c + j)];
  };
  exchange(normal, transposed, rows, columns);
  orthonormalize(transposed, rows);
  exchange(transposed, normal, columns, rows);
  return normal;
}

/// Glorot's bound for a weight out x in x kernel.
float glorot_bound(const Parameter& weight) {
  const auto extent = [&](size_t axis) {
    return axis < weight.shape.size() ? static_cast<double>(weight.shape[axis]) : 1.0;
  };
  const double pixels = extent(2) * extent(3), gain = pixels > 1 ? 2 : 1;
  return static_cast<float>(std::sqrt(6 * gain / (pixels * (extent(0) + extent(1)))));
}

}  // namespace

Initialization initialization(const Parameter& parameter, Initial initial) {
  constexpr float deviation = 0.02f;
  if (initial == Initial::pytorch) return parameter.initialization;
  const bool normal = initial == Initial::normal;
  switch (parameter.role) {
    case Role::weight:
      if (initial == Initial::glorot) return {Kind::uniform, glorot_bound(parameter)};
      return normal ? Initialization{Kind::normal, deviation} : Initialization{Kind::orthogonal};
    case Role::bias:
      return {Kind::constant, 0};
    case Role::scale:
      return normal ? Initialization{Kind::normal, deviation, 1} : parameter.initialization;
    case Role::other:
      break;
  }
  return parameter.initialization;
}

std::vector<float> initial_values(Kernels& kernels, const Parameter& parameter, const Initialization& how,
                                  uint64_t seed, uint32_t stream) {
  const int64_t size = parameter.size;
  if (how.kind == Kind::constant) return std::vector<float>(static_cast<size_t>(size), how.value);
  if (how.kind == Kind::uniform) {
    std::vector<float> values = uniforms(kernels, size, seed, stream);
    for (float& v : values) v = (2 * v - 1) * how.value;
    return values;
  }
  std::vector<double> x = normals(kernels, size, seed, stream);
  if (how.kind == Kind::normal) {
    for (double& element : x) element = double{how.mean} + double{how.value} * element;
  } else if (how.kind == Kind::direction) {
    orthonormalize(x, size);
  } else {
    const int64_t rows = parameter.shape.empty() ? 1 : parameter.shape.front();
    x = orthogonal(std::move(x), rows, size / rows);
  }
  return std::vector<float>(x.begin(), x.end());
}

}  // namespace ebm
