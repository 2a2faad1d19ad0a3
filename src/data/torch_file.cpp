// SPDX-License-Identifier: MIT
#include "data/torch_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <utility>

#include "data/input_file.h"
#include "data/pickle.h"
#include "data/stored_zip.h"
#include "io/sha256.h"

namespace ebm {

namespace {

constexpr std::string_view rebuild_tensor = "torch._utils _rebuild_tensor_v2";
constexpr std::string_view rebuild_parameter = "torch._utils _rebuild_parameter";
constexpr std::string_view float_storage = "torch FloatStorage", half_storage = "torch HalfStorage",
                           long_storage = "torch LongStorage";
constexpr std::array known{std::string_view("collections OrderedDict"),
                           rebuild_tensor,
                           rebuild_parameter,
                           float_storage,
                           half_storage,
                           long_storage};

/// Of the older format: the pickles of its magic number 0x1950a86a20f9469cfc6c and of its version, 1001.
constexpr std::array<uint8_t, 21> old_format{0x80, 2,    0x8A, 10,  0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A,
                                             0xA8, 0x50, 0x19, '.', 0x80, 2,    'M',  0xE9, 3,    '.'};
constexpr size_t old_magic = 15;  // of these bytes

bool begins_with(std::span<const uint8_t> bytes, std::span<const uint8_t> start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

[[noreturn]] void no_tensor(const std::string& name) {
  throw FormatError(fmt::format("'{}' in it is no array as torch.save writes one", name));
}

/// IEEE 754's binary16.
float from_half(uint16_t half) {
  constexpr int bias = 15, mantissa_bits = 10;
  const int exponent = half >> mantissa_bits & 0x1F, mantissa = half & 0x3FF;
  const float sign = half & 0x8000 ? -1.0f : 1.0f;
  if (exponent == 0x1F) return mantissa != 0 ? NAN : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(static_cast<float>(mantissa), 1 - bias - mantissa_bits);
  return sign * std::ldexp(static_cast<float>(mantissa | 0x400), exponent - bias - mantissa_bits);
}

template <class T>
T stored(const uint8_t* from) {
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T>
const T& as(PickleRef value, const std::string& name) {
  const T* const found = value->get_if<T>();
  if (found == nullptr) no_tensor(name);
  return *found;
}

std::vector<int64_t> integers(PickleRef tuple, const std::string& name) {
  std::vector<int64_t> all;
  for (const PickleRef item : as<PickleSequence>(tuple, name).items) all.push_back(as<int64_t>(item, name));
  return all;
}

int64_t product(const std::vector<int64_t>& shape, const std::string& name) {
  constexpr int64_t most = int64_t{1} << 30;
  int64_t count = 1;
  for (const int64_t extent : shape) {
    if (extent < 0 || (extent > 0 && count > most / extent))
      throw FormatError(fmt::format("'{}' in it has impossible sizes", name));
    count *= extent;
  }
  return count;
}

std::vector<uint8_t> read_whole(const std::filesystem::path& path) {
  const InputFile file(path);
  std::vector<uint8_t> bytes(static_cast<size_t>(file.size()));
  file.read(0, bytes);
  return bytes;
}

}  // namespace

/// Fills a TorchFile from its bytes.
class TorchFile::Reader {
 public:
  explicit Reader(TorchFile& file) : file_(file) {}

  void read() {
    const std::span<const uint8_t> bytes = file_.bytes_;
    if (StoredZip::begins(bytes)) {
      read_zip();
    } else if (begins_with(bytes, std::span(old_format).first(std::min(old_magic, bytes.size())))) {
      read_old();
    } else {
      throw FormatError("it is no file that torch.save wrote");
    }
    for (const auto& [name, tensor] : file_.tensors_) check(name, tensor);
  }

 private:
  void read_zip() {
    const StoredZip zip(file_.bytes_);
    constexpr std::string_view pickle_name = "data.pkl";
    const std::string name = zip.name_ending("/" + std::string(pickle_name));
    if (name.empty()) throw FormatError("its zip archive has no data.pkl, as torch.save writes one");
    const std::string folder = name.substr(0, name.size() - pickle_name.size());
    if (const std::string order = folder + "byteorder"; zip.has(order)) {
      const auto text = zip.read(order);
      check_little(std::string_view(reinterpret_cast<const char*>(text.data()), text.size()) == "little");
    }
    read_tensors(Pickle(zip.read(name), known));
    for (auto& [key, storage] : file_.storages_) storage.bytes = zip.read(folder + "data/" + key);
  }

  /// Pickles of the magic number, the version, the machine, the tensors and the storages' names in the order
  /// of what follows: of each storage its count and its numbers.
  void read_old() {
    std::span<const uint8_t> rest = file_.bytes_;
    if (!begins_with(rest, old_format)) throw FormatError("it is cut, or of another version than 1001");
    rest = rest.subspan(old_format.size());
    const auto pickle = [&rest] {
      Pickle next(rest, known);
      rest = rest.subspan(next.size());
      return next;
    };
    check_machine(pickle());
    read_tensors(pickle());
    const Pickle names = pickle();
    for (const PickleRef item : as<PickleSequence>(&names.root(), "the list of storages").items)
      rest = read_storage(as<std::string>(item, "the list of storages"), rest);
  }

  std::span<const uint8_t> read_storage(const std::string& key, std::span<const uint8_t> rest) {
    const auto found = file_.storages_.find(key);
    if (found == file_.storages_.end()) throw FormatError("it lists a storage that no array has");
    Storage& storage = found->second;
    if (rest.size() < sizeof(int64_t) || stored<int64_t>(rest.data()) != storage.count) cut();
    rest = rest.subspan(sizeof(int64_t));
    const auto bytes = static_cast<size_t>(storage.count) * size_of(storage.number);
    if (rest.size() < bytes) cut();
    storage.bytes = rest.first(bytes);
    return rest.subspan(bytes);
  }

  static void check_machine(const Pickle& pickle) {
    for (const auto& [key, value] : as<PickleDict>(&pickle.root(), "its head").items) {
      const auto* const name = key->get_if<std::string>();
      if (name != nullptr && *name == "little_endian") check_little(as<bool>(value, "its head"));
    }
  }
  static void check_little(bool little) {
    if (!little) throw FormatError("it was written on a big-endian machine");
  }

  void read_tensors(const Pickle& pickle) {
    const auto* const dict = pickle.root().get_if<PickleDict>();
    if (dict == nullptr) throw FormatError("it holds no dictionary of arrays, as a state_dict is one");
    for (const auto& [key, value] : dict->items) {
      const auto* const name = key->get_if<std::string>();
      if (name == nullptr) throw FormatError("it holds an array whose name is no text");
      file_.tensors_.insert_or_assign(*name, tensor(*name, value));
    }
  }

  /// Of _rebuild_tensor_v2(storage, first, sizes, strides, ...), and of _rebuild_parameter(that, ...).
  Tensor tensor(const std::string& name, PickleRef value) {
    const auto& call = as<PickleCall>(value, name);
    const auto& arguments = as<PickleSequence>(call.arguments, name).items;
    if (call.function == rebuild_parameter && !arguments.empty() &&
        as<PickleCall>(arguments[0], name).function == rebuild_tensor)
      return tensor(name, arguments[0]);
    if (call.function != rebuild_tensor || arguments.size() < 4) no_tensor(name);
    return {.storage = storage(name, as<PicklePersistent>(arguments[0], name).id),
            .first = as<int64_t>(arguments[1], name),
            .shape = integers(arguments[2], name),
            .strides = integers(arguments[3], name)};
  }

  /// Of ("storage", type, key, device, count), and the older format's part of another storage behind it:
  /// None.
  std::string storage(const std::string& name, PickleRef id) {
    const auto& parts = as<PickleSequence>(id, name).items;
    if (parts.size() < 5 || (parts.size() > 5 && parts[5]->get_if<PickleNone>() == nullptr)) no_tensor(name);
    const std::string& type = as<PickleGlobal>(parts[1], name).name;
    const std::string& key = as<std::string>(parts[2], name);
    const int64_t count = as<int64_t>(parts[4], name);
    product({count}, name);
    const Number number = type == float_storage  ? Number::float32
                          : type == half_storage ? Number::float16
                          : type == long_storage ? Number::int64
                                                 : throw FormatError("'" + name + "' in it is of " + type);
    file_.storages_.insert_or_assign(key, Storage{.number = number, .count = count, .bytes = {}});
    return key;
  }

  /// That all its numbers are there.
  void check(const std::string& name, const Tensor& tensor) const {
    const Storage& storage = file_.storages_.at(tensor.storage);
    if (storage.bytes.size() < static_cast<size_t>(storage.count) * size_of(storage.number)) cut();
    if (tensor.shape.size() != tensor.strides.size() || tensor.first < 0) no_tensor(name);
    if (product(tensor.shape, name) == 0) return;
    int64_t last = tensor.first;
    for (size_t i = 0; i < tensor.shape.size(); ++i) {
      const int64_t steps = tensor.shape[i] - 1, stride = tensor.strides[i];
      if (stride < 0 || (steps > 0 && stride > storage.count / steps) || last > storage.count)
        no_tensor(name);
      last += steps * stride;
    }
    if (last >= storage.count) no_tensor(name);
  }

  static size_t size_of(Number number) {
    return number == Number::int64     ? sizeof(int64_t)
           : number == Number::float32 ? sizeof(float)
                                       : sizeof(uint16_t);
  }
  [[noreturn]] static void cut() { throw FormatError("it is cut: not all of its numbers are there"); }

  TorchFile& file_;
};

TorchFile::TorchFile(const std::filesystem::path& path) : TorchFile(path, read_whole(path)) {}

TorchFile::TorchFile(std::filesystem::path path, std::vector<uint8_t> bytes)
    : path_(std::move(path)), bytes_(std::move(bytes)) {
  try {
    Reader(*this).read();
  } catch (const FormatError& error) {
    throw unusable(path_, error.what());
  }
}

std::string TorchFile::sha256() const {
  return ebm::sha256(bytes_);
}

std::vector<std::string> TorchFile::names() const {
  std::vector<std::string> all;
  for (const auto& [name, tensor] : tensors_) all.push_back(name);
  return all;
}

const TorchFile::Tensor& TorchFile::tensor(const std::string& name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw unusable(path_, fmt::format("it has no '{}'", name));
  return found->second;
}

/// Whether the numbers lie one after another in the order of their indices.
bool TorchFile::is_contiguous(const Tensor& tensor) {
  int64_t step = 1;
  for (size_t axis = tensor.shape.size(); axis-- > 0;) {
    if (tensor.shape[axis] != 1 && tensor.strides[axis] != step) return false;
    step *= tensor.shape[axis];
  }
  return true;
}

std::vector<float> TorchFile::values(const std::string& name) const {
  const Tensor& t = tensor(name);
  const Storage& storage = storages_.at(t.storage);
  const auto number = [&storage](int64_t i) {
    const uint8_t* const from = storage.bytes.data();
    switch (storage.number) {
      case Number::float32:
        return stored<float>(from + i * int64_t{sizeof(float)});
      case Number::float16:
        return from_half(stored<uint16_t>(from + i * int64_t{sizeof(uint16_t)}));
      default:
        return static_cast<float>(stored<int64_t>(from + i * int64_t{sizeof(int64_t)}));
    }
  };
  std::vector<float> all(static_cast<size_t>(product(t.shape, name)));
  if (storage.number == Number::float32 && is_contiguous(t) && !all.empty()) {
    std::memcpy(all.data(), storage.bytes.data() + t.first * int64_t{sizeof(float)},
                all.size() * sizeof(float));
    return all;
  }
  std::vector<int64_t> index(t.shape.size(), 0);
  int64_t at = t.first;
  for (float& value : all) {
    value = number(at);
    // The next index, like an odometer, and its place.
    for (size_t axis = index.size(); axis-- > 0;) {
      at += t.strides[axis];
      if (++index[axis] < t.shape[axis]) break;
      at -= t.strides[axis] * t.shape[axis];
      index[axis] = 0;
    }
  }
  return all;
}

}  // namespace ebm
