// SPDX-License-Identifier: MIT
#include "core/parameters.h"

#include <utility>

namespace ebm {

namespace {

int64_t padded(int64_t size) {
  return (size + parameter_alignment - 1) / parameter_alignment * parameter_alignment;
}

int64_t flat_size(const std::deque<Parameter>& list) {
  return list.empty() ? 0 : list.back().offset + padded(list.back().size);
}

}  // namespace

Parameter* Parameters::declare(std::deque<Parameter>& list, const std::string& name,
                               std::vector<int64_t> shape, Role role, Initialization initialization,
                               const ChannelsLast& order) {
  for (const auto* existing : {&trainable_, &statistics_}) {
    for (const Parameter& p : *existing) {
      if (p.name == name)
        throw Error("parameter '" + name + "' is declared twice; give the layers distinct names");
    }
  }
  int64_t size = 1;
  for (int64_t extent : shape) size *= extent;
  list.push_back({.name = name,
                  .shape = std::move(shape),
                  .role = role,
                  .initialization = initialization,
                  .order = order,
                  .size = size,
                  .offset = flat_size(list)});
  return &list.back();
}

Parameter* Parameters::add(const std::string& name, std::vector<int64_t> shape, Role role,
                           Initialization initialization, const ChannelsLast& order) {
  return declare(trainable_, name, std::move(shape), role, initialization, order);
}

Parameter* Parameters::add_statistic(const std::string& name, std::vector<int64_t> shape,
                                     Initialization initialization) {
  return declare(statistics_, name, std::move(shape), Role::other, initialization, {});
}

void Parameters::allocate(Memory& memory) {
  const int64_t size = flat_size(trainable_);
  for (Buffer<float>* buffer : {&values_, &gradients_}) {
    *buffer = Buffer<float>(memory, size);
  }
  statistics_values_ = Buffer<float>(memory, flat_size(statistics_));
  for (Parameter& p : trainable_) {
    p.value = values_.data() + p.offset;
    p.gradient = gradients_.data() + p.offset;
  }
  for (Parameter& p : statistics_) p.value = statistics_values_.data() + p.offset;
}

void Parameters::keep_rounded(Memory& memory) {
  if (!rounded_.empty()) return;
  rounded_ = Buffer<bfloat16>(memory, values_.size());
  for (Parameter& p : trainable_) p.rounded = rounded_.data() + p.offset;
}

}  // namespace ebm
