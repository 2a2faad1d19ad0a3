// SPDX-License-Identifier: MIT
// What a test of true float32 must be able to do: to fail. A device some of whose products are not what was
// asked for.
#pragma once

#include <functional>
#include <memory>

#include "kernels/kernels.h"

namespace ebm::test {

/// Passes everything on to a device, and counts the products and convolutions of Precision::full. Those that
/// `rounded` names, by their number since restart(), it asks for at Precision::training.
class RoundedProducts : public Kernels {
 public:
  explicit RoundedProducts(std::unique_ptr<Kernels> device) : device_(std::move(device)) {}

  void restart(std::function<bool(int64_t)> rounded) {
    rounded_ = std::move(rounded);
    full_ = others_ = 0;
  }
  /// Since restart(): of Precision::full, and of the others.
  int64_t full_products() const { return full_; }
  int64_t other_products() const { return others_; }

  std::string description() const override { return device_->description(); }
  bool is_cuda() const override { return device_->is_cuda(); }
  int host_threads() const override { return device_->host_threads(); }
  void deallocate(void* block) noexcept override { device_->deallocate(block); }
  void upload(void* to, const void* from, int64_t bytes) override { device_->upload(to, from, bytes); }
  void download(void* to, const void* from, int64_t bytes) override { device_->download(to, from, bytes); }
  void copy(void* to, const void* from, int64_t bytes) override { device_->copy(to, from, bytes); }
  void zero(void* memory, int64_t bytes) override { device_->zero(memory, bytes); }
  void synchronize() override { device_->synchronize(); }
  void gemm(const Gemm& product) override { device_->gemm(seen(product)); }
  void affine(const Gemm& product, const AddBias& then) override { device_->affine(seen(product), then); }
  void convolve(const ConvolutionForward& pass) override { device_->convolve(seen(pass)); }
  void convolve(const ConvolutionBackwardData& pass) override { device_->convolve(seen(pass)); }
  void convolve(const ConvolutionBackwardWeight& pass) override { device_->convolve(seen(pass)); }
  void tune_convolutions(KeptText choices) override { device_->tune_convolutions(std::move(choices)); }
  void noise(const Noise& noise, View out) override { device_->noise(noise, out); }
  void concurrently(const Work& first, const Work& second) override { device_->concurrently(first, second); }
  std::unique_ptr<Graph> capture(std::function<void()> work) override { return device_->capture(work); }
  std::unique_ptr<Readback> readback(int64_t bytes) override { return device_->readback(bytes); }
  std::unique_ptr<Staging> staging(int64_t bytes) override { return device_->staging(bytes); }
  void push_range(const char* name) override { device_->push_range(name); }
  void pop_range() noexcept override { device_->pop_range(); }

 protected:
  void* do_allocate(int64_t bytes) override { return device_->allocate(bytes); }

  /// Runs formulas on the device (kernels/runner.h).
  struct OnDevice {
    Kernels& device;
    template <class F>
    void launch(const F& formula) {
      device.run(formula);
    }
  };
  OnDevice launcher() { return {*device_}; }

 private:
  template <class Product>
  Product seen(Product product) {
    if (product.precision != Precision::full) {
      ++others_;
      return product;
    }
    if (rounded_ && rounded_(full_)) product.precision = Precision::training;
    ++full_;
    return product;
  }

  std::unique_ptr<Kernels> device_;
  std::function<bool(int64_t)> rounded_;
  int64_t full_ = 0, others_ = 0;
};

std::unique_ptr<RoundedProducts> make_rounded_products(std::unique_ptr<Kernels> device);

}  // namespace ebm::test
