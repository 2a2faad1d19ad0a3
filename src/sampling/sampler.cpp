// SPDX-License-Identifier: MIT
#include "sampling/sampler.h"

#include <algorithm>

namespace ebm {

NetworkInUse::NetworkInUse(Kernels& kernels, Network& network, int64_t chunk)
    : network_(network),
      trace_(network.make_trace(
          {.batch = chunk, .statistics = Statistics::running, .precision = Precision::full})),
      x_(kernels, chunk, network.input()),
      y_(kernels, chunk, network.output()) {}

std::vector<float> NetworkInUse::operator()(const std::vector<float>& rows) {
  const auto in = static_cast<size_t>(x_.columns()), out = static_cast<size_t>(y_.columns());
  const size_t count = rows.size() / in, chunk = static_cast<size_t>(x_.rows());
  std::vector<float> all, part(chunk * in);
  all.reserve(count * out);
  for (size_t first = 0; first < count; first += chunk) {
    const size_t n = std::min(chunk, count - first);
    std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(first * in), n * in, part.begin());
    x_.upload(part);
    network_.forward(*trace_, x_, y_);
    const std::vector<float> made = y_.download();
    all.insert(all.end(), made.begin(), made.begin() + static_cast<std::ptrdiff_t>(n * out));
  }
  return all;
}

}  // namespace ebm
