// SPDX-License-Identifier: MIT
#include "profile.h"

#include <algorithm>

namespace ebm::bench {

namespace {

std::string in_words(const ConvolutionShape& s) {
  return to_string(s.input) + "-" + to_string(s.output()) + " k" + std::to_string(s.kernel.height) + "s" +
         std::to_string(s.stride.height);
}

}  // namespace

RangeNode& RangeNode::child(const std::string& child_name) {
  const auto found = std::find_if(children.begin(), children.end(),
                                  [&](const auto& node) { return node->name == child_name; });
  if (found != children.end()) return **found;
  children.push_back(std::make_unique<RangeNode>());
  children.back()->name = child_name;
  children.back()->parent = this;
  return *children.back();
}

ProfiledBase::Clock::time_point ProfiledBase::now() {
  device_.synchronize();
  return Clock::now();
}

void ProfiledBase::push_range(const char* name) {
  device_.push_range(name);
  open_ = &open_->child(name);
  starts_.push_back(now());
}

void ProfiledBase::pop_range() noexcept {
  const double seconds = std::chrono::duration<double>(now() - starts_.back()).count();
  ++open_->calls;
  open_->seconds += seconds;
  open_->fastest = std::min(open_->fastest, seconds);
  open_ = open_->parent;
  starts_.pop_back();
  device_.pop_range();
}

void ProfiledBase::note_product(double flops, const std::string& product, Clock::time_point start) {
  const double seconds = std::chrono::duration<double>(now() - start).count();
  for (RangeNode* node = open_; node != nullptr; node = node->parent) {
    node->flops += flops;
    node->product_seconds += seconds;
    if (node->product.empty()) node->product = product;
  }
}

void ProfiledBase::gemm(const Gemm& product) {
  const auto start = now();
  device_.gemm(product);
  const auto [m, n, inner] = std::array{product.m, product.n, product.inner};
  note_product(product.flop(), std::to_string(m) + "x" + std::to_string(inner) + "x" + std::to_string(n),
               start);
}

template <class Pass>
void ProfiledBase::convolve_timed(const Pass& pass) {
  const auto start = now();
  device_.convolve(pass);
  note_product(pass.shape.flop(), in_words(pass.shape), start);
}

void ProfiledBase::convolve(const ConvolutionForward& pass) {
  convolve_timed(pass);
}
void ProfiledBase::convolve(const ConvolutionBackwardData& pass) {
  convolve_timed(pass);
}
void ProfiledBase::convolve(const ConvolutionBackwardWeight& pass) {
  convolve_timed(pass);
}

}  // namespace ebm::bench
