// SPDX-License-Identifier: MIT
// Kernels of the CPU that compare, at each run of a formula, what its arrays() tells with what it does.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "access_log.h"
#include "kernels/arrays.h"
#include "kernels/kernels.h"

namespace ebm::test {

/// Formulas that tell the truth are silent; each lie is a line.
class CheckedBase : public Kernels {
 public:
  CheckedBase();
  ~CheckedBase() override;

  /// "AddBias: reads ... undeclared", each once.
  const std::set<std::string>& lies() const { return lies_; }
  /// The formulas that ran.
  const std::set<std::string>& names() const { return names_; }

  std::string description() const override { return "checked " + cpu_->description(); }
  bool is_cuda() const override { return false; }
  int host_threads() const override { return cpu_->host_threads(); }
  void deallocate(void*) noexcept override {}
  void upload(void* to, const void* from, int64_t bytes) override { cpu_->upload(to, from, bytes); }
  void download(void* to, const void* from, int64_t bytes) override { cpu_->download(to, from, bytes); }
  void copy(void* to, const void* from, int64_t bytes) override { cpu_->copy(to, from, bytes); }
  void zero(void* memory, int64_t bytes) override { cpu_->zero(memory, bytes); }
  void synchronize() override {}
  void gemm(const Gemm& product) override { cpu_->gemm(product); }
  void convolve(const ConvolutionForward& pass) override { cpu_->convolve(pass); }
  void convolve(const ConvolutionBackwardData& pass) override { cpu_->convolve(pass); }
  void convolve(const ConvolutionBackwardWeight& pass) override { cpu_->convolve(pass); }
  void tune_convolutions(KeptText) override {}
  void noise(const Noise& noise, View out) override { cpu_->noise(noise, out); }
  void concurrently(const Work& first, const Work& second) override { cpu_->concurrently(first, second); }
  std::unique_ptr<Graph> capture(std::function<void()> work) override { return cpu_->capture(work); }
  std::unique_ptr<Readback> readback(int64_t bytes) override { return cpu_->readback(bytes); }
  std::unique_ptr<Staging> staging(int64_t bytes) override { return cpu_->staging(bytes); }
  void push_range(const char*) override {}
  void pop_range() noexcept override {}

 protected:
  void* do_allocate(int64_t bytes) override;
  AccessLog& log() { return log_; }
  /// Compares what was logged.
  void compare(const char* mangled, const std::vector<ArrayUse>& declared);

 private:
  std::unique_ptr<Kernels> cpu_;
  void* memory_;
  int64_t used_ = 0;
  AccessLog log_;
  std::set<std::string> lies_, names_;
};

std::unique_ptr<CheckedBase> make_checked_kernels();

/// The names of all formulas.
std::set<std::string> formula_names();

// Formulas that lie about themselves, each in one way; `run_liar` says what is found.
enum class Lie { none, undeclared_read, undeclared_write, unmade_read, unmade_write, write_that_reads };
std::set<std::string> run_liar(Lie lie, Pattern pattern);

}  // namespace ebm::test
