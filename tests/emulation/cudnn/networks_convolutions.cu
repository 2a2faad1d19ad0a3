// SPDX-License-Identifier: MIT
#include "networks_convolutions.h"

#include <map>

#include "kernels/recorder/recorder.h"
#include "methods/ebm_bb_options.h"

namespace ebm::test {
namespace {

using cuda::Pass;
using cuda::PlanRequest;

using Requests = std::map<decltype(PlanRequest{}.key()), PlanRequest>;

/// Images that nobody looks at.
class NoData final : public DataSource {
 public:
  explicit NoData(const Features& features) : features_(features) {}
  const Features& features() const override { return features_; }
  void draw(const uint64_t*, View) override {}

 private:
  Features features_;
};

Requests play(const NetworkOptions& networks, const EbmBbOptions& options) {
  const auto recorder = make_recorder();
  NoData data(data_shape(networks));
  EbmBb ebm_bb(*recorder, makers_of(networks), data, options);
  Requests noted;
  for (const Launch& launch : recorder->record([&] { ebm_bb.iterate(); })) {
    std::visit(
        [&](const auto& pass) {
          if constexpr (requires { cuda::request_of(pass); }) {
            PlanRequest request = cuda::request_of(pass);
            request.precision = Precision::full;  // whoever asks chooses
            if (request.shape.rows > 0) noted.emplace(request.key(), request);
          }
        },
        launch.convolution);
  }
  return noted;
}

}  // namespace

std::vector<PlanRequest> convolutions_of_networks(int64_t batch) {
  Requests noted;
  for (const NetworkOptions& networks :
       {NetworkOptions{.kind = NetworkKind::dcgan},
        NetworkOptions{.kind = NetworkKind::resnet, .energy_norm = EnergyNorm::none},
        NetworkOptions{.kind = NetworkKind::resnet, .energy_norm = EnergyNorm::batch}}) {
    EbmBbOptions options = ebm_bb_options(networks.kind, Variant::ebm_bb, Preset::paper);
    options.training.batch = batch;
    for (const auto& [lower, lower_kind] : lower_bound_names) {
      options.lower = EntropyBoundOptions{};
      options.lower->kind = lower_kind;
      for (const auto& [upper, upper_kind] : upper_bound_names) {
        options.upper.kind = upper_kind;
        for (const auto& [backward, pair_backward] : pair_backward_names) {
          options.upper.backward = pair_backward;
          noted.merge(play(networks, options));
        }
      }
    }
  }
  std::vector<PlanRequest> all;
  for (const auto& [key, request] : noted) all.push_back(request);
  return all;
}

}  // namespace ebm::test
