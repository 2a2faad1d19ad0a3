// SPDX-License-Identifier: MIT
// The choice between the paper's networks and those of a method's public code.
#pragma once

#include "io/options.h"
#include "methods/names.h"

namespace ebm {

class OwnNetworks {
 public:
  /// Preset::code starts with the method's own, where it has some for this kind of data.
  OwnNetworks(NetworkFamily family, NetworkKind kind, Preset preset)
      : family_(family),
        exist_(has_networks(family, kind)),
        chosen_(exist_ && preset == Preset::code ? Networks::own : Networks::shared) {}

  /// --networks, where there is a choice; this must outlive the options.
  void declare(Options& options) {
    if (!exist_) return;
    options.add_choice("networks", &chosen_, {{"shared", Networks::shared}, {"own", Networks::own}},
                       "those of the paper's tables, or those of the method's public code");
  }
  bool own() const { return chosen_ == Networks::own; }
  NetworkFamily family() const { return own() ? family_ : NetworkFamily::shared; }

 private:
  enum class Networks { shared, own };

  NetworkFamily family_;
  bool exist_;
  Networks chosen_;
};

}  // namespace ebm
