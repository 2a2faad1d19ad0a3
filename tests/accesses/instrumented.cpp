// SPDX-License-Identifier: MIT
// All formulas, compiled with instrumented loads and stores, and formulas that lie. Nothing else is compiled
// so; first in the link, since other objects hold plain copies of the same inline functions.
#include "checked_kernels.h"
#include "core/type_name.h"
#include "kernels/runner.h"

namespace ebm::test {

namespace {

template <int N>
void add(Sums<N>& total, const Sums<N>& more) {
  for (int k = 0; k < N; ++k) total.of[k] += more.of[k];
}

struct Team {
  using Elements = Element;

  template <class F>
  double sum(int64_t n, F f) const {
    return sums(n, [&](int64_t i) { return Sums<1>{{f(i)}}; }).of[0];
  }
  template <class F>
  auto sums(int64_t n, F f) const {
    decltype(f(n)) total{};
    for (int64_t i = 0; i < n; ++i) add(total, f(i));
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

/// A column's term, whose element is written where it has one.
template <class Formula, class E>
auto sums_at(const Formula& f, const E& e) {
  const auto term = f.term(e);
  if constexpr (requires { term.element; }) {
    if (present(f.output())) e.write(f.output(), term.element);
  }
  return sums_of(term);
}

template <class Stored, class Formula>
void run_all(const Formula& f) {
  if constexpr (Formula::pattern == Pattern::teams) {
    for (int64_t row = 0; row < f.rows; ++row) f(Team{}, row);
  } else if constexpr (Formula::pattern == Pattern::columns) {
    for (int64_t column = 0; column < f.columns; ++column) {
      auto total = sums_at(f, ElementOf<Stored>{0, column, f.columns});
      for (int64_t row = 1; row < f.rows; ++row)
        add(total, sums_at(f, ElementOf<Stored>{row, column, f.columns}));
      f.finish(column, total);
    }
  } else {
    for (int64_t row = 0; row < f.rows; ++row) {
      for (int64_t column = 0; column < f.columns; ++column) {
        if constexpr (Formula::pattern == Pattern::elements) {
          const ElementOf<Stored> e{row, column, f.columns};
          e.write(f.output(), f(e));
        } else {
          f(row, column);
        }
      }
    }
  }
}

class CheckedLauncher : public CheckedBase {
 public:
  template <class Formula>
  void launch(const Formula& formula) {
    log().start();
    by_type(formula, [&]<class Stored>(Stored) { run_all<Stored>(formula); });
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
  Sums<1> term(const Element& e) const {
    (*this)(e.row, e.column);
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
    case Pattern::elements:  // who runs them writes them
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
