// SPDX-License-Identifier: MIT
// The methods by name: what their users choose, and how they are made of it. A new method is a file with its
// iteration, one with its options and presets, and a row in registry.cpp.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "io/options.h"
#include "methods/names.h"

namespace ebm {

/// An option that changes nothing, as the others are.
struct IdleOption {
  std::string name;
  std::string with;  ///< the choice that makes it so: "--lower-bound none"
};

/// What the user of a method chooses. It is made with the values of a preset, which are the defaults of the
/// options that declare() adds.
class MethodChoice {
 public:
  virtual ~MethodChoice() = default;

  virtual TrainingOptions& training() = 0;
  /// The options of this method alone; this must outlive them.
  virtual void declare(Options& options) = 0;
  /// Throws UsageError on options that do not go together.
  virtual void check() const {}
  /// Those of declare() that have no effect with the present values of the others.
  virtual std::vector<IdleOption> idle_options() const { return {}; }
  /// Whether its generator's Jacobian must have full column rank.
  virtual bool bounds_entropy() const { return false; }
  /// Makes of an experiment's networks what the method wants of them.
  virtual void adapt(NetworkOptions&) const {}
  /// Sets what its preset wants of the networks' choices, which are options too.
  virtual void suggest(NetworkOptions&) const {}
  /// What the names of the arrays of x = G(z) begin with in a checkpoint.
  virtual std::string generator_arrays() const { return "generator/"; }
  /// The same of x = G(z) with noise (layers/noisy_output.h); "": there is none.
  virtual std::string noisy_arrays() const { return ""; }
  /// `data` and `noise` (null: Philox) must outlive the method. Throws UsageError on a combination that makes
  /// no sense, Error on shapes that do not fit.
  virtual std::unique_ptr<Method> make(Kernels& kernels, const NetworkMakers& networks, DataSource& data,
                                       NoiseSource* noise) const = 0;
};

struct MethodRow {
  const char* name;   ///< of --method
  const char* title;  ///< in figures and tables
  std::unique_ptr<MethodChoice> (*choose)(NetworkKind networks, Preset preset);
};

/// Those that train an energy or a generator on any data.
std::span<const MethodRow> methods();
/// One of them, or of those for points alone. Throws UsageError when there is no such method.
const MethodRow& method_row(const std::string& name);

/// The names of all that train such networks, as Options takes them.
std::vector<std::pair<std::string, std::string>> method_choices(NetworkKind networks);

/// The options that every method has: first of the samples and steps of an iteration, then of the optimiser.
void declare_training(Options& options, TrainingOptions& training);
void declare_optimiser(Options& options, TrainingOptions& training);

/// The layers of a method's networks.
NetworkMakers makers_of(const NetworkOptions& networks);

/// The method that these choices describe, on an experiment's networks.
std::unique_ptr<Method> assemble(Kernels& kernels, const NetworkOptions& networks, const MethodChoice& choice,
                                 DataSource& data, NoiseSource* noise = nullptr);

}  // namespace ebm
