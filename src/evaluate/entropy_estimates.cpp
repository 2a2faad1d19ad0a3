// SPDX-License-Identifier: MIT
#include "evaluate/entropy_estimates.h"

#include <limits>

#include "train/draws.h"

namespace ebm {

namespace {

/// Noise streams, from Stream::evaluation on; the first nine are others'.
enum Purpose : uint32_t { points_z = 10, lobpcg_v0, lobpcg_p0, hutchinson_v, lanczos_g, preconditioner_e };

constexpr double slow_forgetting = 0.9999;  // a mean in which all probes count alike

double mean_of(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

std::vector<std::string> EntropyEstimates::names() {
  return {"entropy_lobpcg",     "entropy_s1",  "entropy_log_det",
          "entropy_hutchinson", "entropy_slq", "entropy_lobpcg_preconditioned",
          "entropy_trace_bound"};
}

EntropyEstimates::EntropyEstimates(Kernels& kernels, Network& generator,
                                   const EntropyEstimateOptions& options)
    : kernels_(kernels),
      options_(options),
      d_(generator.input().size()),
      range_(generator.output().size()),
      number_(kernels, 1),
      exact_(kernels, generator, options.points),
      jacobian_(kernels, generator, options.points, 1),
      preconditioner_(kernels, options.points, d_, slow_forgetting),
      lobpcg_(kernels, options.points, d_, range_,
              {.iterations = static_cast<int>(options.lobpcg_iterations), .direction = options.direction}),
      preconditioned_(
          kernels, options.points, d_, range_,
          {.iterations = static_cast<int>(options.lobpcg_iterations), .preconditioner = &preconditioner_}),
      hutchinson_(kernels, options.points, d_, range_),
      lanczos_(kernels, options.points, d_, range_, {.pairs = static_cast<int>(options.lanczos_pairs)}),
      z_(normals(points_z, generator.input())),
      v0_(normals(lobpcg_v0, flat(d_))),
      p0_(normals(lobpcg_p0, flat(d_))),
      v_(normals(hutchinson_v, flat(d_))),
      g_(normals(lanczos_g, flat(d_))),
      e_(kernels, options.points, flat(range_)) {}

Tensor EntropyEstimates::normals(uint32_t purpose, const Features& features) {
  Tensor tensor(kernels_, options_.points, features);
  draw(purpose, 0, tensor);
  return tensor;
}

void EntropyEstimates::draw(uint32_t purpose, uint64_t number, const Tensor& to) {
  number_.upload(std::span<const uint64_t>(&number, 1));
  kernels_.noise({Distribution::normal, options_.seed, static_cast<uint32_t>(Stream::evaluation) + purpose,
                  number_.data()},
                 to);
}

/// From nothing each time, so that the numbers are those of the networks as they are.
void EntropyEstimates::make_preconditioner() {
  Buffer<double>& state = preconditioner_.state();
  state.upload(std::vector<double>(state.download().size(), 0.0));
  const int64_t updates = (8 * d_ + options_.points - 1) / options_.points;
  for (int64_t i = 0; i < updates; ++i) {
    draw(preconditioner_e, static_cast<uint64_t>(i), e_);
    preconditioner_.update(jacobian_, e_);
  }
  preconditioner_.factor();
}

std::vector<double> EntropyEstimates::log_dets(const SampleNumbers& values, const SampleStatuses& status) {
  std::vector<double> found(static_cast<size_t>(values.rows));
  std::vector<int32_t> bits(found.size());
  kernels_.download(found.data(), values.data, values.rows * static_cast<int64_t>(sizeof(double)));
  kernels_.download(bits.data(), status.data, values.rows * static_cast<int64_t>(sizeof(int32_t)));
  for (size_t i = 0; i < found.size(); ++i) {
    if ((bits[i] & bad_sample) != 0) found[i] = std::numeric_limits<double>::quiet_NaN();
  }
  return found;
}

std::vector<std::vector<double>> EntropyEstimates::at_points() {
  jacobian_.linearize(z_);
  lobpcg_.run(jacobian_, v0_, options_.direction == Direction::authors ? ConstView(p0_) : ConstView());
  const std::vector<double> lobpcg = d_log_s1(kernels_, lobpcg_.result(), d_);
  hutchinson_.run(jacobian_, v_);
  const std::vector<double> hutchinson = log_dets(hutchinson_.log_det(), hutchinson_.status());
  lanczos_.run(jacobian_, g_);
  const std::vector<double> slq = log_dets(lanczos_.result().gauss, lanczos_.result().status);
  make_preconditioner();
  preconditioned_.run(jacobian_, v0_);
  const std::vector<double> preconditioned = d_log_s1(kernels_, preconditioned_.result(), d_);

  std::vector<double> s1, log_det, trace_bound;
  for (const JacobianNumbers& point : exact_.at(z_.download())) {
    s1.push_back(point.d_log_s1);
    log_det.push_back(point.log_det);
    trace_bound.push_back(point.trace_bound);
  }
  return {lobpcg, s1, log_det, hutchinson, slq, preconditioned, trace_bound};
}

std::vector<double> EntropyEstimates::means() {
  std::vector<double> values;
  for (const std::vector<double>& points : at_points()) values.push_back(mean_of(points));
  return values;
}

}  // namespace ebm
