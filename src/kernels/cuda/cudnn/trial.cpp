// SPDX-License-Identifier: MIT
#include "kernels/cuda/cudnn/trial.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
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
  constexpr int64_t period = 1'000'003;
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
      return 2e-5;
    case Precision::training:
      return 2e-3;
    default:
      return 1e-2;
  }
}

/// Copies of the three arrays of a pass, one behind the other in one block each.
class Trials::Arrays {
 public:
  Arrays(const PlanRequest& request, const Context& context, cudnnHandle_t handle, void* workspace);

  void run(const Plan& plan, int64_t copy) const {
    plan.run(handle_, at(x_, copy), at(weight_, copy), at(y_, copy), workspace_);
  }
  Verdict judge(const Plan& plan) const;
  double milliseconds(const Plan& plan) const;

 private:
  struct Array {
    std::vector<float> host;
    int64_t stride = 0;  // bytes from one copy to the next
    std::unique_ptr<DeviceBlock> device = nullptr;
  };
  Array make(int64_t elements, uint32_t seed) const;
  void fill(const Array& array) const;
  void* at(const Array& array, int64_t copy) const {
    return static_cast<std::byte*>(array.device->data()) + copy * array.stride;
  }
  const Array& result() const {
    return request_.pass == Pass::forward ? y_ : request_.pass == Pass::backward_data ? x_ : weight_;
  }
  /// Whether the pass adds to the numbers that are there. Then they are float32.
  bool adds() const { return request_.mode == Write::accumulate; }
  void begin_result() const;
  float result_of_run(int64_t index) const;

  PlanRequest request_;
  const Context& context_;
  cudnnHandle_t handle_;
  void* workspace_;
  int64_t copies_ = 1;
  Array x_, weight_, y_;
};

Trials::Arrays::Arrays(const PlanRequest& request, const Context& context, cudnnHandle_t handle,
                       void* workspace)
    : request_(request), context_(context), handle_(handle), workspace_(workspace) {
  constexpr int64_t beyond_caches = int64_t{256} << 20, max_copies = 8;
  const ConvolutionShape& s = request.shape;
  x_ = make(s.rows * s.input.size(), 1);
  weight_ = make(s.weights(), 2);
  y_ = make(s.rows * s.output().size(), 3);
  copies_ = std::clamp(beyond_caches / (x_.stride + weight_.stride + y_.stride), int64_t{1}, max_copies);
  for (Array* array : {&x_, &weight_, &y_}) {
    array->device = std::make_unique<DeviceBlock>(static_cast<size_t>(copies_ * array->stride));
    fill(*array);
  }
  context.synchronize();  // what fill copies from is gone then
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
  for (int64_t copy = 0; copy < copies_; ++copy) {
    check(cudaMemcpyAsync(at(array, copy), host, bytes, cudaMemcpyHostToDevice, stream),
          "cudaMemcpyAsync of arrays to try plans on");
  }
  context_.synchronize();
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

Verdict Trials::Arrays::judge(const Plan& plan) const {
  constexpr int64_t looked_at = 64;
  const int64_t count = result_size(request_), step = std::max<int64_t>(1, count / looked_at);
  try {
    begin_result();
    run(plan, 0);
    context_.synchronize();
    capture(context_, [&] { run(plan, 0); });  // what cannot be recorded is of no use
    double errors = 0, squares = 0;
    for (int64_t index = step / 2; index < count; index += step) {
      const double right = result_at(request_, index, x_.host, weight_.host, y_.host);
      const double before = adds() ? double{result().host[static_cast<size_t>(index)]} : 0;
      const double wrong = double{result_of_run(index)} - before - right;
      errors += wrong * wrong;
      squares += right * right;
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

double Trials::Arrays::milliseconds(const Plan& plan) const {
  constexpr int64_t runs = 16, graphs = 4;  // the first graph brings the clocks up
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
  return double{least} / runs;
}

Trials::Trials(const PlanRequest& request, const Context& context, cudnnHandle_t handle, void* workspace)
    : arrays_(std::make_unique<Arrays>(request, context, handle, workspace)) {}
Trials::~Trials() = default;

Verdict Trials::judge(const Plan& plan) {
  return arrays_->judge(plan);
}

double Trials::milliseconds(const Plan& plan) {
  return arrays_->milliseconds(plan);
}

}  // namespace ebm::cuda
