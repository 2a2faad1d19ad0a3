// SPDX-License-Identifier: MIT
#include "sampling/latent_points.h"

#include <algorithm>
#include <cmath>
#include <span>

namespace ebm {

namespace {

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

/// The point at `share` of the way from a to b.
void append_between(std::span<const float> a, std::span<const float> b, double share,
                    std::vector<float>& out) {
  const double length_a = std::sqrt(dot(a, a)), length_b = std::sqrt(dot(b, b));
  const double angle = std::acos(std::clamp(dot(a, b) / (length_a * length_b), -1.0, 1.0));
  const double sine = std::sin(angle);
  // Nearly parallel ends (or opposite ones, between which no circle is the shortest): along the straight
  // line.
  const bool straight = !(sine > 1e-6);
  const double share_a = straight ? 1 - share : std::sin((1 - share) * angle) / sine;
  const double share_b = straight ? share : std::sin(share * angle) / sine;
  const double length = (1 - share) * length_a + share * length_b;
  for (size_t i = 0; i < a.size(); ++i) {
    const double value = straight ? share_a * a[i] + share_b * b[i]
                                  : length * (share_a * a[i] / length_a + share_b * b[i] / length_b);
    out.push_back(static_cast<float>(value));
  }
}

}  // namespace

std::vector<float> latent_points(Kernels& kernels, uint64_t seed, uint32_t stream, int64_t count,
                                 const Features& latent) {
  const Buffer<uint64_t> draw(kernels, 1);  // the number of the draw: 0
  const Tensor z(kernels, count, latent);
  kernels.noise({Distribution::normal, seed, stream, draw.data()}, z);
  return z.download();
}

std::vector<float> interpolate(const std::vector<float>& ends, int64_t latent, int64_t columns) {
  const auto d = static_cast<size_t>(latent);
  std::vector<float> points;
  for (size_t row = 0; 2 * (row + 1) * d <= ends.size(); ++row) {
    const auto a = std::span(ends).subspan(2 * row * d, d), b = std::span(ends).subspan((2 * row + 1) * d, d);
    for (int64_t i = 0; i < columns; ++i) {
      const double share = columns > 1 ? static_cast<double>(i) / static_cast<double>(columns - 1) : 0;
      append_between(a, b, share, points);
    }
  }
  return points;
}

}  // namespace ebm
