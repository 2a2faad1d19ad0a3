// SPDX-License-Identifier: MIT
// Formats are the whole art with oneDNN (docs/performance.md). Images stay NHWC. For the weight one must ask
// for format `any` and take what comes, a blocked one: with a plain format oneDNN falls to a reference loop,
// three orders of magnitude slower. Its Winograd kernels, twice as fast where they exist (3 x 3, stride 1,
// many channels, AVX-512), know only images in blocks of 16 channels, and are worth that conversion.
#include "kernels/cpu/convolution_piece.h"

#include <algorithm>
#include <numeric>

#include "kernels/cpu/parts.h"

namespace ebm::cpu {

namespace {

using dnnl::memory;
using Descriptor = memory::desc;

constexpr auto f32 = memory::data_type::f32;

Descriptor images(int64_t rows, const Features& features, memory::format_tag format) {
  return {{rows, features.channels, features.height, features.width}, f32, format};
}

memory::dims weight_dims(const ConvolutionShape& shape) {
  return {shape.output_channels, shape.input.channels, shape.kernel.height, shape.kernel.width};
}

memory::dims dims(const Extent& extent) {
  return {extent.height, extent.width};
}

/// A primitive with the formats that it wants.
struct Chosen {
  dnnl::primitive primitive;
  Descriptor x, weight, y, scratchpad;
};

dnnl::primitive_attr with_scratchpad_of_ours() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);  // oneDNN's own belongs to one thread
  return attributes;
}

// oneDNN 2 makes a pass of a descriptor, oneDNN 3 of the descriptor's parts.
template <class Primitive, class... Parts>
typename Primitive::primitive_desc forward_of(const dnnl::engine& engine,
                                              const dnnl::primitive_attr& attributes, const Parts&... parts) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, parts..., attributes};
#else
  return {typename Primitive::desc(parts...), attributes, engine};
#endif
}
template <class Primitive, class... Parts>
typename Primitive::primitive_desc backward_of(const dnnl::convolution_forward::primitive_desc& forward,
                                               const dnnl::engine& engine,
                                               const dnnl::primitive_attr& attributes,
                                               const Parts&... parts) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine, parts..., forward, attributes};
#else
  return {typename Primitive::desc(parts...), attributes, engine, forward};
#endif
}

/// The pass for images of the given format. Throws dnnl::error if oneDNN has no such implementation.
Chosen choose(Pass pass, const ConvolutionShape& shape, dnnl::algorithm algorithm, memory::format_tag format,
              const dnnl::engine& engine) {
  const Descriptor x = images(shape.rows, shape.input, format),
                   y = images(shape.rows, shape.output(), format),
                   weight(weight_dims(shape), f32, memory::format_tag::any);
  const memory::dims strides = dims(shape.stride), padding = dims(shape.padding);
  const dnnl::primitive_attr attributes = with_scratchpad_of_ours();
  const auto forward =
      forward_of<dnnl::convolution_forward>(engine, attributes, dnnl::prop_kind::forward_training, algorithm,
                                            x, weight, y, strides, padding, padding);
  if (pass == Pass::forward) {
    return {dnnl::convolution_forward(forward), forward.src_desc(), forward.weights_desc(),
            forward.dst_desc(), forward.scratchpad_desc()};
  }
  if (pass == Pass::backward_data) {
    const auto backward = backward_of<dnnl::convolution_backward_data>(
        forward, engine, attributes, algorithm, x, weight, y, strides, padding, padding);
    return {dnnl::convolution_backward_data(backward), backward.diff_src_desc(), backward.weights_desc(),
            backward.diff_dst_desc(), backward.scratchpad_desc()};
  }
  const auto backward = backward_of<dnnl::convolution_backward_weights>(
      forward, engine, attributes, algorithm, x, weight, y, strides, padding, padding);
  return {dnnl::convolution_backward_weights(backward), backward.src_desc(), backward.diff_weights_desc(),
          backward.diff_dst_desc(), backward.scratchpad_desc()};
}

bool winograd_wins(const ConvolutionShape& shape) {
  constexpr int64_t many_channels = 64;
  return shape.kernel == square(3) && shape.stride == square(1) &&
         std::min(shape.input.channels, shape.output_channels) >= many_channels;
}

Chosen choose(Pass pass, const ConvolutionShape& shape, const dnnl::engine& engine) {
  if (winograd_wins(shape)) {
    try {
      return choose(pass, shape, dnnl::algorithm::convolution_winograd, memory::format_tag::any, engine);
    } catch (const dnnl::error&) {  // not for this CPU or these sizes
    }
  }
  return choose(pass, shape, dnnl::algorithm::convolution_direct, memory::format_tag::nhwc, engine);
}

struct ArgumentNames {
  int x, weight, y;
};
ArgumentNames argument_names(Pass pass) {
  switch (pass) {
    case Pass::forward:
      return {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST};
    case Pass::backward_data:
      return {DNNL_ARG_DIFF_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_DST};
    default:
      return {DNNL_ARG_SRC, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_DST};
  }
}

/// How many output channels of a weight lie together.
int64_t block_of_channels(const Descriptor& weight) {
#if DNNL_VERSION_MAJOR >= 3
  const int count = weight.get_inner_nblks();
  const memory::dims sizes = weight.get_inner_blks(), dimensions = weight.get_inner_idxs();
#else
  const dnnl_blocking_desc_t& blocks = weight.data.format_desc.blocking;
  const int count = blocks.inner_nblks;
  const auto &sizes = blocks.inner_blks, &dimensions = blocks.inner_idxs;
#endif
  int64_t together = 1;
  for (int i = 0; i < count; ++i) together *= dimensions[i] == 0 ? sizes[i] : 1;
  return together;
}

memory without_data(const Descriptor& descriptor, const dnnl::engine& engine) {
  return memory(descriptor, engine, DNNL_MEMORY_NONE);
}

}  // namespace

Images::Images(const Descriptor& nhwc, const Descriptor& wanted, Role role, const dnnl::engine& engine,
               Layout& workspace)
    : nhwc_(without_data(nhwc, engine)), wanted_(nhwc_), role_(role) {
  if (wanted == nhwc) return;
  wanted_ = without_data(wanted, engine);
  reorder_ = role == Role::input ? dnnl::reorder(nhwc_, wanted_) : dnnl::reorder(wanted_, nhwc_);
  place_ = workspace.place(wanted.get_size());
}

void Images::point_to(float* images, std::byte* workspace) {
  nhwc_.set_data_handle(images);
  if (reorder_) wanted_.set_data_handle(workspace + place_);
}

void Images::convert(dnnl::stream& stream) {
  if (!reorder_) return;
  if (role_ == Role::input) {
    reorder_.execute(stream, nhwc_, wanted_);
  } else {
    reorder_.execute(stream, wanted_, nhwc_);
  }
}

Piece::Piece(Pass pass, const ConvolutionShape& shape, const dnnl::engine& engine, Layout& workspace)
    : pass_(pass), stream_(engine) {
  const auto role = [&](Pass computes_it) {
    return pass == computes_it ? Images::Role::output : Images::Role::input;
  };
  const auto nhwc = [&](const Features& features) {
    return images(shape.rows, features, memory::format_tag::nhwc);
  };
  const Chosen chosen = choose(pass, shape, engine);
  primitive_ = chosen.primitive;
  x_ = Images(nhwc(shape.input), chosen.x, role(Pass::backward_data), engine, workspace);
  y_ = Images(nhwc(shape.output()), chosen.y, role(Pass::forward), engine, workspace);
  weight_ = without_data(chosen.weight, engine);
  scratchpad_ = without_data(chosen.scratchpad, engine);
  scratchpad_place_ = workspace.place(chosen.scratchpad.get_size());
  const ArgumentNames names = argument_names(pass);
  arguments_ = {{names.x, x_.wanted()},
                {names.weight, weight_},
                {names.y, y_.wanted()},
                {DNNL_ARG_SCRATCHPAD, scratchpad_}};
}

void Piece::run(float* x, void* weight, float* y, std::byte* workspace) {
  x_.point_to(x, workspace);
  y_.point_to(y, workspace);
  weight_.set_data_handle(weight);
  scratchpad_.set_data_handle(workspace + scratchpad_place_);
  if (pass_ != Pass::backward_data) x_.convert(stream_);
  if (pass_ != Pass::forward) y_.convert(stream_);
  primitive_.execute(stream_, arguments_);
  if (pass_ == Pass::backward_data) x_.convert(stream_);
  if (pass_ == Pass::forward) y_.convert(stream_);
}

WeightConversion::WeightConversion(Kind kind, const ConvolutionShape& shape, const Descriptor& blocked,
                                   const dnnl::engine& engine)
    : kind_(kind) {
  // Slices must not cut a block of channels; few formats have blocks of which 64 is no multiple (48 for 384 channels).
  const int64_t block = std::lcm<int64_t>(64, block_of_channels(blocked));
  const int64_t channels = shape.output_channels;
  const int64_t channels_each = block * ((channels / block + max_parts - 1) / max_parts);
  const int64_t count = channels_each > 0 && channels % channels_each == 0 ? channels / channels_each : 1;
  dnnl::primitive_attr attributes;
  if (kind == Kind::added_from_blocked) {
    dnnl::post_ops add;
    add.append_sum(1.0f);
    attributes.set_post_ops(add);
  }
  memory::dims dims = weight_dims(shape);
  const Descriptor ohwi(dims, f32, memory::format_tag::ohwi);
  dims[0] = channels / count;
  for (int64_t i = 0; i < count; ++i) {
    const memory::dims offsets{i * dims[0], 0, 0, 0};
    const memory plain = without_data(ohwi.submemory_desc(dims, offsets), engine),
                 own = without_data(blocked.submemory_desc(dims, offsets), engine);
    slices_.push_back({dnnl::stream(engine), plain, own,
                       kind == Kind::to_blocked ? dnnl::reorder(plain, own, attributes)
                                                : dnnl::reorder(own, plain, attributes)});
  }
}

void WeightConversion::run(int64_t slice, float* ohwi, void* blocked) {
  Slice& s = slices_[static_cast<size_t>(slice)];
  s.ohwi.set_data_handle(ohwi);
  s.blocked.set_data_handle(blocked);
  if (kind_ == Kind::to_blocked) {
    s.reorder.execute(s.stream, s.ohwi, s.blocked);
  } else {
    s.reorder.execute(s.stream, s.blocked, s.ohwi);
  }
}

}  // namespace ebm::cpu
