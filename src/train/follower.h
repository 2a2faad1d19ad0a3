// SPDX-License-Identifier: MIT
// The part of a rank that is not the first in a run of several: it trains along and leaves all else to rank 0's
// Trainer (trainer.h), with which it makes the same calls of the Communicator.
#pragma once

#include <optional>

#include "io/signals.h"
#include "train/method.h"
#include "train/trainer.h"

namespace ebm {

/// Makes this rank's state, and the number of iterations done, those of rank 0. Waits.
void share_state(Method& method, int64_t& done);

/// The signal that asks this rank to stop, or another one: the same on all ranks. Of several, the one with the highest
/// number.
std::optional<StopRequest::Stop> agree_on_stop(const StopRequest& request, Communicator* ranks);

/// Waits until every rank has come here, where there are several.
inline void meet_ranks(Communicator* ranks) {
  if (ranks != nullptr) ranks->max(0);
}

/// Trains along, from where rank 0's Trainer starts. Throws Error, also where another rank fails: a NaN or a full disk
/// is found by rank 0.
RunEnd follow(Method& method, const Schedule& schedule);

}  // namespace ebm
