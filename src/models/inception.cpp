// SPDX-License-Identifier: MIT
#include "models/inception.h"

#include <string>
#include <utility>
#include <vector>

#include "layers/branches.h"
#include "layers/linear.h"
#include "layers/max_pool.h"
#include "layers/overlapping_average.h"
#include "layers/pooling.h"
#include "layers/sequential.h"

namespace ebm {

namespace {

constexpr Activation relu{.slope = 0};
constexpr Window pointwise{.kernel = {1, 1}};
constexpr Window across_7{.kernel = {1, 7}, .padding = {0, 3}}, down_7{.kernel = {7, 1}, .padding = {3, 0}};
constexpr Window across_3{.kernel = {1, 3}, .padding = {0, 1}}, down_3{.kernel = {3, 1}, .padding = {1, 0}};
constexpr Window same_3{.kernel = {3, 3}, .padding = {1, 1}}, same_5{.kernel = {5, 5}, .padding = {2, 2}};
constexpr Window valid_3{.kernel = {3, 3}}, half_3{.kernel = {3, 3}, .stride = {2, 2}};

/// Rows of layers, one after the other: the network, a block or a branch of one.
class Chain {
 public:
  Chain(const Features& input, int64_t narrower, std::string last = "")
      : features_(input), narrower_(narrower), last_name_(std::move(last)) {}

  /// An empty chain that goes on from here.
  Chain branch() const { return {features_, narrower_}; }
  const Features& features() const { return features_; }

  /// A convolution with bias and ReLU.
  Chain& convolution(const std::string& name, int64_t channels, const Window& window = pointwise) {
    return add(name, std::make_unique<Convolution>(features_, narrow(channels), window, relu));
  }
  /// The same as the end of a branch, which leaves bias and ReLU to the join.
  Chain& last_convolution(const std::string& name, int64_t channels, const Window& window = pointwise) {
    auto layer = std::make_unique<Convolution>(features_, narrow(channels), window);
    last_ = layer.get();
    return add(name, std::move(layer));
  }
  /// last_convolution of what average pooling gives. Both are linear and pooling leaves a bias as it is, so
  /// the pooling comes last, where there are fewer channels.
  Chain& last_convolution_of_average(const std::string& name, int64_t channels) {
    last_convolution(name, channels);
    return add("", std::make_unique<OverlappingAverage>(features_, same_3));
  }
  Chain& max_pool(const Window& window) { return add("", std::make_unique<MaxPool>(features_, window)); }
  Chain& average_all() { return add("", std::make_unique<AveragePool>(features_, features_.plane())); }

  /// Branches that begin here.
  template <class... More>
  Chain& join(const std::string& name, Chain& first, More&... more) {
    std::vector<Branches::Branch> branches;
    branches.push_back(first.end());
    (branches.push_back(more.end()), ...);
    return add(name, std::make_unique<Branches>(std::move(branches)));
  }
  std::unique_ptr<Layer> layer() { return std::make_unique<Sequential>(std::move(layers_)); }

 private:
  int64_t narrow(int64_t channels) const {
    if (narrower_ < 1 || channels % narrower_ != 0)
      throw Error(std::to_string(channels) + " channels cannot be divided by " + std::to_string(narrower_) +
                  "; give 1, 2, 4, 8 or 16");
    return channels / narrower_;
  }
  Chain& add(const std::string& name, std::unique_ptr<Layer> layer) {
    if (done_) return *this;
    features_ = layer->output();
    layers_.push_back({name, std::move(layer)});
    done_ = !name.empty() && name == last_name_;
    return *this;
  }
  Branches::Branch end() {
    return {.layer = layer(), .last = last_, .activation = last_ != nullptr ? relu : Activation{}};
  }

  Features features_;
  int64_t narrower_;
  std::string last_name_;
  bool done_ = false;  // the layer of that name was added
  std::vector<Sequential::Child> layers_;
  AffineLayer* last_ = nullptr;
};

/// InceptionA: 35 x 35 pixels.
void block_a(Chain& main, const std::string& name, int64_t pooled) {
  Chain one = main.branch(), five = main.branch(), three = main.branch(), pool = main.branch();
  one.last_convolution("branch1x1", 64);
  five.convolution("branch5x5_1", 48).last_convolution("branch5x5_2", 64, same_5);
  three.convolution("branch3x3dbl_1", 64).convolution("branch3x3dbl_2", 96, same_3);
  three.last_convolution("branch3x3dbl_3", 96, same_3);
  pool.last_convolution_of_average("branch_pool", pooled);
  main.join(name, one, five, three, pool);
}

/// InceptionB: to 17 x 17 pixels.
void block_b(Chain& main, const std::string& name) {
  Chain three = main.branch(), twice = main.branch(), pool = main.branch();
  three.last_convolution("branch3x3", 384, half_3);
  twice.convolution("branch3x3dbl_1", 64).convolution("branch3x3dbl_2", 96, same_3);
  twice.last_convolution("branch3x3dbl_3", 96, half_3);
  pool.max_pool(half_3);
  main.join(name, three, twice, pool);
}

/// InceptionC.
void block_c(Chain& main, const std::string& name, int64_t channels) {
  Chain one = main.branch(), seven = main.branch(), twice = main.branch(), pool = main.branch();
  one.last_convolution("branch1x1", 192);
  seven.convolution("branch7x7_1", channels).convolution("branch7x7_2", channels, across_7);
  seven.last_convolution("branch7x7_3", 192, down_7);
  twice.convolution("branch7x7dbl_1", channels).convolution("branch7x7dbl_2", channels, down_7);
  twice.convolution("branch7x7dbl_3", channels, across_7).convolution("branch7x7dbl_4", channels, down_7);
  twice.last_convolution("branch7x7dbl_5", 192, across_7);
  pool.last_convolution_of_average("branch_pool", 192);
  main.join(name, one, seven, twice, pool);
}

/// InceptionD: to 8 x 8 pixels.
void block_d(Chain& main, const std::string& name) {
  Chain three = main.branch(), seven = main.branch(), pool = main.branch();
  three.convolution("branch3x3_1", 192).last_convolution("branch3x3_2", 320, half_3);
  seven.convolution("branch7x7x3_1", 192).convolution("branch7x7x3_2", 192, across_7);
  seven.convolution("branch7x7x3_3", 192, down_7).last_convolution("branch7x7x3_4", 192, half_3);
  pool.max_pool(half_3);
  main.join(name, three, seven, pool);
}

/// Of a branch of block E: two convolutions of the same, side by side.
void fork(Chain& branch, const std::string& name) {
  Chain across = branch.branch(), down = branch.branch();
  across.last_convolution(name + "a", 384, across_3);
  down.last_convolution(name + "b", 384, down_3);
  branch.join("", across, down);
}

enum class Pooled { average, largest };

/// InceptionE: its first kind pools averages, its second the largest, as TensorFlow's graph does.
void block_e(Chain& main, const std::string& name, Pooled pooled) {
  Chain one = main.branch(), three = main.branch(), twice = main.branch(), pool = main.branch();
  one.last_convolution("branch1x1", 320);
  fork(three.convolution("branch3x3_1", 384), "branch3x3_2");
  fork(twice.convolution("branch3x3dbl_1", 448).convolution("branch3x3dbl_2", 384, same_3), "branch3x3dbl_3");
  if (pooled == Pooled::average) {
    pool.last_convolution_of_average("branch_pool", 192);
  } else {
    pool.max_pool(same_3).last_convolution("branch_pool", 192);
  }
  main.join(name, one, three, twice, pool);
}

constexpr int64_t feature_count = 2048;

}  // namespace

std::unique_ptr<Layer> inception_features(const InceptionShape& shape) {
  Chain main({.height = shape.side, .width = shape.side, .channels = 3}, shape.narrower, shape.last);
  main.convolution("Conv2d_1a_3x3", 32, half_3).convolution("Conv2d_2a_3x3", 32, valid_3);
  main.convolution("Conv2d_2b_3x3", 64, same_3).max_pool(half_3);
  main.convolution("Conv2d_3b_1x1", 80).convolution("Conv2d_4a_3x3", 192, valid_3).max_pool(half_3);
  block_a(main, "Mixed_5b", 32);
  block_a(main, "Mixed_5c", 64);
  block_a(main, "Mixed_5d", 64);
  block_b(main, "Mixed_6a");
  block_c(main, "Mixed_6b", 128);
  block_c(main, "Mixed_6c", 160);
  block_c(main, "Mixed_6d", 160);
  block_c(main, "Mixed_6e", 192);
  block_d(main, "Mixed_7a");
  block_e(main, "Mixed_7b", Pooled::average);
  block_e(main, "Mixed_7c", Pooled::largest);
  main.average_all();
  return main.layer();
}

std::unique_ptr<Layer> inception_logits(const InceptionShape& shape) {
  std::vector<Sequential::Child> layers;
  layers.push_back(
      {"fc", std::make_unique<Linear>(flat(feature_count / shape.narrower), flat(inception_classes))});
  return std::make_unique<Sequential>(std::move(layers));
}

}  // namespace ebm
