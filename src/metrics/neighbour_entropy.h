// SPDX-License-Identifier: MIT
// The differential entropy of points in the plane from their k-th nearest neighbours, in nats (Kozachenko and
// Leonenko 1987; Kraskov et al. 2004, arXiv:cond-mat/0305641, eq. 20 with the Euclidean norm and its
// diameters halved):
//
//   H = psi(N) - psi(k) + ln pi + 2/N sum_i ln e_i,     e_i the distance to the k-th nearest point
//
// psi is the digamma function, psi(n) = -gamma + sum_{j < n} 1/j. Neighbours come from a k-d tree: N ln N,
// not N^2. Distances are those of the float32 points, in float64.
#pragma once

#include <cstdint>
#include <span>

namespace ebm {

/// Points are x0, y0, x1, y1, .... Throws Error when a coordinate is missing or not finite, k is below 1,
/// there are not more points than k, or k + 1 points coincide: the estimate is then -infinity, and the
/// samples lie on fewer than two dimensions.
double neighbour_entropy(std::span<const float> points, int64_t k = 3);

}  // namespace ebm
