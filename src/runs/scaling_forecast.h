// SPDX-License-Identifier: MIT
// What several GPUs make of an iteration, by the model of the time: nothing is measured.
#pragma once

#include "kernels/recorder/time_model.h"
#include "runs/sample_run.h"

namespace ebm {

struct ScalingForecast {
  int64_t batch;         ///< of all GPUs together
  int64_t batch_of_gpu;  ///< its rows
  int64_t images;        ///< of an iteration: a batch for each energy step
  RankCost ranks;
  double seconds;  ///< of an iteration

  double images_per_second() const { return static_cast<double>(images) / seconds; }
};

/// Of the GPUs of model.links, which share options.batch (0: the method's). Throws where they cannot.
ScalingForecast forecast_scaling(const TimeModel& model, SampleRunOptions options);

/// Whether so many GPUs can share a batch: each has as many samples, a multiple of 4 (parallel/rank_noise.h).
bool can_share(int64_t batch, int64_t gpus);

}  // namespace ebm
