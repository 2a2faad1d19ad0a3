// SPDX-License-Identifier: MIT
#include "train/follower.h"

namespace ebm {

namespace {

template <class T>
void share(Communicator& ranks, const Buffer<T>& values) {
  ranks.broadcast(values.data(), values.size() * static_cast<int64_t>(sizeof(T)));
}

void share(Communicator& ranks, View values) {
  if (!values.empty()) ranks.broadcast(values.data, values.bytes());
}

void share(Communicator& ranks, Learner& learner) {
  for (const Network* network : {static_cast<const Network*>(&learner.network()), learner.average()}) {
    if (network == nullptr) continue;
    share(ranks, network->parameters().values());
    share(ranks, network->parameters().statistics_values());
  }
  share(ranks, learner.first_moments());
  share(ranks, learner.second_moments());
  share(ranks, learner.steps());
}

}  // namespace

void share_state(Method& method, int64_t& done) {
  Communicator* const ranks = method.training().optimiser.ranks;
  if (count_of(ranks) == 1) return;
  for (Learner* learner : method.learners()) share(*ranks, *learner);
  for (const ExtraState& extra : method.extra_state()) {
    share(*ranks, *extra.values);
    extra.restored();
  }
  share(*ranks, method.iteration());
  done = static_cast<int64_t>(method.iteration().download().at(0));
}

std::optional<StopRequest::Stop> agree_on_stop(const StopRequest& request, Communicator* ranks) {
  const auto own = request.requested();
  if (count_of(ranks) == 1) return own;
  return StopRequest::stop_of(static_cast<int>(ranks->max(own ? own->number : 0)));
}

RunEnd follow(Method& method, const Schedule& schedule) {
  Communicator* const ranks = method.training().optimiser.ranks;
  int64_t done = 0;
  share_state(method, done);
  const auto iteration = method.kernels().capture([&method] { method.iterate(); });
  const StopRequest request;
  std::optional<StopRequest::Stop> stop;
  while (done < schedule.iterations && !stop) {
    method.prepare(done);
    iteration->launch();
    ++done;
    stop = agree_on_stop(request, ranks);
  }
  meet_ranks(ranks);  // while signals still wait: rank 0 writes the checkpoint
  return {done, stop};
}

}  // namespace ebm
