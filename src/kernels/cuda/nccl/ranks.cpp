// SPDX-License-Identifier: MIT
#include "kernels/cuda/nccl/ranks.h"

#include <algorithm>
#include <utility>

#include "core/waiting.h"
#include "kernels/cuda/cuda_base.h"

namespace ebm::cuda {

NcclRanks::NcclRanks(CudaBase& base, HostRanks& hosts, int device)
    : NcclRanks(base, hosts, device, groups_of(all_places(hosts, own_place(device)), hosts.rank())) {}

NcclRanks::NcclRanks(CudaBase& base, HostRanks& hosts, int device, RankGroups groups)
    : base_(base),
      hosts_(hosts),
      device_(device),
      nccl_(default_nccl()),
      places_(std::move(groups)),
      all_(nccl_, hosts, group_of_all(hosts), device) {
  base_.join(this);
  try {
    try_out();
  } catch (...) {
    base_.join(nullptr);
    throw;
  }
}

NcclRanks::~NcclRanks() {
  base_.settle();
  base_.join(nullptr);
}

void NcclRanks::try_out() {
  const DeviceBlock number(sizeof(float));
  const float own = static_cast<float>(rank() + 1);
  float sum = 0;
  base_.upload(number.data(), &own, sizeof own);
  all_reduce({static_cast<float*>(number.data()), 1, flat(1)}, Type::float32);
  base_.download(&sum, number.data(), sizeof sum);
  const int64_t whole = size() * (size() + 1) / 2;
  const auto expected = static_cast<float>(whole);
  if (sum == expected) return;
  throw Error(
      "NCCL's sum of 1 to " + std::to_string(size()) + " over the processes is " + std::to_string(sum) +
      "; NCCL_DEBUG=INFO may say which link is broken, NCCL_P2P_DISABLE=1 goes round those between GPUs");
}

template <class Queue>
void NcclRanks::queue(const Queue& operation) {
  if (rehearsing_) return;
  operation(base_.begin_collective());
  base_.end_collective();
}

void NcclRanks::all_reduce(View values, Type travel) {
  if (travel == Type::bfloat16) {
    if (rehearsing_)
      most_rounded_ = std::max(most_rounded_, values.size());
    else if (rounded_.empty() || rounded_.back()->capacity() < values.size())
      provide(values.size());
    return queue([&](cudaStream_t stream) { rounded_.back()->run(values, stream); });
  }
  queue([&](cudaStream_t stream) {
    nccl_.check(nccl_.all_reduce(values.data, values.data, static_cast<size_t>(values.size()), nccl_float32,
                                 nccl_sum, all_.get(), stream),
                "ncclAllReduce");
  });
}

void NcclRanks::all_gather(void* blocks, int64_t bytes) {
  queue([&](cudaStream_t stream) {
    nccl_.check(nccl_.all_gather(static_cast<char*>(blocks) + rank() * bytes, blocks,
                                 static_cast<size_t>(bytes), nccl_uint8, all_.get(), stream),
                "ncclAllGather");
  });
}

void NcclRanks::broadcast(void* values, int64_t bytes) {
  queue([&](cudaStream_t stream) {
    nccl_.check(
        nccl_.broadcast(values, values, static_cast<size_t>(bytes), nccl_uint8, 0, all_.get(), stream),
        "ncclBroadcast");
  });
}

int64_t NcclRanks::max(int64_t number) {
  look(0);
  try {
    return hosts_.max(number);
  } catch (const Error& error) {
    give_up(error.what());
  }
}

void NcclRanks::rehearse(const std::function<void()>& work) {
  const struct Rehearsal {
    explicit Rehearsal(bool& on) : on(on) { on = true; }
    ~Rehearsal() { on = false; }
    bool& on;
  } rehearsal(rehearsing_);
  work();
  if (most_rounded_ > 0 && (rounded_.empty() || rounded_.back()->capacity() < most_rounded_))
    provide(most_rounded_);
}

/// For sums of so many numbers that travel rounded. All ranks are here.
void NcclRanks::provide(int64_t rounded) {
  if (between_ == nullptr) {
    inside_ = places_.inside.size() == 1
                  ? nullptr
                  : std::make_unique<NcclGroup>(nccl_, hosts_, places_.inside, device_);
    between_ = std::make_unique<NcclGroup>(nccl_, hosts_, places_.between, device_);
  }
  rounded_.push_back(std::make_unique<RoundedSum>(base_, nccl_, inside_.get(), *between_, rounded));
}

void NcclRanks::look(double waited) {
  if (given_up_) throw Error(*given_up_);
  std::string trouble;
  for (const NcclGroup* const group : groups())
    if (group != nullptr && trouble.empty()) trouble = group->trouble();
  try {
    hosts_.listen();
    // A rank that fails says why, and NCCL hears of it too: what it says is the better message.
    for (const Waiting waiting; !trouble.empty() && waiting.seconds() < 1; waiting.rest()) hosts_.listen();
    if (!trouble.empty()) throw Error(trouble);
    if (waited > hosts_.time_limit()) throw no_answer(hosts_.time_limit(), "work of the GPU");
  } catch (const Error& error) {
    give_up(error.what());
  }
}

void NcclRanks::give_up(const std::string& reason) {
  given_up_ = reason;
  for (NcclGroup* const group : groups())
    if (group != nullptr) group->give_up();
  throw Error(reason);
}

}  // namespace ebm::cuda
