// SPDX-License-Identifier: MIT
#include "methods/bound_check.h"

#include <algorithm>

namespace ebm {

namespace {

/// Noise streams, from Stream::evaluation on.
enum Purpose : uint32_t { bound_z = 3, bound_v0, bound_p0, bound_e };

constexpr int64_t tangents_at_a_time = 8;  // little memory beside that of training

}  // namespace

BoundCheck::BoundCheck(Kernels& kernels, Network& generator, uint64_t seed, int64_t points,
                       const EntropyBoundOptions& options)
    : kernels_(kernels),
      bound_(make_entropy_bound(kernels, generator, points, options)),
      jacobian_(kernels, generator, points, std::min(tangents_at_a_time, generator.input().size())),
      entropy_(kernels, points, generator.input().size(), generator.output().size()) {
  const Buffer<uint64_t> draw(kernels, 1);  // the number of the draw: 0
  const auto normals = [&](bool wanted, Purpose purpose, const Features& features) {
    Tensor tensor = wanted ? Tensor(kernels, points, features) : Tensor();
    const uint32_t stream = static_cast<uint32_t>(Stream::evaluation) + purpose;
    if (wanted) kernels.noise({Distribution::normal, seed, stream, draw.data()}, tensor);
    return tensor;
  };
  z_ = normals(true, bound_z, generator.input());
  v0_ = normals(true, bound_v0, generator.input());
  p0_ = normals(bound_->wants_p0(), bound_p0, generator.input());
  e_ = normals(bound_->wants_e(), bound_e, generator.output());
  kernels.synchronize();  // the draw's number goes
}

double BoundCheck::share_above(const Buffer<double>* state) {
  if (state != nullptr) {
    bound_->state()->upload(state->download());
    bound_->state_restored();
  }
  bound_->evaluate(z_, {.v0 = v0_, .p0 = p0_, .e = e_});
  jacobian_.linearize(z_);
  entropy_.run(jacobian_);
  const std::vector<float> bound = download(kernels_, bound_->value());
  std::vector<double> entropy(bound.size());
  kernels_.download(entropy.data(), entropy_.log_det().data,
                    std::ssize(entropy) * static_cast<int64_t>(sizeof(double)));
  int64_t above = 0;
  for (size_t i = 0; i < bound.size(); ++i) above += bound[i] > static_cast<float>(entropy[i]) ? 1 : 0;
  return static_cast<double>(above) / static_cast<double>(bound.size());
}

}  // namespace ebm
