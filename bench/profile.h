// SPDX-License-Identifier: MIT
// Where the time of some work goes: Kernels that hand everything on to a device's and keep a tree of the
// named ranges (kernels.h Range), with the time and the products of each. They wait for the device at both
// ends of a range, so that its time is its own; the whole takes a little longer for it.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "kernels/runner.h"

namespace ebm::bench {

/// A range in the ranges that it lies in. What lies deeper is part of every number.
struct RangeNode {
  std::string name;
  RangeNode* parent = nullptr;
  std::vector<std::unique_ptr<RangeNode>> children;
  int64_t calls = 0;
  double seconds = 0;          ///< of all calls
  double fastest = 1e300;      ///< of one call
  double product_seconds = 0;  ///< of its products and convolutions
  double flops = 0;            ///< of its products and convolutions
  std::string product;         ///< the first of them, in words

  RangeNode& child(const std::string& child_name);
};

class ProfiledBase : public Kernels {
 public:
  explicit ProfiledBase(Kernels& device) : launcher_{device}, device_(device) {}

  const RangeNode& root() const { return root_; }
  void forget() { root_ = {}; }

  std::string description() const override { return device_.description(); }
  bool is_cuda() const override { return device_.is_cuda(); }
  int host_threads() const override { return device_.host_threads(); }
  void deallocate(void* block) noexcept override { device_.deallocate(block); }
  void upload(void* to, const void* from, int64_t bytes) override { device_.upload(to, from, bytes); }
  void download(void* to, const void* from, int64_t bytes) override { device_.download(to, from, bytes); }
  void copy(void* to, const void* from, int64_t bytes) override { device_.copy(to, from, bytes); }
  void zero(void* memory, int64_t bytes) override { device_.zero(memory, bytes); }
  void synchronize() override { device_.synchronize(); }
  void tune_convolutions(KeptText choices) override { device_.tune_convolutions(std::move(choices)); }
  void noise(const Noise& noise, View out) override { device_.noise(noise, out); }
  void concurrently(const Work& first, const Work& second) override {  // one by one: each has its own time
    first();
    second();
  }
  std::unique_ptr<Graph> capture(std::function<void()> work) override {
    return device_.capture(std::move(work));
  }
  std::unique_ptr<Readback> readback(int64_t bytes) override { return device_.readback(bytes); }
  std::unique_ptr<Staging> staging(int64_t bytes) override { return device_.staging(bytes); }

  void gemm(const Gemm& product) override;
  void convolve(const ConvolutionForward& pass) override;
  void convolve(const ConvolutionBackwardData& pass) override;
  void convolve(const ConvolutionBackwardWeight& pass) override;
  void push_range(const char* name) override;
  void pop_range() noexcept override;

 protected:
  using Clock = std::chrono::steady_clock;
  struct Launcher {
    Kernels& device;
    template <class Formula>
    void launch(const Formula& formula) {
      device.run(formula);
    }
  };
  Launcher& launcher() { return launcher_; }

  void* do_allocate(int64_t bytes) override { return device_.allocate(bytes); }

 private:
  template <class Pass>
  void convolve_timed(const Pass& pass);
  Clock::time_point now();
  void note_product(double flops, const std::string& product, Clock::time_point start);

  Launcher launcher_;
  Kernels& device_;
  RangeNode root_;
  RangeNode* open_ = &root_;
  std::vector<Clock::time_point> starts_;
};

using ProfiledKernels = Runner<ProfiledBase>;

}  // namespace ebm::bench
