// SPDX-License-Identifier: MIT
// Implements Kernels::run(formula) for every formula through one function template of a device:
// launch(formula).
#pragma once

#include "kernels/kernels.h"

namespace ebm {

/// Base: a class derived from Kernels that has launcher() (protected), which returns something with
/// `template <class F> void launch(F)`.
template <class Base, class... Formulas>
class RunnerOf : public Base {
 public:
  using Base::Base;
};

template <class Base, class Formula, class... Rest>
class RunnerOf<Base, Formula, Rest...> : public RunnerOf<Base, Rest...> {
 public:
  using RunnerOf<Base, Rest...>::RunnerOf;
  using Kernels::run;
  void run(const Formula& formula) override {
    if (formula.rows > 0) this->launcher().launch(formula);
  }
};

template <class Base, class List>
struct RunnerFor;
template <class Base, class... Formulas>
struct RunnerFor<Base, FormulaList<Formulas...>> {
  using Type = RunnerOf<Base, Formulas...>;
};

/// Base with every run() implemented.
template <class Base>
using Runner = typename RunnerFor<Base, Formulas>::Type;

}  // namespace ebm
