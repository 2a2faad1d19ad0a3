// SPDX-License-Identifier: MIT
// RUN/evaluation.h5: what was measured of a trained model, each measure with what tells one way of measuring from
// another (docs/formats.md, "Evaluation").
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ebm {

/// One number of a measure, once a repeat.
struct MeasuredValue {
  std::string name;
  std::vector<double> repeats;
};

struct MeasuredMetric {
  std::string name;       ///< "modes", "jacobian", "ood_svhn"
  std::string protocol;   ///< how, for people and for comparing: numbers of samples, classifier, seed
  int64_t iteration = 0;  ///< of the checkpoint
  std::vector<MeasuredValue> values;
};

class EvaluationFile {
 public:
  /// Reads what is there, if anything is. Throws Error on a damaged file.
  explicit EvaluationFile(std::filesystem::path path);

  const std::vector<MeasuredMetric>& metrics() const { return metrics_; }
  /// The configuration of the run, as its checkpoint has it; "" before the first put().
  const std::string& config() const { return config_; }
  /// Whether this name was measured in this way of this checkpoint.
  bool has(const std::string& name, const std::string& protocol, int64_t iteration) const;
  /// That of a name, or null.
  const MeasuredMetric* find(const std::string& name) const;
  /// In place of one of its name, and writes the file anew, whole or not at all. Throws Error.
  void put(const std::string& config, MeasuredMetric metric);

 private:
  void write() const;

  std::filesystem::path path_;
  std::string config_;
  std::vector<MeasuredMetric> metrics_;
};

}  // namespace ebm
