// SPDX-License-Identifier: MIT
// The parameters of a network: one flat buffer each for values and gradients, with named views. So the
// optimiser is one kernel, an all-reduce one call, and a checkpoint a list of names.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "core/channels_last.h"
#include "core/memory.h"

namespace ebm {

/// How a parameter starts.
struct Initialization {
  enum class Kind {
    constant,    ///< value
    uniform,     ///< U(-value, value)
    normal,      ///< N(mean, value^2)
    direction,   ///< uniform on the unit sphere
    orthogonal,  ///< rows or columns orthonormal, whichever are fewer; a row is what the first axis counts
  } kind = Kind::constant;
  float value = 0;
  float mean = 0;
};

/// What a parameter is to its layer.
enum class Role {
  weight,  ///< of a linear map
  bias,    ///< what is added
  scale,   ///< of a norm
  other
};

/// One named parameter (PyTorch's state_dict name and shape) inside the flat buffers.
struct Parameter {
  std::string name;
  std::vector<int64_t> shape;
  Role role = Role::other;
  Initialization initialization;  ///< its layer's: PyTorch's default
  ChannelsLast order;             ///< what its numbers' order in memory is to PyTorch's
  int64_t size = 0;
  int64_t offset = 0;                 ///< in the flat buffer of its kind, a multiple of parameter_alignment
  float* value = nullptr;             ///< device pointers, valid once allocated
  float* gradient = nullptr;          ///< null for statistics
  const bfloat16* rounded = nullptr;  ///< the value in bfloat16, once keep_rounded() was called; else null
};

inline constexpr int64_t parameter_alignment = 16;  ///< floats: 64 bytes, for vector loads

/// All parameters of one network. Layers declare theirs, then allocate() gives them their memory.
/// Padding between parameters is zero and keeps a zero gradient, so flat kernels may run over it.
class Parameters {
 public:
  /// Declares a trainable parameter / a running statistic (saved, never optimised). Throws Error on a name in
  /// use.
  Parameter* add(const std::string& name, std::vector<int64_t> shape, Role role,
                 Initialization initialization, const ChannelsLast& order = {});
  Parameter* add_statistic(const std::string& name, std::vector<int64_t> shape,
                           Initialization initialization);
  void allocate(Memory& memory);
  /// Makes room for the trainable values in bfloat16; who changes the values must round them anew.
  void keep_rounded(Memory& memory);

  const std::deque<Parameter>& trainable() const { return trainable_; }
  const std::deque<Parameter>& statistics() const { return statistics_; }

  /// The flat buffers, 1 x padded size.
  View values() const { return flat_view(values_); }
  View gradients() const { return flat_view(gradients_); }
  View statistics_values() const { return flat_view(statistics_values_); }
  /// The values in bfloat16; null before keep_rounded().
  Array rounded() const { return rounded_.data(); }

  /// The part of a flat buffer (one of these, or one of an optimiser that is laid out as the values are) that belongs to `parameter`.
  static View part(View flat_buffer, const Parameter& parameter) {
    return {flat_buffer.data + parameter.offset, 1, flat(parameter.size)};
  }

 private:
  static View flat_view(const Buffer<float>& buffer) { return {buffer.data(), 1, flat(buffer.size())}; }
  Parameter* declare(std::deque<Parameter>& list, const std::string& name, std::vector<int64_t> shape,
                     Role role, Initialization initialization, const ChannelsLast& order);

  std::deque<Parameter> trainable_, statistics_;  // deque: pointers stay valid while it grows
  Buffer<float> values_, gradients_, statistics_values_;
  Buffer<bfloat16> rounded_;
};

}  // namespace ebm
