// SPDX-License-Identifier: MIT
#pragma once

#include "kernels/cuda/context.h"
#include "kernels/cuda/convolution.h"
#include "kernels/cuda/launcher.h"
#include "kernels/cuda/products.h"
#include "kernels/runner.h"

namespace ebm {

namespace cuda {
class NcclRanks;
}

/// All of Kernels on a GPU but for the formulas, which Runner adds (formulas.cu).
class CudaBase : public Kernels {
 public:
  explicit CudaBase(int device) : main_(device), side_(device) {}
  ~CudaBase() override = default;

  std::string description() const override { return main_.context.description(); }
  bool is_cuda() const override { return true; }
  int host_threads() const override { return 1; }

  void deallocate(void* block) noexcept override;
  void upload(void* device, const void* host, int64_t bytes) override;
  void download(void* host, const void* device, int64_t bytes) override;
  void copy(void* to, const void* from, int64_t bytes) override;
  void zero(void* device, int64_t bytes) override;
  void synchronize() override { main_.context.synchronize(); }

  void gemm(const Gemm& product) override { lane_->products.run(product); }
  void convolve(const ConvolutionForward& pass) override { lane_->convolutions.run(pass); }
  void convolve(const ConvolutionBackwardData& pass) override { lane_->convolutions.run(pass); }
  void convolve(const ConvolutionBackwardWeight& pass) override;
  void tune_convolutions(KeptText choices) override {
    const auto shared = std::make_shared<cuda::PlanChoices>(std::move(choices));
    for (Lane* lane : {&main_, &side_}) lane->convolutions.tune(shared);
  }
  void noise(const Noise& noise, View out) override;
  void concurrently(const Work& first, const Work& second) override;

  std::unique_ptr<Communicator> meet(HostRanks& hosts) override;
  std::unique_ptr<Graph> capture(std::function<void()> work) override;
  std::unique_ptr<Readback> readback(int64_t bytes) override;
  std::unique_ptr<Staging> staging(int64_t bytes) override;
  void push_range(const char* name) override;
  void pop_range() noexcept override;

  // For the ranks that meet here.

  /// They are looked after while the host waits; null: there are none.
  void join(cuda::NcclRanks* ranks);
  /// Waits until all that was queued is done, or a rank is given up.
  void settle() const noexcept { main_.context.settle(); }
  /// The stream for an operation of theirs, which waits for the one before it; what end_collective() is called behind
  /// belongs to it.
  cudaStream_t begin_collective();
  void end_collective();

 protected:
  cuda::Launcher& launcher() { return lane_->launcher; }

  void* do_allocate(int64_t bytes) override;

 private:
  /// A stream and what must not be used by two streams at once: handles, workspaces, buffers of partial sums.
  struct Lane {
    explicit Lane(int device)
        : context(device), launcher(context), products(context), convolutions(context) {}
    cuda::Context context;  // first: the others queue work on its stream
    cuda::Launcher launcher;
    cuda::Products products;
    cuda::Convolutions convolutions;
  };

  // Everything is queued on main_ but the second branch of concurrently(), which main_ then waits for. The first branch
  // is queued first, so that a rank's collectives are in the order of their branches.
  Lane main_, side_;
  Lane* lane_ = &main_;
  bool forked_ = false;
  cuda::NcclRanks* ranks_ = nullptr;
  bool noted_ = false;  // main_'s last collective of this fork, for which side_ has not waited yet
};

/// Opens GPU `device`. Throws Error.
std::unique_ptr<Kernels> make_cuda_kernels(int device);

}  // namespace ebm
