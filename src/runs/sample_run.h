// SPDX-License-Identifier: MIT
// The methods of the experiments on data that need no file: for models of their cost, benchmarks and tests.
#pragma once

#include <memory>
#include <string>

#include "methods/registry.h"
#include "runs/data.h"

namespace ebm {

/// What of an experiment makes its iteration what it is.
struct SampleRunOptions {
  NetworkOptions networks = dcgan_networks();
  std::string method = "ebm_bb";
  Preset preset = Preset::paper;
  int64_t batch = 0;  ///< 0: the method's
  Precision precision = Precision::training;
  Precision jacobian = Precision::full;  ///< of a bound, where the method has one
  Communicator* ranks = nullptr;         ///< that share the batch
  Type gradient_travel = Type::float32;
};

/// Data and method. Whoever wants to train calls Method::initialize first.
class SampleRun {
 public:
  SampleRun(Kernels& kernels, const SampleRunOptions& options)
      : choice_(method_row(options.method).choose(options.networks.kind, options.preset)) {
    TrainingOptions& training = choice_->training();
    if (options.batch > 0) training.batch = options.batch;
    training.precision = options.precision;
    training.jacobian = options.jacobian;
    training.optimiser.ranks = options.ranks;
    training.optimiser.gradient_travel = options.gradient_travel;
    data_ = make_up_data(kernels, options.networks, training);
    method_ = assemble(kernels, options.networks, *choice_, *data_);
  }

  Method& method() { return *method_; }

 private:
  std::unique_ptr<MethodChoice> choice_;
  std::unique_ptr<DataSource> data_;
  std::unique_ptr<Method> method_;
};

}  // namespace ebm
