// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cuda/context.h"
#include "kernels/cuda/convolution.h"
#include "kernels/cuda/launcher.h"
#include "kernels/cuda/products.h"
#include "kernels/runner.h"

namespace ebm {

/// All of Kernels on a GPU but for the formulas, which Runner adds (formulas.cu).
class CudaBase : public Kernels {
 public:
  explicit CudaBase(int device)
      : context_(device), launcher_(context_), products_(context_), convolutions_(context_) {}
  ~CudaBase() override = default;

  std::string description() const override { return context_.description(); }
  bool is_cuda() const override { return true; }

  void deallocate(void* block) noexcept override;
  void upload(void* device, const void* host, int64_t bytes) override;
  void download(void* host, const void* device, int64_t bytes) override;
  void copy(void* to, const void* from, int64_t bytes) override;
  void zero(void* device, int64_t bytes) override;
  void synchronize() override { context_.synchronize(); }

  void gemm(const Gemm& product) override { products_.run(product); }
  void convolve(const ConvolutionForward& pass) override { convolutions_.run(pass); }
  void convolve(const ConvolutionBackwardData& pass) override { convolutions_.run(pass); }
  void convolve(const ConvolutionBackwardWeight& pass) override { convolutions_.run(pass); }
  void tune_convolutions(KeptText choices) override {
    convolutions_.tune(std::make_shared<cuda::PlanChoices>(std::move(choices)));
  }
  void noise(const Noise& noise, View out) override;

  std::unique_ptr<Graph> capture(std::function<void()> work) override;
  std::unique_ptr<Readback> readback(int64_t bytes) override;
  std::unique_ptr<Staging> staging(int64_t bytes) override;
  void push_range(const char* name) override;
  void pop_range() noexcept override;

 protected:
  void* do_allocate(int64_t bytes) override;

 private:
  cuda::Context context_;  // first: the others queue work on its stream

 protected:
  cuda::Launcher launcher_;

 private:
  cuda::Products products_;
  cuda::Convolutions convolutions_;
};

/// Opens GPU `device`. Throws Error.
std::unique_ptr<Kernels> make_cuda_kernels(int device);

}  // namespace ebm
