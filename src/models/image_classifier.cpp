// SPDX-License-Identifier: MIT
#include "models/image_classifier.h"

#include "core/error.h"
#include "models/stack.h"

namespace ebm {

namespace {

constexpr Features small_photograph{.height = 32, .width = 32, .channels = 3};
constexpr Window pool2{.kernel = {2, 2}, .stride = {2, 2}};
constexpr float half = 0.5f;

Stack digit_body(uint64_t seed) {
  constexpr Window conv5{.kernel = {5, 5}};
  Stack body(digit_image);
  body.convolution(conv5, 10).max_pool(pool2).leaky(0);
  body.convolution(conv5, 20).dropout(half, Dropped::channels, seed).max_pool(pool2).leaky(0);
  body.linear(50).leaky(0).dropout(half, Dropped::numbers, seed + 1);
  return body;
}

Stack photograph_body(uint64_t seed) {
  constexpr Window conv3{.kernel = {3, 3}, .padding = {1, 1}};
  constexpr float epsilon = 1e-5f;
  Stack body(small_photograph);
  for (const int64_t channels : {32, 64, 128})
    body.convolution(conv3, channels).batch_norm(epsilon, relu).max_pool(pool2);
  body.linear(128).leaky(0).dropout(half, Dropped::numbers, seed);
  return body;
}

Stack body_of(const Features& images, uint64_t seed) {
  require_classifier(images);
  return images == digit_image ? digit_body(seed) : photograph_body(seed);
}

}  // namespace

void require_classifier(const Features& images) {
  if (!(images == digit_image) && !(images == small_photograph))
    throw Error("there are no classifiers of images of " + to_string(images) + ", but of " +
                to_string(digit_image) + " and of " + to_string(small_photograph));
}

std::unique_ptr<Layer> classifier_layers(const Features& images, uint64_t seed) {
  return body_of(images, seed).linear(image_classes).build();
}

std::unique_ptr<Layer> classifier_body_layers(const Features& images) {
  return body_of(images, 1).build();
}

std::unique_ptr<Layer> classifier_head_layers(const Features& images) {
  const Stack body = body_of(images, 1);
  Stack head(body.features());
  for (int64_t module = 0; module < body.modules(); ++module) head.reshape();
  return head.linear(image_classes).build();
}

}  // namespace ebm
