// SPDX-License-Identifier: MIT
// Kernels that compute nothing and write down what they are asked for: the third implementation of class
// Kernels beside the two that compute. Its memory is addresses that nobody may touch, so a method of any size
// is made and an iteration of it recorded in milliseconds, on any machine.
#pragma once

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "kernels/arrays.h"
#include "kernels/kernels.h"
#include "kernels/recorder/interconnect.h"
#include "kernels/tiles.h"

namespace ebm {

/// A collective waits for other ranks, in the queue. `wait` and the three after it are what an iteration must do without.
enum class LaunchKind {
  elements,
  map,
  columns,
  teams,
  product,
  noise,
  copy,
  zero,
  collective,
  wait,
  allocation,
  from_host,
  to_host
};

/// One thing that was queued.
struct Launch {
  std::string name;     ///< "AddBias", "gemm", ...
  std::string phase{};  ///< the named ranges around it: "energy step/lower bound/lobpcg"
  LaunchKind kind;
  std::vector<ArrayUse> arrays{};
  double flop = 0;  ///< of products and convolutions; the others are bound by memory
  Precision precision = Precision::full;
  std::string shape{};    ///< of products and convolutions, in words
  ProductSize product{};  ///< of these as a product
  /// A convolution itself.
  std::variant<std::monostate, ConvolutionForward, ConvolutionBackwardData, ConvolutionBackwardWeight>
      convolution{};
  Collective collective{};  ///< what ranks do together
  int fork = 0;             ///< which call of concurrently it was in, from 1; 0: none
  int branch = 0;           ///< of the fork: 0 or 1

  int64_t bytes_read() const;
  int64_t bytes_written() const;
};

class Recorder : public Kernels {
 public:
  Recorder();
  ~Recorder() override;
  Recorder(const Recorder&) = delete;
  Recorder& operator=(const Recorder&) = delete;

  /// What `work` queues, in order. Of what is queued outside of it only the blocks that it writes are kept.
  std::vector<Launch> record(const std::function<void()>& work);
  const std::vector<ArrayUse>& written_outside() const { return written_outside_; }

  std::string description() const override { return "recorder"; }
  bool is_cuda() const override { return false; }
  int host_threads() const override { return 1; }

  void deallocate(void*) noexcept override {}
  void upload(void* device, const void* host, int64_t bytes) override;
  /// Zeros.
  void download(void* host, const void* device, int64_t bytes) override;
  void copy(void* to, const void* from, int64_t bytes) override;
  void zero(void* device, int64_t bytes) override;
  void synchronize() override { note({.name = "synchronize", .kind = LaunchKind::wait}); }

  void gemm(const Gemm& product) override;
  void convolve(const ConvolutionForward& pass) override;
  void convolve(const ConvolutionBackwardData& pass) override;
  void convolve(const ConvolutionBackwardWeight& pass) override;
  void tune_convolutions(KeptText) override {}
  void noise(const Noise& noise, View out) override;

  void concurrently(const Work& first, const Work& second) override;

  std::unique_ptr<Graph> capture(std::function<void()> work) override;
  std::unique_ptr<Readback> readback(int64_t bytes) override;
  std::unique_ptr<Staging> staging(int64_t bytes) override;
  void push_range(const char* name) override { ranges_.emplace_back(name); }
  void pop_range() noexcept override { ranges_.pop_back(); }

  void note(Launch launch);

 protected:
  struct Launcher {
    Recorder& recorder;
    template <class Formula>
    void launch(const Formula& formula) {
      recorder.note_formula(typeid(Formula).name(), Formula::pattern, arrays_of(formula));
    }
  };
  Launcher& launcher() { return launcher_; }

  void* do_allocate(int64_t bytes) override;

 private:
  template <class Pass>
  void note_convolution(const char* name, ConvolutionPass kind, const Pass& pass);
  void note_formula(const char* mangled, Pattern pattern, std::vector<ArrayUse> arrays);

  Launcher launcher_{*this};
  void* memory_;
  int64_t used_ = 0;
  std::vector<std::string> ranges_;
  int forks_ = 0, fork_ = 0, branch_ = 0;
  std::vector<Launch>* recording_ = nullptr;
  std::vector<ArrayUse> written_outside_;
};

std::unique_ptr<Recorder> make_recorder();

}  // namespace ebm
