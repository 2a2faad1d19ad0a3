// SPDX-License-Identifier: MIT
#include "layers/branches.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ebm {

namespace {

struct BranchesTrace : Trace {
  using Trace::Trace;
  std::vector<std::unique_ptr<Trace>> branches;
  std::vector<int64_t> places;  // of the branches' outputs in scratch memory
};

Features joined_features(const std::vector<Branches::Branch>& branches) {
  if (branches.empty() || branches.size() > Branches::most) {
    throw Error(std::to_string(branches.size()) + " branches cannot be joined; give 1 to " +
                std::to_string(Branches::most));
  }
  Features all = branches.front().layer->output();
  all.channels = 0;
  for (const Branches::Branch& branch : branches) {
    const Layer &layer = *branch.layer, &first = *branches.front().layer;
    if (!(layer.input() == first.input()) || !(layer.output().plane() == all.plane())) {
      throw Error("a branch " + to_string(layer.input()) + " -> " + to_string(layer.output()) +
                  " does not fit beside one " + to_string(first.input()) + " -> " +
                  to_string(first.output()) + "; give branches of one input and one size of output");
    }
    all.channels += layer.output().channels;
  }
  return all;
}

Features input_features(const std::vector<Branches::Branch>& branches) {
  return branches.empty() ? Features{} : branches.front().layer->input();
}

}  // namespace

Branches::Branches(std::vector<Branch> branches)
    : ForwardOnly(input_features(branches), joined_features(branches)), branches_(std::move(branches)) {
  for (const Branch& branch : branches_) {
    if (branch.last != nullptr) branch.last->leave_bias();
  }
}

void Branches::declare(Parameters& parameters, const std::string& prefix) {
  for (const Branch& branch : branches_) branch.layer->declare(parameters, prefix);
}

bool Branches::couples_samples(Statistics statistics) const {
  return std::any_of(branches_.begin(), branches_.end(),
                     [&](const Branch& branch) { return branch.layer->couples_samples(statistics); });
}

std::unique_ptr<Trace> Branches::make_trace(Kernels& kernels, const TraceOptions& options,
                                            std::shared_ptr<Scratch> scratch) const {
  check_options(options);
  auto trace = std::make_unique<BranchesTrace>(kernels, options, scratch);
  int64_t all = 0;
  for (const Branch& branch : branches_) {
    trace->places.push_back(all);
    all += Scratch::floats(options.batch * branch.layer->output().size(), options.type());
  }
  scratch->reserve(all);
  for (const Branch& branch : branches_)
    trace->branches.push_back(branch.layer->make_trace(kernels, options, scratch->offset(all)));
  return trace;
}

void Branches::do_forward(Trace& base, View y) const {
  auto& trace = static_cast<BranchesTrace&>(base);
  std::array<JoinedBranch, most> joined{};
  for (size_t i = 0; i < branches_.size(); ++i) {
    const auto& [layer, last, activation] = branches_[i];
    const View out{trace.scratch->data() + trace.places[i], y.rows, layer->output()};
    layer->forward(*trace.branches[i], trace.x, out);
    joined[i] = {.x = out.data,
                 .columns = out.features.channels,
                 .bias = last != nullptr ? last->bias() : nullptr,
                 .slope = activation.slope};
  }
  trace.kernels.run(JoinBranches{.rows = y.rows * y.features.pixels(),
                                 .columns = y.features.channels,
                                 .first = joined[0],
                                 .second = joined[1],
                                 .third = joined[2],
                                 .fourth = joined[3],
                                 .out = y.data});
}

}  // namespace ebm
