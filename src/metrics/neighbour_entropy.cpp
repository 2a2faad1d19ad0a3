// SPDX-License-Identifier: MIT
#include "metrics/neighbour_entropy.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <string>
#include <vector>

#include "core/error.h"

namespace ebm {

namespace {

using Point = std::array<double, 2>;

double squared_distance(const Point& a, const Point& b) {
  return (a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]);
}

/// The k smallest numbers it was shown, ascending.
class Smallest {
 public:
  explicit Smallest(int64_t k) : values_(static_cast<size_t>(k), std::numeric_limits<double>::infinity()) {}

  void show(double x) {
    if (!(x < values_.back())) return;
    const auto place = std::upper_bound(values_.begin(), values_.end(), x);
    std::move_backward(place, values_.end() - 1, values_.end());
    *place = x;
  }
  [[nodiscard]] double kth() const { return values_.back(); }

 private:
  std::vector<double> values_;
};

/// The points in the order of a tree: of a part of them, the one in the middle divides the others along the
/// axis of its depth, 0, 1, 0, ....
class Tree {
 public:
  explicit Tree(std::vector<Point> points) : points_(std::move(points)) { divide(0, points_.size(), 0); }

  [[nodiscard]] const std::vector<Point>& points() const { return points_; }

  /// Shows the squared distances of point number `centre` from all others that may be near.
  void search(size_t centre, Smallest& nearest) const { search(0, points_.size(), 0, centre, nearest); }

 private:
  void divide(size_t first, size_t last, size_t axis) {
    if (last - first < 2) return;
    const size_t middle = first + (last - first) / 2;
    const auto at = [this](size_t i) { return points_.begin() + static_cast<std::ptrdiff_t>(i); };
    std::nth_element(at(first), at(middle), at(last),
                     [axis](const Point& a, const Point& b) { return a[axis] < b[axis]; });
    divide(first, middle, 1 - axis);
    divide(middle + 1, last, 1 - axis);
  }

  void search(size_t first, size_t last, size_t axis, size_t centre, Smallest& nearest) const {
    if (first == last) return;
    const size_t middle = first + (last - first) / 2;
    if (middle != centre) nearest.show(squared_distance(points_[middle], points_[centre]));
    const double beyond = points_[centre][axis] - points_[middle][axis];
    const auto side = [&](bool upper) {
      upper ? search(middle + 1, last, 1 - axis, centre, nearest)
            : search(first, middle, 1 - axis, centre, nearest);
    };
    side(beyond > 0);
    if (beyond * beyond < nearest.kth()) side(!(beyond > 0));
  }

  std::vector<Point> points_;
};

/// psi(n), n >= 1.
double digamma(int64_t n) {
  double sum = -std::numbers::egamma;
  for (int64_t j = 1; j < n; ++j) sum += 1 / static_cast<double>(j);
  return sum;
}

std::vector<Point> checked(std::span<const float> points, int64_t k) {
  if (points.size() % 2 != 0 || k < 1 || static_cast<int64_t>(points.size() / 2) <= k)
    throw Error("neighbour entropy: " + std::to_string(points.size()) + " coordinates, neighbour number " +
                std::to_string(k) + "; give whole points, more than k >= 1 of them");
  std::vector<Point> pairs;
  for (size_t i = 0; i < points.size(); i += 2) {
    if (!(std::isfinite(points[i]) && std::isfinite(points[i + 1])))
      throw Error("neighbour entropy: point " + std::to_string(i / 2) +
                  " is not finite; look at the samples");
    pairs.push_back({points[i], points[i + 1]});
  }
  return pairs;
}

}  // namespace

double neighbour_entropy(std::span<const float> points, int64_t k) {
  const Tree tree(checked(points, k));
  const size_t n = tree.points().size();
  double sum = 0;  // of ln e_i^2
  for (size_t i = 0; i < n; ++i) {
    Smallest nearest(k);
    tree.search(i, nearest);
    if (!(nearest.kth() > 0))
      throw Error("neighbour entropy: " + std::to_string(k + 1) +
                  " points coincide; take another k, or samples that spread over the plane");
    sum += std::log(nearest.kth());
  }
  return digamma(static_cast<int64_t>(n)) - digamma(k) + std::log(std::numbers::pi) +
         sum / static_cast<double>(n);
}

}  // namespace ebm
