// SPDX-License-Identifier: MIT
#include "kernels/cuda/nccl/rounded_sum.h"

namespace ebm::cuda {

namespace {

DeviceBlock block(int64_t numbers, Type type) {
  return DeviceBlock(static_cast<size_t>(numbers * size_of(type)));
}

}  // namespace

RoundedSum::RoundedSum(Kernels& kernels, const Nccl& nccl, const NcclGroup* inside, const NcclGroup& between,
                       int64_t count)
    : kernels_(kernels),
      nccl_(nccl),
      inside_(inside),
      between_(between),
      capacity_(count),
      whole_(block(inside != nullptr ? divide(count).whole : 1, Type::float32)),
      own_(block(divide(count).part, Type::bfloat16)),
      received_(block(divide(count).part, Type::bfloat16)),
      sum_(block(divide(count).piece, Type::float32)) {}

RoundedSum::Division RoundedSum::divide(int64_t count) const {
  constexpr int64_t aligned = 8;  // 16 bytes of bfloat16
  const int64_t at_once = inside() * between_.size() * aligned;
  const int64_t piece = (count + at_once - 1) / at_once * aligned;
  return {.piece = piece, .part = piece * between_.size(), .whole = piece * between_.size() * inside()};
}

void RoundedSum::run(View values, cudaStream_t stream) {
  constexpr int64_t bytes = sizeof(float);
  const int64_t count = values.size();
  const Division d = divide(count);
  auto* const whole = static_cast<float*>(whole_.data());
  auto* const own = static_cast<bfloat16*>(own_.data());
  float* part = values.data;
  int64_t filled = count;
  if (inside_ != nullptr) {
    part = whole + inside_->own() * d.part;
    filled = d.part;
    kernels_.copy(whole, values.data, count * bytes);
    kernels_.zero(whole + count, (d.whole - count) * bytes);
    nccl_.check(nccl_.reduce_scatter(whole, part, static_cast<size_t>(d.part), nccl_float32, nccl_sum,
                                     inside_->get(), stream),
                "ncclReduceScatter of gradients");
  }
  kernels_.run(ToActivations{.columns = filled, .x = part, .y = own});
  kernels_.zero(own + filled, (d.part - filled) * size_of(Type::bfloat16));
  sum_between(d, stream);
  kernels_.run(FromActivations{.columns = filled, .x = own, .y = part});
  if (inside_ == nullptr) return;
  nccl_.check(
      nccl_.all_gather(part, whole, static_cast<size_t>(d.part), nccl_float32, inside_->get(), stream),
      "ncclAllGather of gradients");
  kernels_.copy(values.data, whole, count * bytes);
}

/// own = the sum over the nodes of their `own`.
void RoundedSum::sum_between(const Division& d, cudaStream_t stream) {
  auto* const own = static_cast<bfloat16*>(own_.data());
  auto* const received = static_cast<bfloat16*>(received_.data());
  auto* const sum = static_cast<float*>(sum_.data());
  const auto piece = static_cast<size_t>(d.piece);
  NcclCommunicator* const nodes = between_.get();
  nccl_.check(nccl_.group_start(), "ncclGroupStart");
  for (int64_t node = 0; node < between_.size(); ++node) {
    const int peer = static_cast<int>(node);
    nccl_.check(nccl_.send(own + node * d.piece, piece, nccl_bfloat16, peer, nodes, stream),
                "ncclSend of gradients");
    nccl_.check(nccl_.receive(received + node * d.piece, piece, nccl_bfloat16, peer, nodes, stream),
                "ncclRecv of gradients");
  }
  nccl_.check(nccl_.group_end(), "ncclGroupEnd");
  bfloat16* const mine = own + between_.own() * d.piece;
  kernels_.run(ColumnSum{
      .rows = between_.size(), .columns = d.piece, .x = received, .out = sum, .mode = Write::overwrite});
  kernels_.run(ToActivations{.columns = d.piece, .x = sum, .y = mine});
  nccl_.check(nccl_.all_gather(mine, own, piece, nccl_bfloat16, nodes, stream), "ncclAllGather of gradients");
}

}  // namespace ebm::cuda
