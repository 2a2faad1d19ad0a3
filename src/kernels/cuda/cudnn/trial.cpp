// SPDX-License-Identifier: MIT
#include "kernels/cuda/cudnn/trial.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
#include <utility>
#include <vector>

#include "core/error.h"
#include "kernels/cuda/check.h"
#include "kernels/cuda/cudnn/convolution_sums.h"
#include "kernels/cuda/graph.h"
#include "kernels/cuda/stopwatch.h"
#include "kernels/formulas/rounding.h"

namespace ebm::cuda {

namespace {

/// Numbers from -1 to 1, as an array of that type holds them. They come again after a prime number of them.
std::vector<float> random_numbers(int64_t count, Type type, uint32_t seed) {
  constexpr int64_t period = 100'003;
  std::mt19937 random(seed);
  std::vector<float> numbers(static_cast<size_t>(count));
  for (int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<size_t>(i);
    if (i >= period) {
      numbers[at] = numbers[at - period];
    } else {
      numbers[at] = static_cast<float>(random()) * 0x1p-31f - 1;
      if (type == Type::bfloat16) numbers[at] = expanded(rounded<bfloat16>(numbers[at]));
    }
  }
  return numbers;
}

}  // namespace

double allowed_error(Precision precision) {
  switch (precision) {
    case Precision::full:
    case Precision::tf32x3:
      return 2e-5;
    case Precision::training:
      return 2e-3;
    default:
      return 1e-2;
  }
}

/// The three arrays of a pass; for timing, copies of them, one behind the other in one block each.
class Trials::Arrays {
 public:
  Arrays(const PlanRequest& request, const Context& context, cudnnHandle_t handle, void* workspace);

  void run(const Plan& plan, int64_t copy) const {
    plan.run(handle_, at(x_, copy), at(weight_, copy), at(y_, copy), workspace_);
  }
  Verdict judge(const Plan& plan);
  double milliseconds(const Plan& plan, double least);

 private:
  struct Array {
    std::vector<float> host;
    int64_t stride = 0;  // bytes from one copy to the next
    std::unique_ptr<DeviceBlock> device = nullptr;
  };
  struct Result {
    int64_t index;
    double right;
  };
  Array make(int64_t elements, uint32_t seed) const;
  void fill(const Array& array) const;
  void make_copies();
  double milliseconds_of(const Plan& plan, int64_t runs, int64_t graphs) const;
  void* at(const Array& array, int64_t copy) const {
    return static_cast<std::byte*>(array.device->data()) + copy * array.stride;
  }
  const Array& result() const {
    return request_.pass == Pass::forward ? y_ : request_.pass == Pass::backward_data ? x_ : weight_;
  }
  /// Whether the pass adds to the numbers that are there. Then they are float32.
  bool adds() const { return request_.mode == Write::accumulate; }
  void begin_result() const;
  const std::vector<Result>& results();
  float result_of_run(int64_t index) const;

  PlanRequest request_;
  const Context& context_;
  cudnnHandle_t handle_;
  void* workspace_;
  int64_t copies_ = 1;
  Array x_, weight_, y_;
  std::vector<Result> results_;
};

Trials::Arrays::Arrays(const PlanRequest& request, const Context& context, cudnnHandle_t handle,
                       void* workspace)
    : request_(request), context_(context), handle_(handle), workspace_(workspace) {
  const ConvolutionShape& s = request.shape;
  x_ = make(s.rows * s.input.size(), 1);
  weight_ = make(s.weights(), 2);
  y_ = make(s.rows * s.output().size(), 3);
  for (Array* array : {&x_, &weight_, &y_}) {
    array->device = std::make_unique<DeviceBlock>(static_cast<size_t>(array->stride));
    fill(*array);
  }
}

/// Made when the first plan is timed: plans that are known are only judged.
void Trials::Arrays::make_copies() {
  constexpr int64_t beyond_caches = int64_t{256} << 20, max_copies = 8;
  if (copies_ > 1) return;
  copies_ = std::clamp(beyond_caches / (x_.stride + weight_.stride + y_.stride), int64_t{1}, max_copies);
  for (Array* array : {&x_, &weight_, &y_}) {
    auto all = std::make_unique<DeviceBlock>(static_cast<size_t>(copies_ * array->stride));
    for (int64_t copy = 0; copy < copies_; ++copy) {
      check(
          cudaMemcpyAsync(static_cast<std::byte*>(all->data()) + copy * array->stride, array->device->data(),
                          static_cast<size_t>(array->stride), cudaMemcpyDeviceToDevice, context_.stream()),
          "cudaMemcpyAsync of arrays to time plans on");
    }
    context_.synchronize();
    array->device = std::move(all);
  }
}

Trials::Arrays::Array Trials::Arrays::make(int64_t elements, uint32_t seed) const {
  constexpr int64_t aligned = 256;
  const int64_t bytes = elements * size_of(request_.type());
  return {.host = random_numbers(elements, request_.type(), seed),
          .stride = (bytes + aligned - 1) / aligned * aligned};
}

void Trials::Arrays::fill(const Array& array) const {
  const cudaStream_t stream = context_.stream();
  std::vector<bfloat16> narrow;
  if (request_.type() == Type::bfloat16) {
    narrow.reserve(array.host.size());
    for (const float x : array.host) narrow.push_back(rounded<bfloat16>(x));
  }
  const void* const host = narrow.empty() ? static_cast<const void*>(array.host.data()) : narrow.data();
  const auto bytes = static_cast<size_t>(std::ssize(array.host) * size_of(request_.type()));
  check(cudaMemcpyAsync(at(array, 0), host, bytes, cudaMemcpyHostToDevice, stream),
        "cudaMemcpyAsync of arrays to try plans on");
  context_.synchronize();  // then what it is copied from may go
}

/// The numbers that the pass adds to, or NaN.
void Trials::Arrays::begin_result() const {
  void* const device = at(result(), 0);
  const auto bytes = static_cast<size_t>(std::ssize(result().host) * size_of(request_.type()));
  if (adds()) {
    check(cudaMemcpyAsync(device, result().host.data(), bytes, cudaMemcpyHostToDevice, context_.stream()),
          "cudaMemcpyAsync of what a plan adds to");
  } else {
    check(cudaMemsetAsync(device, 0xFF, bytes, context_.stream()), "cudaMemsetAsync of a result");
  }
}

float Trials::Arrays::result_of_run(int64_t index) const {
  const auto size = static_cast<size_t>(size_of(request_.type()));
  const auto* from = static_cast<const std::byte*>(at(result(), 0)) + index * static_cast<int64_t>(size);
  float number = 0;
  bfloat16 narrow{};
  void* const to = request_.type() == Type::bfloat16 ? static_cast<void*>(&narrow) : &number;
  check(cudaMemcpyAsync(to, from, size, cudaMemcpyDeviceToHost, context_.stream()),
        "cudaMemcpyAsync of a plan's result");
  context_.synchronize();
  return request_.type() == Type::bfloat16 ? expanded(narrow) : number;
}

/// Some results, in float64. Fewer where each is a long sum, which the host takes its time for.
const std::vector<Trials::Arrays::Result>& Trials::Arrays::results() {
  constexpr int64_t max_results = 64, min_results = 12, max_terms = 4'000'000;
  if (!results_.empty()) return results_;
  const ConvolutionShape& s = request_.shape;
  const int64_t terms = request_.pass == Pass::backward_weight ? s.rows * s.output().pixels() : 1;
  const int64_t wanted = std::clamp(max_terms / terms, min_results, max_results);
  const int64_t count = result_size(request_), step = std::max<int64_t>(1, count / wanted);
  for (int64_t index = step / 2; index < count; index += step)
    results_.push_back({index, result_at(request_, index, x_.host, weight_.host, y_.host)});
  return results_;
}

Verdict Trials::Arrays::judge(const Plan& plan) {
  try {
    begin_result();
    run(plan, 0);
    context_.synchronize();
    capture(context_, [&] { run(plan, 0); });  // what cannot be recorded is of no use
    double errors = 0, squares = 0;
    for (const Result& result_there : results()) {
      const double before = adds() ? double{result().host[static_cast<size_t>(result_there.index)]} : 0;
      const double wrong = double{result_of_run(result_there.index)} - before - result_there.right;
      errors += wrong * wrong;
      squares += result_there.right * result_there.right;
    }
    const double error = errors == 0 ? 0 : std::sqrt(errors / squares);
    if (error <= allowed_error(request_.precision)) return {.error = error};
    char text[80];
    std::snprintf(text, sizeof text, "its results are wrong by %.1e of their size", error);
    return {.fault = text, .error = error};
  } catch (const Error& error) {
    cudaGetLastError();
    return {.fault = std::string("it does not run: ") + error.what(),
            .error = std::numeric_limits<double>::quiet_NaN()};
  }
}

double Trials::Arrays::milliseconds_of(const Plan& plan, int64_t runs, int64_t graphs) const {
  const auto graph = capture(context_, [&] {
    for (int64_t i = 0; i < runs; ++i) run(plan, i % copies_);
  });
  const cudaStream_t stream = context_.stream();
  Event start, end;
  float least = std::numeric_limits<float>::infinity();
  for (int64_t i = 0; i < graphs; ++i) {
    start.record(stream);
    graph->launch();
    end.record(stream);
    least = std::min(least, end.milliseconds_since(start));
  }
  return double{least} / static_cast<double>(runs);
}

double Trials::Arrays::milliseconds(const Plan& plan, double least) {
  constexpr int64_t runs = 16, graphs = 4;  // the first graph brings the clocks up
  constexpr double far_more = 2, launching = 0.02;
  make_copies();
  const double once = milliseconds_of(plan, 1, 1);
  return once > far_more * least + launching ? once : milliseconds_of(plan, runs, graphs);
}

Trials::Trials(const PlanRequest& request, const Context& context, cudnnHandle_t handle, void* workspace)
    : arrays_(std::make_unique<Arrays>(request, context, handle, workspace)) {}
Trials::~Trials() = default;

Verdict Trials::judge(const Plan& plan) {
  return arrays_->judge(plan);
}

double Trials::milliseconds(const Plan& plan, double least) {
  return arrays_->milliseconds(plan, least);
}

}  // namespace ebm::cuda
