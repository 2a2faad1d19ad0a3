// SPDX-License-Identifier: MIT
#include "kernels/cpu/expanded.h"

#include "kernels/cpu/block.h"
#include "kernels/formulas/rounding.h"

namespace ebm::cpu {

namespace {

/// to[i] = f(from[i]), shared by the threads.
template <class From, class To, class F>
void each(Threads& threads, const From* from, To* to, int64_t count, F f) {
  const Parts parts = cut(count, count);
  threads.run(parts.count, [&](int64_t part) {
    const Slice range = parts[part];
#pragma omp simd
    for (int64_t i = range.first; i < range.last; ++i) to[i] = f(from[i]);
  });
}

}  // namespace

float* Expanded::memory(Place place, int64_t count) {
  std::vector<float>& memory = memory_[place];
  if (std::ssize(memory) < count) {
    threads_.wait();
    memory.resize(static_cast<size_t>(count));
  }
  return memory.data();
}

const float* Expanded::operand(ConstArray x, int64_t count, Place place) {
  if (x.type == Type::float32) return floats(x);
  float* const to = memory(place, count);
  each(threads_, static_cast<const bfloat16*>(x.address), to, count, [](bfloat16 v) { return expanded(v); });
  return to;
}

float* Expanded::output(Array y, int64_t count) {
  return y.type == Type::float32 ? floats(y) : memory(result, count);
}

void Expanded::finish(Array y, int64_t count) {
  if (y.type == Type::float32) return;
  each(threads_, memory(result, count), static_cast<bfloat16*>(y.address), count,
       [](float v) { return rounded<bfloat16>(v); });
}

}  // namespace ebm::cpu
