// SPDX-License-Identifier: MIT
#include "train/state.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>

namespace ebm {

namespace {

/// The parts of one flat buffer of a network, under `prefix`.
std::vector<NamedArray> parts(const Network& network, const std::string& prefix, View flat_buffer) {
  std::vector<NamedArray> arrays;
  for (const Parameter& p : network.parameters().trainable())
    arrays.push_back({prefix + p.name, p.shape, Parameters::part(flat_buffer, p), p.order});
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

std::string step_name(const Learner& learner) {
  return "adam/" + learner.name() + "/step";
}

std::vector<NamedArray> all_arrays(const Method& method) {
  std::vector<NamedArray> arrays;
  for (const Learner* learner : method.learners()) append(arrays, state_arrays(*learner));
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

std::vector<NamedArray> network_arrays(const Network& network, const std::string& prefix) {
  std::vector<NamedArray> arrays = parts(network, prefix, network.parameters().values());
  append(arrays, statistics(network, prefix));
  return arrays;
}

std::vector<NamedArray> gradient_arrays(const Learner& learner) {
  return parts(learner.network(), learner.name() + "/", learner.network().parameters().gradients());
}

std::vector<NamedArray> state_arrays(const Learner& learner) {
  const Network& network = learner.network();
  const std::string adam = "adam/" + learner.name() + "/";
  std::vector<NamedArray> arrays = network_arrays(network, learner.name() + "/");
  append(arrays, parts(network, adam + "exp_avg/", learner.first_moments()));
  append(arrays, parts(network, adam + "exp_avg_sq/", learner.second_moments()));
  if (learner.average() != nullptr)
    append(arrays, network_arrays(*learner.average(), "ema/" + learner.name() + "/"));
  return arrays;
}

void write_arrays(Hdf5File& file, Kernels& kernels, const std::string& prefix,
                  const std::vector<NamedArray>& arrays) {
  for (const NamedArray& array : arrays) write_array(file, prefix, array, download(kernels, array.view));
}

void write_state(Hdf5File& file, Method& method, const std::string& prefix, NotFinite not_finite) {
  const bool refuse = not_finite == NotFinite::refused;
  for (const NamedArray& array : all_arrays(method)) {
    const std::vector<float> values = download(method.kernels(), array.view);
    if (refuse) require_finite(values, array.name);
    write_array(file, prefix, array, values);
  }
  for (Learner* learner : method.learners()) {
    const std::vector<int64_t> steps = learner->steps().download();
    file.write_dataset(prefix + step_name(*learner), std::span<const int64_t>(steps), {});
  }
  for (const ExtraState& extra : method.extra_state()) {
    const std::vector<double> state = extra.values->download();
    if (refuse) require_finite(state, extra.name);
    file.write_dataset(prefix + extra.name, std::span<const double>(state),
                       {static_cast<int64_t>(state.size())});
  }
}

void read_state(const Hdf5File& file, Method& method, const std::string& prefix) {
  const std::vector<NamedArray> arrays = all_arrays(method);
  const std::vector<std::vector<float>> values = read_arrays(file, prefix, arrays);
  std::vector<std::vector<int64_t>> steps;
  for (const Learner* learner : method.learners())
    steps.push_back(read_shaped<int64_t>(file, prefix + step_name(*learner), {}));
  const std::vector<ExtraState> extra = method.extra_state();
  std::vector<std::vector<double>> extra_values;
  for (const ExtraState& state : extra)
    extra_values.push_back(read_shaped<double>(file, prefix + state.name, {state.values->size()}));

  upload(method.kernels(), arrays, values);
  for (size_t i = 0; i < steps.size(); ++i) method.learners()[i]->steps().upload(steps[i]);
  for (size_t i = 0; i < extra.size(); ++i) {
    extra[i].values->upload(extra_values[i]);
    extra[i].restored();
  }
}

void read_network(const Hdf5File& file, Kernels& kernels, Network& network, const std::string& prefix) {
  const std::vector<NamedArray> arrays = network_arrays(network, prefix);
  upload(kernels, arrays, read_arrays(file, "", arrays));
}

}  // namespace ebm
