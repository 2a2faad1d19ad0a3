// SPDX-License-Identifier: MIT
// What was measured of convolutions on one GPU, kept from one run to the next (docs/formats.md).
#pragma once

#include <map>
#include <string>

#include "kernels/kernels.h"

namespace ebm::cuda {

/// The plan that was the fastest for each pass of a convolution, both by their names.
class PlanChoices {
 public:
  explicit PlanChoices(KeptText kept) : kept_(std::move(kept)) {}

  /// Says what the choices hold for: the GPU, the library. The first call takes over the kept text; if that
  /// is damaged or of another GPU or library, a line on stderr says so and there are no choices yet.
  void begin(const std::string& holds_for);

  /// The plan's name, or null.
  const std::string* find(const std::string& pass) const;
  void put(const std::string& pass, const std::string& plan);
  /// For a choice that turns out to be impossible: says so on stderr, and there is none.
  void forget(const std::string& pass);

  /// Has the text kept, if there is something new. Throws what its keeper throws.
  void keep();

 private:
  std::string text() const;
  void note(const std::string& why) const;

  KeptText kept_;
  std::string holds_for_;
  std::map<std::string, std::string> plans_;
  bool begun_ = false, changed_ = false;
};

}  // namespace ebm::cuda
