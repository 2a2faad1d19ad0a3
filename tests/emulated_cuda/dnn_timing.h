// SPDX-License-Identifier: MIT
// The emulated GPU's clock, for those who time cuDNN's engines. It stands still but while an engine runs, and
// goes on then by what a test says that the engine takes.
#pragma once

#include <cstdint>

namespace ebm::emulated {

/// The engines of the emulated cuDNN, by their CUDNN_ATTR_ENGINE_GLOBAL_INDEX (dnn.cpp).
enum Engine : int64_t {
  unsupported_after_all,
  tensor_cores,
  without_order,
  compiled,
  plain,
  rounding_inputs,
  rounding_sums,
  split_tiles,  ///< not cuDNN's but those of tiles.cpp, in 3xTF32 and in float32
  float32_tiles
};

/// What an engine takes; 1 ms unless planted.
void plant_milliseconds(Engine engine, double milliseconds);

/// What is wrong with an engine that was proposed; nothing unless planted.
/// `does_not_add`: it overwrites where it should add to what is there.
enum class EngineFault { none, does_not_run, cannot_be_recorded, computes_wrongly, does_not_add };
void plant_fault(Engine engine, EngineFault fault);
EngineFault fault_of(Engine engine);

/// An engine ran. / How often it did.
void pass_time_of(Engine engine);
int64_t runs_of(Engine engine);

/// How often the time between two events was asked for.
int64_t timings();

}  // namespace ebm::emulated
