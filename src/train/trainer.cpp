// SPDX-License-Identifier: MIT
#include "train/trainer.h"

#include <cmath>
#include <limits>

#include "io/atomic_file.h"
#include "train/dump.h"
#include "train/state.h"

namespace ebm {

namespace {

constexpr double not_there = std::numeric_limits<double>::quiet_NaN();

/// The columns of run.h5 that every game fills, and their values.
struct Column {
  const char* name;
  float IterationScalars::*value;
  bool of_entropy = false;  // without an entropy term there is no value
  bool in_progress = true;  // lines
};
constexpr Column columns[] = {
    {.name = "energy_real", .value = &IterationScalars::energy_real},
    {.name = "energy_fake", .value = &IterationScalars::energy_fake},
    {.name = "penalty", .value = &IterationScalars::penalty},
    {.name = "loss_energy", .value = &IterationScalars::loss_energy},
    {.name = "entropy", .value = &IterationScalars::entropy, .of_entropy = true},
    {.name = "share_good", .value = &IterationScalars::share_good, .of_entropy = true},
    {.name = "share_floored",
     .value = &IterationScalars::share_floored,
     .of_entropy = true,
     .in_progress = false},
    {.name = "loss_generator", .value = &IterationScalars::loss_generator}};

std::vector<std::string> column_names(const Evaluation& evaluation) {
  std::vector<std::string> names;
  for (const Column& column : columns) names.emplace_back(column.name);
  for (const std::string& name : evaluation.names()) names.push_back(name);
  return names;
}

/// The iterations done when training starts, with the game in that state. Nothing was written before it
/// returns.
int64_t start_of(Game& game, const RunFolder& folder, const Schedule& schedule,
                 const std::optional<CheckpointInfo>& resumed) {
  const int64_t done = resumed ? resumed->iteration : 0;
  const int64_t wanted = schedule.dump_iteration;
  const bool missed = wanted > 0 && wanted <= done && !exists(folder.dump(wanted));
  if (missed || wanted > schedule.iterations) {
    throw UsageError("iteration " + std::to_string(wanted) + " cannot be dumped: this run goes from " +
                     std::to_string(done) + " to " + std::to_string(schedule.iterations) +
                     "; give another --dump-iteration or --out");
  }
  if (resumed) restore(folder.checkpoint(done), game);
  return done;
}

}  // namespace

Trainer::Trainer(Game& game, Evaluation& evaluation, const RunFolder& folder, RunDescription description,
                 const Schedule& schedule, const std::optional<CheckpointInfo>& resumed,
                 ProgressOptions progress)
    : game_(game),
      evaluation_(evaluation),
      folder_(folder),
      description_(std::move(description)),
      schedule_(schedule),
      done_(start_of(game, folder, schedule, resumed)),
      saved_(resumed ? resumed->iteration : -1),
      log_(RunLog::create(folder.log(), description_.config, description_.environment,
                          column_names(evaluation), resumed ? resumed->history : MetricTable{})),
      progress_(description_.name, schedule.iterations, done_, std::move(progress)) {
  write_file(folder.config(), description_.config);
  iteration_ = game.kernels().capture([&game] { game.iterate(); });
  scalars_ = game.kernels().readback(sizeof(IterationScalars));
}

RunEnd Trainer::run() {
  const StopRequest request;
  std::optional<StopRequest::Stop> stop;
  while (done_ < schedule_.iterations && !stop) {
    iterate();
    const bool last = done_ == schedule_.iterations;
    if (last || done_ % schedule_.eval_every == 0) {
      evaluate();
    } else if (done_ % schedule_.log_every == 0) {
      start_row();
    }
    stop = request.requested();
    if (stop || last || done_ % schedule_.checkpoint_every == 0) save();
    if (progress_.due() || last) progress_.update(done_, latest_);
  }
  progress_.finish();
  log_.close();
  return {done_, stop};
}

void Trainer::iterate() {
  game_.prepare(done_);
  if (done_ + 1 == schedule_.dump_iteration) {
    dump_iteration(game_, description_.method, description_.preset, folder_.dump(done_ + 1));
  } else {
    iteration_->launch();
  }
  ++done_;
}

/// Sends the iteration's numbers on their way, and writes those that were sent last time.
void Trainer::start_row() {
  finish_row({});
  scalars_->start(game_.scalars());
  pending_ = done_;
}

void Trainer::evaluate() {
  start_row();
  finish_row(evaluation_.evaluate(done_));
}

void Trainer::finish_row(const std::vector<double>& evaluated) {
  if (!pending_) return;
  const int64_t iteration = *std::exchange(pending_, std::nullopt);
  const IterationScalars& numbers = *static_cast<const IterationScalars*>(scalars_->wait());
  std::vector<double> row;
  latest_.clear();
  for (const Column& column : columns) {
    const bool there = !column.of_entropy || game_.lower() != nullptr;
    row.push_back(there ? static_cast<double>(numbers.*column.value) : not_there);
    if (there && column.in_progress) latest_.push_back({column.name, row.back()});
  }
  row.insert(row.end(), evaluated.begin(), evaluated.end());
  row.resize(std::size(columns) + evaluation_.names().size(), not_there);
  log_.append(iteration, row);

  if (!std::isfinite(numbers.loss_energy)) stop_not_finite(iteration, "loss_energy");
  if (!std::isfinite(numbers.loss_generator)) stop_not_finite(iteration, "loss_generator");
  if (numbers.not_finite != 0) stop_not_finite(iteration, "a parameter");
}

void Trainer::save() {
  finish_row({});
  try {
    folder_.save(game_, done_, description_.config, log_.history(), schedule_.keep_checkpoints);
  } catch (const StateNotFinite& error) {
    stop_not_finite(done_, "a value of " + error.array());
  }
  saved_ = done_;
}

void Trainer::stop_not_finite(int64_t iteration, const std::string& what) const {
  const std::string checkpoint = saved_ >= 0
                                     ? "the last good checkpoint is " + folder_.checkpoint(saved_).string()
                                     : "there is no checkpoint yet";
  throw Error("at iteration " + std::to_string(iteration) + " " + what +
              " is not a finite number, so the run stops; " + checkpoint +
              "; smaller learning rates or a larger --penalty-weight may help");
}

}  // namespace ebm
