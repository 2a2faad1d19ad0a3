// SPDX-License-Identifier: MIT
#include "train/state.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>

namespace ebm {

namespace {

const char* const step_names[] = {"adam/energy/step", "adam/generator/step"};
const char* const bound_state_name = "bound/state";

/// The parts of one flat buffer of a network, under `prefix`.
std::vector<NamedArray> parts(const Network& network, const std::string& prefix,
                              View (Parameters::*buffer)() const) {
  std::vector<NamedArray> arrays;
  for (const Parameter& p : network.parameters().trainable()) {
    arrays.push_back(
        {prefix + p.name, p.shape, Parameters::part((network.parameters().*buffer)(), p), p.order});
  }
  return arrays;
}

std::vector<NamedArray> statistics(const Network& network, const std::string& prefix) {
  std::vector<NamedArray> arrays;
  for (const Parameter& p : network.parameters().statistics()) {
    arrays.push_back({prefix + p.name, p.shape, {p.value, 1, flat(p.size)}});
  }
  return arrays;
}

template <class T>
void append(std::vector<T>& to, std::vector<T> from) {
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
}

/// The parts of one flat buffer of both networks, under group + "energy/" or "generator/" + subgroup.
std::vector<NamedArray> both(Game& game, const std::string& group, const std::string& subgroup,
                             View (Parameters::*buffer)() const) {
  std::vector<NamedArray> arrays = parts(game.energy(), group + "energy/" + subgroup, buffer);
  append(arrays, parts(game.generator(), group + "generator/" + subgroup, buffer));
  return arrays;
}

std::vector<NamedArray> all_arrays(Game& game) {
  std::vector<NamedArray> arrays = parameter_arrays(game);
  append(arrays, statistic_arrays(game));
  append(arrays, moment_arrays(game));
  return arrays;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  std::string text = "(";
  for (size_t i = 0; i < shape.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  return text + ")";
}

template <class T>
bool all_finite(const std::vector<T>& values) {
  return std::all_of(values.begin(), values.end(), [](T x) { return std::isfinite(static_cast<double>(x)); });
}

/// The values of `name`, which must be finite and have the given shape.
template <class T>
std::vector<T> read_shaped(const Hdf5File& file, const std::string& name, const std::vector<int64_t>& shape) {
  Hdf5Array<T> array = file.read_dataset<T>(name);
  if (array.dims != shape) {
    throw Error(file.path().string() + ": '" + name + "' has the shape " + shape_text(array.dims) +
                ", this network needs " + shape_text(shape) + "; was it written with other network sizes?");
  }
  if (!all_finite(array.values)) {
    throw Error(file.path().string() + ": '" + name +
                "' holds a number that is not finite; go on from an older checkpoint, or train anew with "
                "another --out");
  }
  return std::move(array.values);
}

/// The values of these arrays in a file, in the order of the memory.
std::vector<std::vector<float>> read_arrays(const Hdf5File& file, const std::string& prefix,
                                            const std::vector<NamedArray>& arrays) {
  std::vector<std::vector<float>> values;
  for (const NamedArray& array : arrays) {
    values.push_back(
        to_memory_order(read_shaped<float>(file, prefix + array.name, array.shape), array.order));
  }
  return values;
}

template <class T>
void require_finite(const std::vector<T>& values, const std::string& name) {
  if (!all_finite(values)) throw StateNotFinite(name);
}

/// `values`: in the order of the memory.
void write_array(Hdf5File& file, const std::string& prefix, const NamedArray& array,
                 const std::vector<float>& values) {
  const std::vector<float> ordered = to_pytorch_order(values, array.order);
  file.write_dataset(prefix + array.name, std::span<const float>(ordered), array.shape);
}

void upload(Kernels& kernels, const std::vector<NamedArray>& arrays,
            const std::vector<std::vector<float>>& values) {
  for (size_t i = 0; i < arrays.size(); ++i) {
    kernels.upload(arrays[i].view.data, values[i].data(),
                   static_cast<int64_t>(values[i].size() * sizeof(float)));
  }
}

}  // namespace

std::vector<NamedArray> parameter_arrays(Game& game) {
  return both(game, "", "", &Parameters::values);
}
std::vector<NamedArray> gradient_arrays(Game& game) {
  return both(game, "", "", &Parameters::gradients);
}

std::vector<NamedArray> moment_arrays(Game& game) {
  std::vector<NamedArray> arrays = both(game, "adam/", "exp_avg/", &Parameters::first_moments);
  append(arrays, both(game, "adam/", "exp_avg_sq/", &Parameters::second_moments));
  return arrays;
}

std::vector<NamedArray> statistic_arrays(Game& game) {
  std::vector<NamedArray> arrays = statistics(game.energy(), "energy/");
  append(arrays, statistics(game.generator(), "generator/"));
  return arrays;
}

void write_arrays(Hdf5File& file, Kernels& kernels, const std::string& prefix,
                  const std::vector<NamedArray>& arrays) {
  for (const NamedArray& array : arrays) write_array(file, prefix, array, download(kernels, array.view));
}

void write_state(Hdf5File& file, Game& game, const std::string& prefix, NotFinite not_finite) {
  const bool refuse = not_finite == NotFinite::refused;
  for (const NamedArray& array : all_arrays(game)) {
    const std::vector<float> values = download(game.kernels(), array.view);
    if (refuse) require_finite(values, array.name);
    write_array(file, prefix, array, values);
  }
  const std::vector<int64_t> steps = game.steps().download();
  for (size_t i = 0; i < steps.size(); ++i) {
    file.write_dataset(prefix + step_names[i], std::span<const int64_t>(&steps[i], 1), {});
  }
  if (LowerBound* lower = game.lower(); lower != nullptr && lower->state() != nullptr) {
    const std::vector<double> state = lower->state()->download();
    if (refuse) require_finite(state, bound_state_name);
    file.write_dataset(prefix + bound_state_name, std::span<const double>(state),
                       {static_cast<int64_t>(state.size())});
  }
}

void read_state(const Hdf5File& file, Game& game, const std::string& prefix) {
  const std::vector<NamedArray> arrays = all_arrays(game);
  const std::vector<std::vector<float>> values = read_arrays(file, prefix, arrays);
  std::vector<int64_t> steps;
  for (const char* name : step_names) steps.push_back(read_shaped<int64_t>(file, prefix + name, {}).at(0));
  Buffer<double>* bound_state = game.lower() != nullptr ? game.lower()->state() : nullptr;
  std::vector<double> state;
  if (bound_state != nullptr) {
    state = read_shaped<double>(file, prefix + bound_state_name, {bound_state->size()});
  }

  upload(game.kernels(), arrays, values);
  game.steps().upload(steps);
  if (bound_state != nullptr) {
    bound_state->upload(state);
    game.lower()->state_restored();
  }
}

void read_network(const Hdf5File& file, Kernels& kernels, Network& network, const std::string& name) {
  std::vector<NamedArray> arrays = parts(network, name + "/", &Parameters::values);
  append(arrays, statistics(network, name + "/"));
  upload(kernels, arrays, read_arrays(file, "", arrays));
}

}  // namespace ebm
