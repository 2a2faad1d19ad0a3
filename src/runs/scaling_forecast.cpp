// SPDX-License-Identifier: MIT
#include "runs/scaling_forecast.h"

#include "parallel/recorded_rank.h"

namespace ebm {

ScalingForecast forecast_scaling(const TimeModel& model, SampleRunOptions options) {
  const auto recorder = make_recorder();
  RecordedRank rank(*recorder, model.links.ranks());
  options.ranks = rank.size() == 1 ? nullptr : &rank;
  SampleRun sample(*recorder, options);
  const std::vector<Launch> launches = recorder->record([&] { sample.method().iterate(); });
  const TrainingOptions& training = sample.method().training();
  return {.batch = training.batch,
          .batch_of_gpu = training.batch / rank.size(),
          .images = training.batch * training.energy_steps,
          .ranks = cost_of_ranks(model, launches),
          .seconds = model.seconds(launches)};
}

bool can_share(int64_t batch, int64_t gpus) {
  return gpus == 1 || batch % (4 * gpus) == 0;
}

}  // namespace ebm
