// SPDX-License-Identifier: MIT
#include "data/stacked_mnist.h"

#include <fmt/format.h>

#include <bit>
#include <random>

namespace ebm {
namespace {

/// numpy.random.seed(seed) and numpy.random.randint(0, count): the Mersenne Twister's low bits, drawn again
/// while they are not below `count`.
class NumpyIntegers {
 public:
  NumpyIntegers(uint32_t seed, uint32_t count)
      : engine_(seed), mask_(std::bit_ceil(count) - 1), count_(count) {}

  uint32_t next() {
    for (;;) {
      const auto value = static_cast<uint32_t>(engine_()) & mask_;
      if (value < count_) return value;
    }
  }

 private:
  std::mt19937 engine_;
  uint32_t mask_, count_;
};

}  // namespace

void stack_mnist(const Dataset& mnist, const StackedMnistOptions& options, ImageSink& sink) {
  const int64_t pixels = mnist.info.shape.size(), digits = std::ssize(mnist.labels);
  if (mnist.info.shape.channels != 1 || digits < 2 || options.count < 1) {
    throw Error(fmt::format("cannot stack {} images of {} to {}; give grey digits", digits,
                            to_string(mnist.info.shape), options.count));
  }
  Features shape = mnist.info.shape;
  shape.channels = 3;
  sink.begin(
      {.name = "stacked_mnist",
       .split = mnist.info.split,
       .source = fmt::format("{} triplets of {}, seed {}", options.count, mnist.info.source, options.seed),
       .shape = shape,
       .count = options.count});
  NumpyIntegers integers(options.seed, static_cast<uint32_t>(digits));
  std::vector<uint8_t> image(static_cast<size_t>(shape.size()));
  for (int64_t i = 0; i < options.count; ++i) {
    int64_t label = 0;
    for (int64_t c = 0; c < 3; ++c) {
      const int64_t digit = integers.next();
      label = 10 * label + mnist.labels[static_cast<size_t>(digit)];
      const auto from = mnist.image(digit);
      for (int64_t p = 0; p < pixels; ++p) {
        image[static_cast<size_t>(3 * p + c)] = from[static_cast<size_t>(p)];
      }
    }
    sink.add(image, label);
  }
}

}  // namespace ebm
