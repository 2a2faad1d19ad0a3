// SPDX-License-Identifier: MIT
// Batches of dense maps for the tests of src/linalg: the same numbers, exact in float32, go to the device and
// to the oracle.
#pragma once

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "kernels/kernels_fixture.h"
#include "linalg/dense_operator.h"
#include "linalg/lobpcg.h"
#include "linalg/preconditioner.h"
#include "reference/linalg.h"

namespace ebm::test {

using Map = reference::Matrix<double>;     // D x d
using Column = reference::Vector<double>;  // a vector of R^d or R^D
using Columns = std::vector<Column>;       // one a sample

inline std::vector<float> concatenated(const Columns& x) {
  std::vector<float> values;
  for (const Column& one : x) values.insert(values.end(), one.begin(), one.end());
  return values;
}
/// Sample b's part of rows that follow each other.
template <class T>
std::vector<T> part(const std::vector<T>& values, int64_t b, int64_t B) {
  const int64_t size = std::ssize(values) / B;
  return {values.begin() + b * size, values.begin() + (b + 1) * size};
}
inline Column part_of(const std::vector<float>& values, int64_t b, int64_t B) {
  const std::vector<float> x = part(values, b, B);
  return {x.begin(), x.end()};
}
/// +x or -x, whichever points along `like`.
inline Column turned(Column x, const Column& like) {
  return reference::dot(x, like) < 0 ? reference::scale(-1.0, std::move(x)) : x;
}
template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

/// SmallestSingular on the host.
struct Found {
  std::vector<float> v, jv, jv0_unit;
  std::vector<double> theta, floor2, norm_v0;
  std::vector<int32_t> status;

  int64_t batch() const { return std::ssize(theta); }
  double s1(int64_t b) const { return std::sqrt(theta[static_cast<size_t>(b)]); }
  /// As float32: they are that accurate at best.
  std::vector<float> s1() const {
    std::vector<float> s;
    for (const double t : theta) s.push_back(static_cast<float>(std::sqrt(t)));
    return s;
  }
  Column v_of(int64_t b) const { return part_of(v, b, batch()); }
  Column jv_of(int64_t b) const { return part_of(jv, b, batch()); }
  Found sample(int64_t b) const {
    const int64_t B = batch();
    return {part(v, b, B),      part(jv, b, B),      part(jv0_unit, b, B), part(theta, b, B),
            part(floor2, b, B), part(norm_v0, b, B), part(status, b, B)};
  }
};
inline bool same_bits(const Found& a, const Found& b) {
  return same_bits(a.v, b.v) && same_bits(a.jv, b.jv) && same_bits(a.jv0_unit, b.jv0_unit) &&
         same_bits(a.theta, b.theta) && same_bits(a.floor2, b.floor2) && same_bits(a.norm_v0, b.norm_v0) &&
         a.status == b.status;
}

/// One and the same map for every sample.
class SharedOperator : public LinearOperator {
 public:
  SharedOperator(Kernels& kernels, int64_t B, const Map& map)
      : kernels_(kernels),
        batch_(B),
        range_(map.rows),
        d_(map.cols),
        map_(kernels, reference::to_float(map.values)),
        transposed_(kernels, reference::to_float(reference::transpose(map).values)) {}

  int64_t batch() const override { return batch_; }
  int64_t domain() const override { return d_; }
  int64_t range() const override { return range_; }
  int64_t max_tangents() const override { return 1; }

 protected:
  void do_apply(ConstView v, View jv) override { multiply(v, transposed_, jv); }
  void do_apply_adjoint(ConstView u, View jtu) override { multiply(u, map_, jtu); }

 private:
  void multiply(ConstView in, const Buffer<float>& matrix, View out) {
    kernels_.run(RowTimesMatrix{.rows = in.rows,
                                .columns = out.columns(),
                                .inner = in.columns(),
                                .batch = 1,
                                .in = in.data,
                                .matrix = matrix.data(),
                                .out = out.data});
  }

  Kernels& kernels_;
  int64_t batch_, range_, d_;
  Buffer<float> map_, transposed_;
};

class LinalgTest : public KernelsTest {
 protected:
  /// The emulation takes a fiber for each GPU thread: give it less to do.
  bool slow() const { return GetParam() == "emulated"; }

  Map map(int64_t D, int64_t d) { return reference::rounded_to_float(random_.matrix(D, d)); }
  Map map_with(const Column& s, int64_t D) {
    return reference::rounded_to_float(reference::matrix_with_spectrum(s, D, random_));
  }
  std::vector<Map> maps(int64_t B, int64_t D, int64_t d) {
    std::vector<Map> result;
    for (int64_t b = 0; b < B; ++b) result.push_back(map(D, d));
    return result;
  }
  Columns columns(int64_t B, int64_t n) {
    Columns result;
    for (int64_t b = 0; b < B; ++b) result.push_back(reference::rounded_to_float(random_.normals(n)));
    return result;
  }

  Tensor on_device(const Columns& x) { return tensor(std::ssize(x), std::ssize(x.front()), concatenated(x)); }
  DenseOperator dense(const std::vector<Map>& maps, int64_t max_tangents = 1) {
    std::vector<float> values;
    for (const Map& m : maps) values.insert(values.end(), m.values.begin(), m.values.end());
    return {*kernels_, std::ssize(maps), maps.front().rows, maps.front().cols, values, max_tangents};
  }

  template <class T>
  std::vector<T> on_host(BasicView<const T> view) {
    std::vector<T> values(static_cast<size_t>(view.size()));
    kernels_->download(values.data(), view.data, view.size() * static_cast<int64_t>(sizeof(T)));
    return values;
  }
  Found on_host(const SmallestSingular& found) {
    return {.v = on_host(found.v),
            .jv = on_host(found.jv),
            .jv0_unit = on_host(found.jv0_unit),
            .theta = on_host(found.theta),
            .floor2 = on_host(found.floor2),
            .norm_v0 = on_host(found.norm_v0),
            .status = on_host(found.status)};
  }

  Found lobpcg(LinearOperator& j, const Columns& v0, const LobpcgOptions& options, const Columns& p0 = {}) {
    Lobpcg solver(*kernels_, j.batch(), j.domain(), j.range(), options);
    const Tensor start = on_device(v0), direction = p0.empty() ? Tensor() : on_device(p0);
    solver.run(j, start, direction);
    return on_host(solver.result());
  }
  Found lobpcg(const std::vector<Map>& maps, const Columns& v0, const LobpcgOptions& options,
               const Columns& p0 = {}) {
    DenseOperator j = dense(maps);
    return lobpcg(j, v0, options, p0);
  }

  /// M = m + 1e-6 tr(m) / d: what the preconditioner makes of a mean of J^T J that it holds to be good.
  void set(Preconditioner& preconditioner, const Map& m) {
    std::vector<double> state = m.values;
    state.insert(state.end(), {1.0, 0.0});
    preconditioner.state().upload(state);
    preconditioner.factor();
  }
  static Map ridged(Map m) {
    double trace = 0;
    for (int64_t i = 0; i < m.rows; ++i) trace += m(i, i);
    for (int64_t i = 0; i < m.rows; ++i) m(i, i) += 1e-6 * trace / static_cast<double>(m.rows);
    return m;
  }
  static Map inverse(const Map& spd) {
    Map result(spd.rows, spd.rows);
    for (int64_t i = 0; i < spd.rows; ++i)
      result.set_column(i, reference::solve_spd(spd, reference::identity(spd.rows).column(i)));
    return result;
  }
  static Map gram(const Map& j) { return reference::multiply(reference::transpose(j), j); }
};

/// The text of the Error that `call` throws.
template <class F>
std::string error_of(const F& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no Error";
}

}  // namespace ebm::test
