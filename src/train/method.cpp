// SPDX-License-Identifier: MIT
#include "train/method.h"

namespace ebm {

namespace {

constexpr Stream initial_streams[] = {Stream::initial_energy, Stream::initial_generator,
                                      Stream::initial_third};

TrainingOptions of_rank(TrainingOptions training) {
  training.batch = rank_batch(training.batch, training.optimiser.ranks);
  return training;
}

}  // namespace

int64_t rank_batch(int64_t batch, const Communicator* ranks, const char* option) {
  const int64_t count = count_of(ranks);
  if (batch % count == 0) return batch / count;
  throw UsageError(std::string(option) + " " + std::to_string(batch) + " cannot be divided among " +
                   std::to_string(count) + " processes; give a multiple of " + std::to_string(count) +
                   ", or start another number of them");
}

Method::Method(Kernels& kernels, DataSource& data, const TrainingOptions& training, NoiseSource* noise)
    : kernels_(kernels),
      data_(data),
      given_(training),
      training_(of_rank(training)),
      iteration_(kernels, 1),
      numbers_(kernels),
      draws_(kernels, static_cast<uint64_t>(training.seed), iteration_.data(), noise,
             training.optimiser.ranks) {
  if (training.energy_steps > 1)
    data_points_ = Tensor(kernels, training_.batch * training.energy_steps, data.features());
}

void Method::draw_data(View x) {
  const View points = data_points_.empty() ? x : data_points_.view();
  data_.draw(iteration_.data(), points);
  drawn_ = points;
}

void Method::take_data(int64_t step, View x) {
  if (!data_points_.empty())
    kernels_.copy(x.data, data_points_.row_range(step * x.rows, x.rows).data, x.bytes());
}

void Method::count_iteration() {
  for (Learner* learner : learners_) learner->share_statistics();
  kernels_.run(Advance{.counter = iteration_.data()});
}

void Method::initialize() {
  for (size_t i = 0; i < learners_.size(); ++i)
    learners_[i]->initialize(static_cast<uint64_t>(training_.seed), static_cast<uint32_t>(initial_streams[i]),
                             training_.initial);
}

Learner& Method::learner(const std::string& name) const {
  for (Learner* learner : learners_) {
    if (learner->name() == name) return *learner;
  }
  throw Error("this method trains no '" + name + "'");
}

std::unique_ptr<Sampler> Method::sampler(int64_t chunk) {
  return std::make_unique<NetworkSampler>(kernels_, learner("generator").evaluated(), chunk);
}

std::vector<NamedSampler> Method::samplers(int64_t chunk) {
  std::vector<NamedSampler> list;
  list.push_back({"", sampler(chunk)});
  return list;
}

std::unique_ptr<EnergyFunction> Method::energy_function(int64_t chunk) {
  return std::make_unique<NetworkEnergy>(kernels_, learner("energy").evaluated(), chunk);
}

void require_fitting(const Network& energy, const Features& samples, const Features& data) {
  if (samples == energy.input() && data == energy.input() && energy.output().size() == 1) return;
  throw Error("the generator gives " + to_string(samples) + ", the data " + to_string(data) +
              ", the energy takes " + to_string(energy.input()) + " and gives " + to_string(energy.output()) +
              "; the first three must agree and the last be 1x1x1");
}

}  // namespace ebm
