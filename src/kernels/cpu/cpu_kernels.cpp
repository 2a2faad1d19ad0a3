// SPDX-License-Identifier: MIT
#include "kernels/cpu/cpu_kernels.h"

#include <omp.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "kernels/cpu/convolution.h"
#include "kernels/cpu/expanded.h"
#include "kernels/cpu/launcher.h"
#include "kernels/cpu/noise.h"
#include "kernels/cpu/products.h"
#include "kernels/cpu/split_products.h"
#include "kernels/runner.h"

namespace ebm {

namespace {

/// Whether blocks of memory lie apart (docs/performance.md).
#ifdef __SANITIZE_ADDRESS__
constexpr bool spaced = false;  // it finds what is used behind a block's end, but not in space of ours
#else
constexpr bool spaced = true;
#endif

class FunctionGraph final : public Graph {
 public:
  explicit FunctionGraph(std::function<void()> work) : work_(std::move(work)) {}
  void launch() override { work_(); }

 private:
  std::function<void()> work_;
};

class CopyReadback final : public Readback {
 public:
  CopyReadback(Memory& memory, int64_t bytes) : memory_(memory), bytes_(static_cast<size_t>(bytes)) {}
  void start(const void* device) override { memory_.download(bytes_.data(), device, std::ssize(bytes_)); }
  const void* wait() override { return bytes_.data(); }

 private:
  Memory& memory_;
  std::vector<unsigned char> bytes_;
};

class CopyStaging final : public Staging {
 public:
  CopyStaging(Memory& memory, int64_t bytes) : memory_(memory), bytes_(static_cast<size_t>(bytes)) {}
  void* host() override { return bytes_.data(); }
  void start(void* device) override { memory_.upload(device, bytes_.data(), std::ssize(bytes_)); }

 private:
  Memory& memory_;
  std::vector<unsigned char> bytes_;
};

class CpuBase : public Kernels {
 public:
  ~CpuBase() override { threads_.wait(); }

  std::string description() const override {
    return "cpu (" + std::to_string(threads_.count()) + " threads)";
  }
  bool is_cuda() const override { return false; }
  int host_threads() const override { return threads_.count(); }

  void deallocate(void* block) noexcept override {
    threads_.wait();
    std::free(block);
  }
  void upload(void* device, const void* host, int64_t bytes) override { copy(device, host, bytes); }
  void download(void* host, const void* device, int64_t bytes) override { copy(host, device, bytes); }
  // An empty buffer has no address, and memcpy and memset take no null pointer even then.
  void copy(void* to, const void* from, int64_t bytes) override {
    threads_.wait();
    if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
  }
  void zero(void* device, int64_t bytes) override {
    threads_.wait();
    if (bytes > 0) std::memset(device, 0, static_cast<size_t>(bytes));
  }
  void synchronize() override { threads_.wait(); }

  void gemm(const Gemm& product) override;
  void affine(const Gemm& product, const AddBias& then) override;
  void convolve(const ConvolutionForward& pass) override;
  void convolve(const ConvolutionBackwardData& pass) override;
  void convolve(const ConvolutionBackwardWeight& pass) override;
  void tune_convolutions(KeptText) override {}  // there is one way
  void noise(const Noise& noise, View out) override { cpu::fill_noise(threads_, noise, out); }

  void concurrently(const Work& first, const Work& second) override {
    first();
    second();
  }

  std::unique_ptr<Graph> capture(std::function<void()> work) override {
    return std::make_unique<FunctionGraph>(std::move(work));
  }
  std::unique_ptr<Readback> readback(int64_t bytes) override {
    return std::make_unique<CopyReadback>(*this, bytes);
  }
  std::unique_ptr<Staging> staging(int64_t bytes) override {
    return std::make_unique<CopyStaging>(*this, bytes);
  }
  void push_range(const char*) override {}
  void pop_range() noexcept override {}

 protected:
  void* do_allocate(int64_t bytes) override {
    constexpr size_t page = 4096, apart = 8 * page;
    const bool large = spaced && bytes >= static_cast<int64_t>(page);
    const size_t alignment = large ? page : 64;
    const size_t rounded = (static_cast<size_t>(bytes) + alignment - 1) / alignment * alignment;
    void* block = std::aligned_alloc(alignment, rounded + (large ? apart : 0));
    if (block == nullptr) {
      throw Error("the CPU has no " + std::to_string(bytes) +
                  " bytes of memory left; use a smaller batch or network");
    }
    return std::memset(block, 0, rounded);
  }

  cpu::Launcher& launcher() { return launcher_; }

 private:
  cpu::Threads threads_{std::min(omp_get_max_threads(), omp_get_thread_limit())};
  cpu::Products products_{threads_};
  cpu::Convolutions convolutions_{threads_, products_};
  cpu::Expanded expanded_{threads_};
  cpu::SplitProducts split_products_{threads_};
  cpu::Launcher launcher_{threads_};
};

using cpu::Expanded;

void CpuBase::gemm(const Gemm& product) {
  if (product.precision == Precision::tf32x3) return split_products_.run(product);
  Gemm g = product;
  g.a = expanded_.operand(product.a, g.m * g.inner, Expanded::first);
  g.b = expanded_.operand(product.b, g.inner * g.n, Expanded::second);
  g.c = expanded_.output(product.c, g.m * g.n);
  products_.run(g);
  expanded_.finish(product.c, g.m * g.n);
}

void CpuBase::affine(const Gemm& product, const AddBias& then) {
  const bool plain = product.a.type == Type::float32 && product.c.type == Type::float32 &&
                     product.precision != Precision::tf32x3;
  plain ? products_.run(product, then) : Kernels::affine(product, then);
}

void CpuBase::convolve(const ConvolutionForward& pass) {
  if (pass.precision == Precision::tf32x3) return split_products_.run(pass);
  ConvolutionForward p = pass;
  const int64_t outputs = p.shape.rows * p.shape.output().size();
  p.x = expanded_.operand(pass.x, p.shape.rows * p.shape.input.size(), Expanded::first);
  p.weight = expanded_.operand(pass.weight, p.shape.weights(), Expanded::second);
  p.y = expanded_.output(pass.y, outputs);
  threads_.wait();  // it packs and clears memory by itself
  convolutions_.run(p);
  expanded_.finish(pass.y, outputs);
}

void CpuBase::convolve(const ConvolutionBackwardData& pass) {
  if (pass.precision == Precision::tf32x3) return split_products_.run(pass);
  ConvolutionBackwardData p = pass;
  const int64_t inputs = p.shape.rows * p.shape.input.size();
  p.y_bar = expanded_.operand(pass.y_bar, p.shape.rows * p.shape.output().size(), Expanded::first);
  p.weight = expanded_.operand(pass.weight, p.shape.weights(), Expanded::second);
  p.x_bar = expanded_.output(pass.x_bar, inputs);
  threads_.wait();
  convolutions_.run(p);
  expanded_.finish(pass.x_bar, inputs);
}

void CpuBase::convolve(const ConvolutionBackwardWeight& pass) {
  ConvolutionBackwardWeight p = pass;
  p.x = expanded_.operand(pass.x, p.shape.rows * p.shape.input.size(), Expanded::first);
  p.y_bar = expanded_.operand(pass.y_bar, p.shape.rows * p.shape.output().size(), Expanded::second);
  threads_.wait();
  convolutions_.run(p);
}

using CpuKernels = Runner<CpuBase>;

}  // namespace

std::unique_ptr<Kernels> make_cpu_kernels() {
  return std::make_unique<CpuKernels>();
}

}  // namespace ebm
