// SPDX-License-Identifier: MIT
// All formulas, compiled with instrumented loads and stores, and formulas that lie. Nothing else is compiled
// so; first in the link, since other objects hold plain copies of the same inline functions.
#include "checked_kernels.h"
#include "core/type_name.h"
#include "kernels/runner.h"

namespace ebm::test {

namespace {

struct Team {
  template <class F>
  double sum(int64_t n, F f) const {
    double total = 0;
    for (int64_t i = 0; i < n; ++i) total += f(i);
    return total;
  }
  template <class F>
  void each(int64_t n, F f) const {
    for (int64_t i = 0; i < n; ++i) f(i);
  }
  template <class F>
  void single(F f) const {
    f();
  }
};

template <class Formula>
void run_all(const Formula& f) {
  if constexpr (Formula::pattern == Pattern::teams) {
    for (int64_t row = 0; row < f.rows; ++row) f(Team{}, row);
  } else if constexpr (Formula::pattern == Pattern::map) {
    for (int64_t row = 0; row < f.rows; ++row) {
      for (int64_t column = 0; column < f.columns; ++column) f(row, column);
    }
  } else {
    for (int64_t column = 0; column < f.columns; ++column) {
      auto total = f.term(0, column);
      for (int64_t row = 1; row < f.rows; ++row) {
        const auto term = f.term(row, column);
        for (size_t k = 0; k < sizeof(term) / sizeof(double); ++k) total.of[k] += term.of[k];
      }
      f.finish(column, total);
    }
  }
}

class CheckedLauncher : public CheckedBase {
 public:
  template <class Formula>
  void launch(const Formula& formula) {
    log().start();
    run_all(formula);
    log().stop();
    compare(typeid(Formula).name(), arrays_of(formula));
  }

 protected:
  CheckedLauncher& launcher() { return *this; }
};

template <class... F>
std::set<std::string> names_of(const FormulaList<F...>&) {
  return {short_type_name(typeid(F).name())...};
}

// Each lies in one way about x, y and z, of `rows` numbers each: it says that it reads x and writes y.

struct LyingMap {
  static constexpr Pattern pattern = Pattern::map;
  int64_t rows, columns = 1;
  Lie lie;
  const float* x;
  float *y, *z;

  template <class Uses>
  void arrays(Uses& uses) const {
    uses.reads(x, rows);
    uses.writes(y, rows);
  }
  void operator()(int64_t row, int64_t) const {
    const bool last = row == rows - 1;
    float value = lie == Lie::unmade_read ? 1 : x[row];
    if (last && lie == Lie::undeclared_read) value += z[0];
    if (last && lie == Lie::write_that_reads) value += y[row];
    if (last && lie == Lie::undeclared_write) z[0] = value;
    if (!last || lie != Lie::unmade_write) y[row] = value;
  }
};

struct LyingColumns : LyingMap {
  static constexpr Pattern pattern = Pattern::columns;
  Sums<1> term(int64_t row, int64_t column) const {
    (*this)(row, column);
    return {{0}};
  }
  void finish(int64_t, const Sums<1>&) const {}
};

struct LyingTeams : LyingMap {
  static constexpr Pattern pattern = Pattern::teams;
  template <class AnyTeam>
  void operator()(const AnyTeam& team, int64_t row) const {
    team.single([&] { LyingMap::operator()(row, 0); });
  }
};

}  // namespace

std::unique_ptr<CheckedBase> make_checked_kernels() {
  return std::make_unique<Runner<CheckedLauncher>>();
}

std::set<std::string> formula_names() {
  return names_of(Formulas{});
}

std::set<std::string> run_liar(Lie lie, Pattern pattern) {
  Runner<CheckedLauncher> kernels;
  const Buffer<float> x(kernels, 3), y(kernels, 3), z(kernels, 3);
  const LyingMap liar{.rows = 3, .lie = lie, .x = x.data(), .y = y.data(), .z = z.data()};
  switch (pattern) {
    case Pattern::map:
      kernels.launch(liar);
      break;
    case Pattern::columns:
      kernels.launch(LyingColumns{liar});
      break;
    case Pattern::teams:
      kernels.launch(LyingTeams{liar});
      break;
  }
  return kernels.lies();
}

}  // namespace ebm::test
