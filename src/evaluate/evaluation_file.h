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
  std::string checkpoint = {};  ///< its content's FNV-1a; "" in files of older programs
};

class EvaluationFile {
 public:
  /// Reads what is there, if anything is. Throws Error on a damaged file, which says what to do.
  explicit EvaluationFile(std::filesystem::path path);

  const std::vector<MeasuredMetric>& metrics() const { return metrics_; }
  /// The configuration of the run, as its checkpoint has it; "" before the first put().
  const std::string& config() const { return config_; }
  /// Whether this name was measured in this way of the checkpoint with this content.
  bool has(const std::string& name, const std::string& protocol, const std::string& checkpoint) const;
  /// That of a name, or null.
  const MeasuredMetric* find(const std::string& name) const;
  /// In place of one of its name, beside what the file holds by now: another program may measure the same run. Writes
  /// the file anew, whole or not at all. Throws Error.
  void put(const std::string& config, MeasuredMetric metric);

 private:
  void read();
  void write() const;

  std::filesystem::path path_;
  std::string config_;
  std::vector<MeasuredMetric> metrics_;
};

}  // namespace ebm
