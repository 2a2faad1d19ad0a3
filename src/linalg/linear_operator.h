// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "core/error.h"
#include "core/view.h"

namespace ebm {

/// A batch of B linear maps J_b : R^d -> R^D, seen only through products: all that the algorithms of this
/// folder know of what they work on. Counts its passes, so that an algorithm's cost can be stated and tested
/// (docs/method.md).
class LinearOperator {
 public:
  virtual ~LinearOperator() = default;

  virtual int64_t batch() const = 0;   ///< B
  virtual int64_t domain() const = 0;  ///< d
  virtual int64_t range() const = 0;   ///< D
  /// The largest k that apply() takes at once.
  virtual int64_t max_tangents() const = 0;

  /// jv[t, b] = J_b v[t, b] for k = v.rows / B vectors a sample (k*B x d -> k*B x D, tangent-major). One pass
  /// a vector. Throws Error on other shapes.
  void apply(ConstView v, View jv) {
    check("apply", v, domain(), jv, range(), max_tangents());
    applications_ += v.rows / batch();
    do_apply(v, jv);
  }
  /// jtu[b] = J_b^T u[b] (B x D -> B x d). One pass.
  void apply_adjoint(ConstView u, View jtu) {
    check("apply_adjoint", u, range(), jtu, domain(), 1);
    ++adjoint_applications_;
    do_apply_adjoint(u, jtu);
  }

  int64_t applications() const { return applications_; }
  int64_t adjoint_applications() const { return adjoint_applications_; }
  void reset_counts() { applications_ = adjoint_applications_ = 0; }

 protected:
  virtual void do_apply(ConstView v, View jv) = 0;
  virtual void do_apply_adjoint(ConstView u, View jtu) = 0;

 private:
  void check(const char* what, ConstView in, int64_t in_columns, View out, int64_t out_columns,
             int64_t most) const {
    const bool good = in.columns() == in_columns && out.columns() == out_columns && in.rows == out.rows &&
                      in.rows > 0 && in.rows % batch() == 0 && in.rows / batch() <= most;
    if (!good) {
      throw Error(std::string(what) + " of an operator R^" + std::to_string(domain()) + " -> R^" +
                  std::to_string(range()) + " on " + std::to_string(batch()) + " samples got " +
                  to_string(in) + " -> " + to_string(out) + " (at most " + std::to_string(most) +
                  " tangents a sample)");
    }
  }

  int64_t applications_ = 0, adjoint_applications_ = 0;
};

}  // namespace ebm
