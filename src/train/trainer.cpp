// SPDX-License-Identifier: MIT
#include "train/trainer.h"

#include <cmath>

#include "io/atomic_file.h"
#include "train/dump.h"
#include "train/follower.h"
#include "train/state.h"

namespace ebm {

namespace {

std::vector<std::string> column_names(Method& method, const Evaluation& evaluation) {
  std::vector<std::string> names;
  for (const Numbers::Entry& number : method.numbers().entries()) names.push_back(number.name);
  for (const std::string& name : evaluation.names()) names.push_back(name);
  return names;
}

/// The iterations done when training starts, with the method in that state. Nothing was written before it
/// returns.
int64_t start_of(Method& method, const RunFolder& folder, const Schedule& schedule,
                 const std::optional<CheckpointInfo>& resumed) {
  const int64_t done = resumed ? resumed->iteration : 0;
  const int64_t wanted = schedule.dump_iteration;
  const bool missed = wanted > 0 && wanted <= done && !exists(folder.dump(wanted));
  if (wanted > 0 && count_of(method.training().optimiser.ranks) > 1)
    throw UsageError(
        "--dump-iteration writes what one process computes, and each of several has but its rows; "
        "start one process, or leave it out");
  if (missed || wanted > schedule.iterations) {
    throw UsageError("iteration " + std::to_string(wanted) + " cannot be dumped: this run goes from " +
                     std::to_string(done) + " to " + std::to_string(schedule.iterations) +
                     "; give another --dump-iteration or --out");
  }
  if (resumed) restore(folder.checkpoint(done), method);
  return done;
}

/// Lines of several ranks tell what all of them do together.
ProgressOptions of_ranks(ProgressOptions progress, const TrainingOptions& training) {
  if (count_of(training.optimiser.ranks) > 1)
    progress.images = static_cast<double>(training.batch * training.energy_steps);
  return progress;
}

}  // namespace

Trainer::Trainer(Method& method, Evaluation& evaluation, const RunFolder& folder, RunDescription description,
                 const Schedule& schedule, const std::optional<CheckpointInfo>& resumed,
                 ProgressOptions progress)
    : method_(method),
      averaged_(method),
      evaluation_(evaluation),
      folder_(folder),
      description_(std::move(description)),
      schedule_(schedule),
      done_(start_of(method, folder, schedule, resumed)),
      saved_(resumed ? resumed->iteration : -1),
      start_(done_),
      before_(resumed ? resumed->time : TrainingTime{}),
      watch_(before_.seconds, progress.now),
      log_(RunLog::create(folder.log(), description_.config, description_.environment,
                          column_names(method, evaluation), resumed ? resumed->history : MetricTable{},
                          time(), evaluation.names())),
      progress_(description_.name, schedule.iterations, done_,
                of_ranks(std::move(progress), method.training())) {
  write_file(folder.config(), description_.config);
  share_state(method, done_);
  iteration_ = method.kernels().capture([&method] { method.iterate(); });
  numbers_ = method.kernels().readback(Numbers::bytes());
}

RunEnd Trainer::run() {
  const StopRequest request;
  Communicator* const ranks = method_.training().optimiser.ranks;
  std::optional<StopRequest::Stop> stop;
  watch_.start();
  while (done_ < schedule_.iterations && !stop) {
    iterate();
    const bool last = done_ == schedule_.iterations;
    if (last || done_ % schedule_.eval_every == 0) {
      evaluate();
    } else if (done_ % schedule_.log_every == 0) {
      start_row();
    }
    stop = agree_on_stop(request, ranks);
    if (stop || last || done_ % schedule_.checkpoint_every == 0) save();
    if (progress_.due() || last) progress_.update(done_, latest_);
  }
  progress_.finish();
  log_.close();
  averaged_.settle(done_);  // for who measures on
  meet_ranks(ranks);
  return {done_, stop};
}

void Trainer::iterate() {
  method_.prepare(done_);
  if (done_ + 1 == schedule_.dump_iteration) {
    dump_iteration(method_, description_.options, folder_.dump(done_ + 1));
  } else {
    iteration_->launch();
  }
  ++done_;
}

/// Sends the iteration's numbers on their way, and writes those that were sent last time.
void Trainer::start_row() {
  finish_row({});
  numbers_->start(method_.numbers().block());
  pending_ = done_;
}

void Trainer::evaluate() {
  start_row();
  stop_watch();
  averaged_.settle(done_);
  finish_row(evaluation_.evaluate(done_));
  watch_.start();
}

/// At the end of the work that is queued: what follows waits for it anyway.
void Trainer::stop_watch() {
  method_.kernels().synchronize();
  watch_.stop();
  log_.set_time(time());
}

TrainingTime Trainer::time() const {
  const double taken = watch_.seconds() - before_.seconds;
  if (!(taken > 0)) return before_;
  const TrainingOptions& training = method_.training();
  const auto images = static_cast<double>((done_ - start_) * training.batch * training.energy_steps);
  return {.seconds = watch_.seconds(), .images_per_second = images / taken};
}

void Trainer::finish_row(const std::vector<double>& evaluated) {
  if (!pending_) return;
  const int64_t iteration = *std::exchange(pending_, std::nullopt);
  const Numbers::Values numbers = method_.numbers().values_of(numbers_->wait());
  const std::vector<Numbers::Entry>& entries = method_.numbers().entries();
  std::vector<double> row(numbers.numbers.begin(), numbers.numbers.end());
  latest_.clear();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].role != NumberRole::quiet) latest_.push_back({entries[i].name.c_str(), row[i]});
  }
  row.insert(row.end(), evaluated.begin(), evaluated.end());
  row.resize(entries.size() + evaluation_.names().size(), not_there);
  log_.append(iteration, row);

  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].role == NumberRole::loss && !std::isfinite(row[i]))
      stop_not_finite(iteration, entries[i].name);
  }
  if (numbers.not_finite) stop_not_finite(iteration, "a parameter");
}

void Trainer::save() {
  finish_row({});
  stop_watch();
  averaged_.settle(done_);
  try {
    folder_.save(
        method_,
        {.iteration = done_, .config = description_.config, .history = log_.history(), .time = time()},
        schedule_.keep_checkpoints);
  } catch (const StateNotFinite& error) {
    stop_not_finite(done_, "a value of " + error.array());
  }
  saved_ = done_;
  watch_.start();
}

void Trainer::stop_not_finite(int64_t iteration, const std::string& what) const {
  const std::string checkpoint = saved_ >= 0
                                     ? "the last good checkpoint is " + folder_.checkpoint(saved_).string()
                                     : "there is no checkpoint yet";
  throw Error("at iteration " + std::to_string(iteration) + " " + what +
              " is not a finite number, so the run stops; " + checkpoint +
              "; smaller learning rates or --clip-gradient-norm may help");
}

}  // namespace ebm
