// SPDX-License-Identifier: MIT
#include "networks_convolutions.h"

#include <cstring>
#include <map>

#include "kernels/runner.h"
#include "train/method.h"

namespace ebm::test {
namespace {

using cuda::Pass;
using cuda::PlanRequest;

/// A device whose memory is addresses alone, and which notes the convolutions that it is asked for.
class NotingBase : public Kernels {
 public:
  std::map<decltype(PlanRequest{}.key()), PlanRequest> noted;

  std::string description() const override { return "a notebook"; }
  bool is_cuda() const override { return true; }

  void deallocate(void*) noexcept override {}
  void upload(void*, const void*, int64_t) override {}
  void download(void* host, const void*, int64_t bytes) override {
    std::memset(host, 0, static_cast<size_t>(bytes));
  }
  void copy(void*, const void*, int64_t) override {}
  void zero(void*, int64_t) override {}
  void synchronize() override {}
  void gemm(const Gemm&) override {}
  void tune_convolutions(KeptText) override {}
  void noise(const Noise&, View) override {}
  void concurrently(const Work& first, const Work& second) override {
    first();
    second();
  }

  void convolve(const ConvolutionForward& p) override {
    note({.pass = Pass::forward,
          .shape = p.shape,
          .alignment = cuda::common_alignment(p.x.address, p.weight.address, p.y.address)});
  }
  void convolve(const ConvolutionBackwardData& p) override {
    note({.pass = Pass::backward_data,
          .shape = p.shape,
          .alignment = cuda::common_alignment(p.x_bar.address, p.weight.address, p.y_bar.address)});
  }
  void convolve(const ConvolutionBackwardWeight& p) override {
    note({.pass = Pass::backward_weight,
          .shape = p.shape,
          .mode = p.mode,
          .alignment = cuda::common_alignment(p.x.address, p.weight_bar, p.y_bar.address)});
  }

  std::unique_ptr<Graph> capture(std::function<void()>) override { throw Error("nothing to record"); }
  std::unique_ptr<Readback> readback(int64_t) override { throw Error("nothing to read back"); }
  std::unique_ptr<Staging> staging(int64_t) override { throw Error("nothing to send"); }
  void push_range(const char*) override {}
  void pop_range() noexcept override {}

 protected:
  void* do_allocate(int64_t bytes) override {
    constexpr int64_t alignment = 256;  // as cudaMalloc
    const int64_t block = next_;
    next_ += (bytes + alignment - 1) / alignment * alignment;
    return reinterpret_cast<void*>(block);
  }
  struct Launcher {
    template <class Formula>
    void launch(const Formula&) {}
  };
  Launcher launcher() { return {}; }

 private:
  void note(const PlanRequest& request) {
    if (request.shape.rows > 0) noted.emplace(request.key(), request);
  }
  int64_t next_ = int64_t{1} << 40;
};
using NotingKernels = Runner<NotingBase>;

/// Images that nobody looks at.
class NoData final : public DataSource {
 public:
  explicit NoData(const Features& features) : features_(features) {}
  const Features& features() const override { return features_; }
  void draw(const uint64_t*, View) override {}

 private:
  Features features_;
};

void play(Kernels& kernels, const ImageNetworkOptions& networks, const GameOptions& options) {
  Network energy(kernels, image_energy(networks)), generator(kernels, image_generator(networks));
  NoData data(image_shape(networks));
  Game(kernels, energy, generator, data, options).iterate();
}

}  // namespace

std::vector<PlanRequest> convolutions_of_networks(int64_t batch) {
  NotingKernels kernels;
  for (const ImageNetworkOptions& networks :
       {ImageNetworkOptions{.kind = ImageNetworks::dcgan},
        ImageNetworkOptions{.kind = ImageNetworks::resnet, .energy_norm = EnergyNorm::none},
        ImageNetworkOptions{.kind = ImageNetworks::resnet, .energy_norm = EnergyNorm::batch}}) {
    GameOptions options = image_options(networks.kind, Method::ebm_bb, Preset::paper);
    options.batch = batch;
    for (const auto& [lower, lower_kind] : lower_bound_names) {
      options.lower = LowerBoundOptions{};
      options.lower->kind = lower_kind;
      for (const auto& [upper, upper_kind] : upper_bound_names) {
        options.upper.kind = upper_kind;
        for (const auto& [backward, pair_backward] : pair_backward_names) {
          options.upper.backward = pair_backward;
          play(kernels, networks, options);
        }
      }
    }
  }
  std::vector<PlanRequest> all;
  for (const auto& [key, request] : kernels.noted) all.push_back(request);
  return all;
}

}  // namespace ebm::test
