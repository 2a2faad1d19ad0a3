// SPDX-License-Identifier: MIT
#include "kernels/cuda/convolution.h"

#include <algorithm>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/cudnn/plan.h"
#include "kernels/cuda/cudnn/trial.h"

namespace ebm::cuda {

namespace {

void say_left_out(const Plan& plan, const PlanRequest& request, const Verdict& verdict) {
  std::fprintf(stderr, "note: %s's %s is left out for the %s: %s\n", plan.library(), plan.name().c_str(),
               to_string(request).c_str(), verdict.fault.c_str());
}

Error none_works(const PlanRequest& request) {
  return Error("none of cuDNN's ways to the " + to_string(request) +
               " works here (the notes above say why); use another cuDNN or driver, or --device cpu");
}

}  // namespace

class Convolutions::State {
 public:
  explicit State(const Context& context) : context_(context) {}

  void tune(std::shared_ptr<PlanChoices> choices);
  void run(const PlanRequest& request, const void* x, const void* weight, const void* y);
  /// Memory for a gradient of `count` numbers in bfloat16; null while recording, if there is none so large:
  /// then plan_missing() makes it.
  Array rounded_gradient(int64_t count);
  bool plan_missing();
  void forget_missing() noexcept { missing_.clear(); }

 private:
  using Key = decltype(PlanRequest{}.key());

  bool recording() const;
  void make_gradient();
  const Plan& prepare(const PlanRequest& request);
  Plan choose(const PlanRequest& request);
  std::vector<Plan> plans_for(const PlanRequest& request, const PlanWish& wish) const {
    return all_plans(handle_->cudnn(), handle_->get(), context_, request, wish);
  }
  std::optional<Plan> remembered(const std::string& pass, const PlanRequest& request, Trials& trials);
  Plan first_that_works(const PlanRequest& request, Bits bits, size_t from, Trials& trials) const;
  Plan fastest(const std::string& pass, const PlanRequest& request, Trials& trials);

  const Context& context_;
  std::shared_ptr<PlanChoices> choices_;  // null: the first proposal that works
  std::optional<CudnnHandle> handle_;
  // All plans work in one arena, since their work is queued in order. It is reserved before the first plan
  // and never grows: recorded graphs hold its address.
  std::optional<DeviceBlock> arena_;
  std::map<Key, Plan> plans_;
  std::vector<PlanRequest> missing_;
  // The largest gradient of bfloat16 so far has the last block. Smaller ones stay: recorded graphs hold their
  // addresses.
  std::vector<std::unique_ptr<DeviceBlock>> gradients_;
  int64_t gradient_size_ = 0, wanted_gradient_size_ = 0;
};

bool Convolutions::State::recording() const {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(context_.stream(), &status), "cudaStreamIsCapturing");
  return status != cudaStreamCaptureStatusNone;
}

void Convolutions::State::tune(std::shared_ptr<PlanChoices> choices) {
  choices_ = std::move(choices);
}

const Plan& Convolutions::State::prepare(const PlanRequest& request) {
  if (!handle_) handle_.emplace(context_.stream());
  if (!arena_) arena_.emplace(arena_bytes);
  return plans_.insert_or_assign(request.key(), choose(request)).first->second;
}

/// The plan for a request. Where there is room to try it, it has run before anybody records it.
Plan Convolutions::State::choose(const PlanRequest& request) {
  std::optional<Trials> trials;
  try {
    trials.emplace(request, context_, handle_->get(), arena_->data());
  } catch (const Error& error) {
    std::fprintf(stderr, "note: no plan is tried for the %s: %s\n", to_string(request).c_str(), error.what());
    return std::move(plans_for(request, {}).front());
  }
  if (choices_ == nullptr) return first_that_works(request, Bits::same, 0, *trials);
  choices_->begin(context_.name() + ", cuDNN " + std::to_string(handle_->cudnn().version()));
  const std::string pass = to_string(request);
  if (std::optional<Plan> plan = remembered(pass, request, *trials)) return *std::move(plan);
  return fastest(pass, request, *trials);
}

std::optional<Plan> Convolutions::State::remembered(const std::string& pass, const PlanRequest& request,
                                                    Trials& trials) {
  const std::string* const name = choices_->find(pass);
  if (name == nullptr) return std::nullopt;
  std::vector<Plan> plans = plans_for(request, {.bits = Bits::any, .name = *name});
  if (!plans.empty() && trials.judge(plans.front()).fault.empty()) return std::move(plans.front());
  choices_->forget(pass);
  return std::nullopt;
}

/// The first proposal that works, those before number `from` left aside.
Plan Convolutions::State::first_that_works(const PlanRequest& request, Bits bits, size_t from,
                                           Trials& trials) const {
  constexpr size_t few = 2;  // making a plan takes its time
  for (const size_t most : {from + few, every_plan}) {
    std::vector<Plan> plans = plans_for(request, {.bits = bits, .most = most});
    for (; from < plans.size(); ++from) {
      const Verdict verdict = trials.judge(plans[from]);
      if (verdict.fault.empty()) return std::move(plans[from]);
      say_left_out(plans[from], request, verdict);
    }
  }
  throw none_works(request);
}

Plan Convolutions::State::fastest(const std::string& pass, const PlanRequest& request, Trials& trials) {
  // Where tensor cores may be used the heuristics are right about the order but for the first places; in true
  // float32 their first proposals transpose all arrays, and better ones come late.
  constexpr size_t few = 6;
  std::vector<Plan> plans =
      plans_for(request, {.bits = Bits::any, .most = as_float32(request.precision) ? every_plan : few});
  std::optional<size_t> best;
  double least = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < plans.size(); ++i) {
    const Verdict verdict = trials.judge(plans[i]);
    if (!verdict.fault.empty()) {
      say_left_out(plans[i], request, verdict);
      continue;
    }
    const double milliseconds = trials.milliseconds(plans[i], least);
    if (milliseconds < least) {
      least = milliseconds;
      best = i;
    }
  }
  if (!best) {
    Plan plan = first_that_works(request, Bits::any, plans.size(), trials);
    choices_->put(pass, plan.name());
    return plan;
  }
  choices_->put(pass, plans[*best].name());
  return std::move(plans[*best]);
}

void Convolutions::State::run(const PlanRequest& request, const void* x, const void* weight, const void* y) {
  if (request.shape.rows == 0) return;
  const auto found = plans_.find(request.key());
  if (found == plans_.end() && recording()) {
    missing_.push_back(request);
    return;
  }
  const Plan& plan = found != plans_.end() ? found->second : prepare(request);
  if (choices_ != nullptr) choices_->keep();
  context_.stream();  // makes the GPU current
  // cuDNN knows no const; it writes only what the pass computes.
  plan.run(handle_->get(), const_cast<void*>(x), const_cast<void*>(weight), const_cast<void*>(y),
           arena_->data());
}

Array Convolutions::State::rounded_gradient(int64_t count) {
  wanted_gradient_size_ = std::max(wanted_gradient_size_, count);
  if (gradient_size_ < count && !recording()) make_gradient();
  return static_cast<bfloat16*>(gradients_.empty() ? nullptr : gradients_.back()->data());
}

void Convolutions::State::make_gradient() {
  if (gradient_size_ >= wanted_gradient_size_) return;
  gradient_size_ = wanted_gradient_size_;
  gradients_.push_back(
      std::make_unique<DeviceBlock>(static_cast<size_t>(gradient_size_ * size_of(Type::bfloat16))));
}

bool Convolutions::State::plan_missing() {
  const std::vector<PlanRequest> missing = std::exchange(missing_, {});
  make_gradient();
  for (const PlanRequest& request : missing) {
    if (!plans_.contains(request.key())) prepare(request);
  }
  if (choices_ != nullptr) choices_->keep();
  return !missing.empty();
}

Convolutions::Convolutions(const Context& context) : state_(std::make_unique<State>(context)) {}
Convolutions::~Convolutions() = default;

void Convolutions::tune(std::shared_ptr<PlanChoices> choices) {
  state_->tune(std::move(choices));
}

void Convolutions::run(const ConvolutionForward& pass) {
  state_->run(request_of(pass), pass.x.address, pass.weight.address, pass.y.address);
}

void Convolutions::run(const ConvolutionBackwardData& pass) {
  state_->run(request_of(pass), pass.x_bar.address, pass.weight.address, pass.y_bar.address);
}

ConstArray Convolutions::run(const ConvolutionBackwardWeight& pass) {
  const bool rounded = pass.x.type == Type::bfloat16;
  const Array result = rounded ? state_->rounded_gradient(pass.shape.weights()) : Array(pass.weight_bar);
  PlanRequest request = request_of(pass);
  if (rounded) request.mode = Write::overwrite;
  request.alignment = common_alignment(pass.x.address, result.address, pass.y_bar.address);
  state_->run(request, pass.x.address, result.address, pass.y_bar.address);
  return result;
}

bool Convolutions::plan_missing() {
  return state_->plan_missing();
}

void Convolutions::forget_missing() noexcept {
  state_->forget_missing();
}

}  // namespace ebm::cuda
