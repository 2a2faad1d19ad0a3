// SPDX-License-Identifier: MIT
// What an operation of the emulated NCCL does once all ranks have come to it.
#pragma once

#include <vector>

#include "nccl_exchange.h"

namespace ebm::emulated {

size_t size_of(int type);

/// An operation with its arrays on the device.
struct RankOperation {
  Request request;
  const void* from = nullptr;
  uint64_t from_bytes = 0;
  void* to = nullptr;
  std::vector<const void*> sent = {};
  std::vector<void*> received = {};
};

/// Brings this rank's part of its operation of that number.
void bring(Exchange& exchange, uint64_t number, const RankOperation& operation);
/// The rest of it, when all have brought theirs. Ends the program where they do not ask for the same.
void finish(Exchange& exchange, uint64_t number, const RankOperation& operation);

}  // namespace ebm::emulated
