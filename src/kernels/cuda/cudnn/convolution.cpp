// SPDX-License-Identifier: MIT
#include "kernels/cuda/convolution.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "kernels/cuda/check.h"
#include "kernels/cuda/cudnn/plan.h"

namespace ebm::cuda {

namespace {

/// cuDNN and its handle on a stream.
class Handle {
 public:
  explicit Handle(cudaStream_t stream) {
    cudnn_.check(cudnn_.create(&handle_), "cudnnCreate");
    const cudnnStatus_t status = cudnn_.set_stream(handle_, stream);
    if (status != CUDNN_STATUS_SUCCESS) cudnn_.destroy(handle_);
    cudnn_.check(status, "cudnnSetStream");
  }
  ~Handle() { cudnn_.destroy(handle_); }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;

  const Cudnn& cudnn() const { return cudnn_; }
  cudnnHandle_t get() const { return handle_; }

 private:
  Cudnn cudnn_ = default_cudnn();
  cudnnHandle_t handle_ = nullptr;
};

/// The alignment in bytes that all three have: cuDNN's best kernels need 16.
int64_t common_alignment(const float* a, const float* b, const float* c) {
  constexpr uintptr_t best = 16;
  const auto bits =
      reinterpret_cast<uintptr_t>(a) | reinterpret_cast<uintptr_t>(b) | reinterpret_cast<uintptr_t>(c);
  return bits % best == 0 ? best : alignof(float);
}

}  // namespace

class Convolutions::State {
 public:
  explicit State(const Context& context) : context_(context) {}

  void run(PlanRequest request, const float* x, const float* weight, const float* y);
  bool plan_missing();
  void forget_missing() noexcept { missing_.clear(); }

 private:
  struct Prepared {
    Plan plan;
    void* workspace;
  };
  using Prepareds = std::map<decltype(PlanRequest{}.key()), Prepared>;

  bool recording() const;
  Prepared& prepare(const PlanRequest& request);
  void* workspace_of(int64_t bytes);

  const Context& context_;
  std::optional<Handle> handle_;
  Prepareds prepared_;
  std::vector<PlanRequest> missing_;

  // One workspace serves all plans, since their work is queued in order. When a plan needs a larger one, the
  // smaller ones stay: recorded graphs hold their addresses.
  struct Workspace {
    int64_t bytes;
    std::unique_ptr<Scratch> memory;
  };
  std::vector<Workspace> workspaces_;
};

bool Convolutions::State::recording() const {
  cudaStreamCaptureStatus status = cudaStreamCaptureStatusNone;
  check(cudaStreamIsCapturing(context_.stream(), &status), "cudaStreamIsCapturing");
  return status != cudaStreamCaptureStatusNone;
}

void* Convolutions::State::workspace_of(int64_t bytes) {
  if (workspaces_.empty() || workspaces_.back().bytes < bytes) {
    workspaces_.push_back({bytes, std::make_unique<Scratch>(static_cast<size_t>(bytes))});
  }
  return workspaces_.back().memory->data();
}

Convolutions::State::Prepared& Convolutions::State::prepare(const PlanRequest& request) {
  if (!handle_) handle_.emplace(context_.stream());
  Plan plan(handle_->cudnn(), {.handle = handle_->get()}, request);
  void* const workspace = workspace_of(plan.workspace_bytes());
  return prepared_.insert_or_assign(request.key(), Prepared{std::move(plan), workspace}).first->second;
}

void Convolutions::State::run(PlanRequest request, const float* x, const float* weight, const float* y) {
  if (request.shape.rows == 0) return;
  request.alignment = common_alignment(x, weight, y);
  const auto found = prepared_.find(request.key());
  if (found == prepared_.end() && recording()) {
    missing_.push_back(request);
    return;
  }
  const Prepared& p = found != prepared_.end() ? found->second : prepare(request);
  context_.stream();  // makes the GPU current
  // cuDNN knows no const; it writes only what the pass computes.
  p.plan.run(handle_->get(), const_cast<float*>(x), const_cast<float*>(weight), const_cast<float*>(y),
             p.workspace);
}

bool Convolutions::State::plan_missing() {
  const std::vector<PlanRequest> missing = std::exchange(missing_, {});
  for (const PlanRequest& request : missing) {
    if (!prepared_.contains(request.key())) prepare(request);
  }
  return !missing.empty();
}

Convolutions::Convolutions(const Context& context) : state_(std::make_unique<State>(context)) {}
Convolutions::~Convolutions() = default;

void Convolutions::run(const ConvolutionForward& pass) {
  state_->run({.pass = Pass::forward, .shape = pass.shape, .precision = pass.precision}, pass.x, pass.weight,
              pass.y);
}

void Convolutions::run(const ConvolutionBackwardData& pass) {
  state_->run({.pass = Pass::backward_data, .shape = pass.shape, .precision = pass.precision}, pass.x_bar,
              pass.weight, pass.y_bar);
}

void Convolutions::run(const ConvolutionBackwardWeight& pass) {
  state_->run(
      {.pass = Pass::backward_weight, .shape = pass.shape, .mode = pass.mode, .precision = pass.precision},
      pass.x, pass.weight_bar, pass.y_bar);
}

bool Convolutions::plan_missing() {
  return state_->plan_missing();
}

void Convolutions::forget_missing() noexcept {
  state_->forget_missing();
}

}  // namespace ebm::cuda
