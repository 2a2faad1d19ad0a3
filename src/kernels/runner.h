// SPDX-License-Identifier: MIT
// Implements Kernels::run(formula) for every formula through one function template of a device:
// launch(formula).
#pragma once

#include "kernels/kernels.h"

namespace ebm {

/// Base: a class derived from Kernels that has launcher() (protected), which returns something with
/// `template <class F> void launch(F)`. A formula that it cannot launch does not compile. One table has them
/// all: a virtual function for each took compilers minutes.
template <class Base>
class Runner : public Base {
 public:
  using Base::Base;

 protected:
  void run_at(size_t index, const void* formula) override { table(Formulas{})[index](*this, formula); }

 private:
  using Run = void (*)(Runner&, const void*);

  template <class Formula>
  static void run_one(Runner& self, const void* of_list) {
    const Formula& formula = *static_cast<const Formula*>(of_list);
    if (formula.rows > 0) self.launcher().launch(formula);
  }
  template <class... F>
  static const Run* table(const FormulaList<F...>&) {
    static constexpr Run runs[] = {&run_one<F>...};
    return runs;
  }
};

}  // namespace ebm
