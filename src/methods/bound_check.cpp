// SPDX-License-Identifier: MIT
#include "methods/bound_check.h"

namespace ebm {

namespace {

/// Noise streams, from Stream::evaluation on.
enum Purpose : uint32_t { bound_z = 3, bound_v0, bound_p0, bound_e };

}  // namespace

BoundCheck::BoundCheck(Kernels& kernels, Network& generator, const TrainingOptions& training,
                       const EntropyBoundOptions& options)
    : kernels_(kernels),
      bound_(make_entropy_bound(kernels, generator, training.batch, options)),
      entropy_(make_entropy_bound(kernels, generator, training.batch, {.kind = EntropyBoundKind::logdet})) {
  const Buffer<uint64_t> draw(kernels, 1);  // the number of the draw: 0
  const auto normals = [&](bool wanted, Purpose purpose, const Features& features) {
    Tensor tensor = wanted ? Tensor(kernels, training.batch, features) : Tensor();
    const uint32_t stream = static_cast<uint32_t>(Stream::evaluation) + purpose;
    if (wanted)
      kernels.noise({Distribution::normal, static_cast<uint64_t>(training.seed), stream, draw.data()},
                    tensor);
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
  entropy_->evaluate(z_, {.v0 = v0_, .p0 = {}, .e = {}});
  const std::vector<float> bound = download(kernels_, bound_->value()),
                           entropy = download(kernels_, entropy_->value());
  int64_t above = 0;
  for (size_t i = 0; i < bound.size(); ++i) above += bound[i] > entropy[i] ? 1 : 0;
  return static_cast<double>(above) / static_cast<double>(bound.size());
}

}  // namespace ebm
