// SPDX-License-Identifier: MIT
#include "io/hdf5_file.h"

#include <algorithm>
#include <new>

#include "core/error.h"
#include "io/hdf5_impl.h"

namespace ebm {
namespace {

using hdf5::Handle;

constexpr int64_t compact_bytes = 4096;            // up to here an array lives in its object header
constexpr int64_t chunk_bytes = int64_t{1} << 20;  // aimed at for the chunks of larger arrays
constexpr int64_t largest_compression = 1100;  // deflate reaches 1032 : 1; anything beyond is a damaged size

// The product of dims, or -1 when a size is negative or the product times 8 would not fit.
int64_t count_of(const std::vector<int64_t>& dims) {
  int64_t count = 1;
  for (const int64_t size : dims) {
    if (size < 0) return -1;
    if (size == 0) return 0;
    if (count > (INT64_MAX / 8) / size) return -1;
    count *= size;
  }
  return count;
}

// Halves the slowest dimension that is not yet 1 until a chunk is small enough.
std::vector<hsize_t> chunk_shape(const std::vector<int64_t>& dims, int64_t item_bytes) {
  std::vector<hsize_t> chunk(dims.begin(), dims.end());
  auto bytes = static_cast<hsize_t>(count_of(dims) * item_bytes);
  for (hsize_t& size : chunk) {
    while (size > 1 && bytes > static_cast<hsize_t>(chunk_bytes)) {
      bytes = bytes / size * ((size + 1) / 2);
      size = (size + 1) / 2;
    }
  }
  return chunk;
}

// A list of the given class (files, groups) without time stamps: the same content is the same bytes.
Handle timeless_list(hid_t list_class) {
  Handle list = hdf5::own_list(H5Pcreate(list_class));
  const bool ok = list.valid() && H5Pset_obj_track_times(list.id(), false) >= 0;
  return ok ? std::move(list) : Handle();
}

Handle creation_list(const std::vector<int64_t>& dims, int64_t count, int64_t item_bytes) {
  Handle list = timeless_list(H5P_DATASET_CREATE);
  bool ok = list.valid();
  if (dims.empty() || count * item_bytes <= compact_bytes) {
    ok = ok && H5Pset_layout(list.id(), H5D_COMPACT) >= 0;
  } else {
    const auto chunk = chunk_shape(dims, item_bytes);
    ok = ok && H5Pset_chunk(list.id(), static_cast<int>(chunk.size()), chunk.data()) >= 0 &&
         H5Pset_fletcher32(list.id()) >= 0;
  }
  return ok ? std::move(list) : Handle();
}

// Makes the groups that the dataset `name` lies in. False when that fails.
bool make_groups(hid_t file, std::string_view name) {
  for (size_t slash = name.find('/', 1); slash != std::string_view::npos; slash = name.find('/', slash + 1)) {
    const std::string group(name.substr(0, slash));
    const htri_t exists = H5Lexists(file, group.c_str(), H5P_DEFAULT);
    if (exists > 0) continue;
    const Handle list = timeless_list(H5P_GROUP_CREATE);
    if (exists < 0 || !list.valid()) return false;
    if (!hdf5::own_object(H5Gcreate2(file, group.c_str(), H5P_DEFAULT, list.id(), H5P_DEFAULT)).valid())
      return false;
  }
  return true;
}

}  // namespace

namespace hdf5 {

// clang-format off
template <> hid_t native_type<float>() { return H5T_NATIVE_FLOAT; }
template <> hid_t native_type<double>() { return H5T_NATIVE_DOUBLE; }
template <> hid_t native_type<int64_t>() { return H5T_NATIVE_INT64; }
template <> hid_t native_type<uint8_t>() { return H5T_NATIVE_UINT8; }
template <> const char* type_name<float>() { return "float32"; }
template <> const char* type_name<double>() { return "float64"; }
template <> const char* type_name<int64_t>() { return "int64"; }
template <> const char* type_name<uint8_t>() { return "uint8"; }
// clang-format on

std::string describe_type(hid_t type) {
  const size_t bits = H5Tget_size(type) * 8;
  switch (H5Tget_class(type)) {
    case H5T_FLOAT:
      return fmt::format("float{}", bits);
    case H5T_INTEGER:
      return fmt::format("{}{}", H5Tget_sign(type) == H5T_SGN_NONE ? "uint" : "int", bits);
    case H5T_STRING:
      return "string";
    case H5T_COMPOUND:
      return "compound";
    case H5T_ENUM:
      return "enum";
    default:
      return "unknown type";
  }
}

}  // namespace hdf5

Hdf5File::Hdf5File(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hdf5File::Hdf5File(Hdf5File&&) noexcept = default;
Hdf5File& Hdf5File::operator=(Hdf5File&&) noexcept = default;
Hdf5File::~Hdf5File() = default;

const std::filesystem::path& Hdf5File::path() const {
  return impl_->path;
}

void Hdf5File::Impl::require_open(bool write) const {
  if (!file.valid() || (write && !writing)) {
    throw Error(fmt::format("'{}' is not open for {}; use Hdf5File::{}", path.string(),
                            write ? "writing" : "reading", write ? "create" : "open_read"));
  }
  H5Eclear2(H5E_DEFAULT);
}

Hdf5File Hdf5File::create(const std::filesystem::path& path, Strings strings) {
  hdf5::prepare();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->strings = strings;
  impl->writing = true;
  const Handle creation = timeless_list(H5P_FILE_CREATE), access = hdf5::file_access();
  impl->file = hdf5::own_file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.id(), access.id()));
  if (!impl->file.valid()) {
    throw hdf5::failure(fmt::format("cannot create '{}'", path.string()),
                        "check that the folder exists and may be written");
  }
  return Hdf5File(std::move(impl));
}

void Hdf5File::close() {
  if (!impl_->file.valid()) return;
  H5Eclear2(H5E_DEFAULT);
  const std::string what = fmt::format("cannot finish writing '{}'", impl_->path.string());
  const char* remedy = "check the folder and start again";
  if (impl_->writing && H5Fflush(impl_->file.id(), H5F_SCOPE_GLOBAL) < 0) {
    const Error failure = hdf5::failure(what, remedy);
    impl_->file.close();
    throw failure;
  }
  if (!impl_->file.close()) throw hdf5::failure(what, remedy);
  impl_->held.reset();
  if (impl_->failed) throw Error(what + ": an earlier write failed; free some space there, then start again");
}

template <typename T>
void Hdf5File::write_values(std::string_view name, std::span<const T> values,
                            const std::vector<int64_t>& dims) {
  impl_->require_open(true);
  const int64_t count = count_of(dims);
  const std::string what = fmt::format("{} ({}, {})", impl_->object("dataset", name), hdf5::shape_text(dims),
                                       hdf5::type_name<T>());
  if (count != static_cast<int64_t>(values.size())) {
    throw Error(
        fmt::format("cannot write {}: got {} values; give as many as the shape holds", what, values.size()));
  }
  const std::vector<hsize_t> size(dims.begin(), dims.end());
  const Handle space =
      hdf5::own_space(dims.empty() ? H5Screate(H5S_SCALAR)
                                   : H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr));
  const Handle creation = creation_list(dims, count, sizeof(T));
  if (!space.valid() || !creation.valid() || !make_groups(impl_->file.id(), name)) impl_->fail_write(what);
  const hid_t type = hdf5::native_type<T>();
  Handle dataset = hdf5::own_dataset(H5Dcreate2(impl_->file.id(), std::string(name).c_str(), type, space.id(),
                                                H5P_DEFAULT, creation.id(), H5P_DEFAULT));
  if (!dataset.valid()) impl_->fail_write(what);
  if (count > 0 && H5Dwrite(dataset.id(), type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) < 0) {
    impl_->fail_write(what);
  }
  if (!dataset.close()) impl_->fail_write(what);
}

void Hdf5File::make_group(std::string_view name) {
  impl_->require_open(true);
  if (!make_groups(impl_->file.id(), std::string(name) + '/'))
    impl_->fail_write(impl_->object("group", name));
}

// clang-format off
void Hdf5File::write_dataset(std::string_view name, std::span<const float> values, const std::vector<int64_t>& dims) { write_values(name, values, dims); }
void Hdf5File::write_dataset(std::string_view name, std::span<const double> values, const std::vector<int64_t>& dims) { write_values(name, values, dims); }
void Hdf5File::write_dataset(std::string_view name, std::span<const int64_t> values, const std::vector<int64_t>& dims) { write_values(name, values, dims); }
void Hdf5File::write_dataset(std::string_view name, std::span<const uint8_t> values, const std::vector<int64_t>& dims) { write_values(name, values, dims); }
// clang-format on

template <typename T>
hdf5::OpenDataset Hdf5File::Impl::open_dataset(std::string_view name, bool exists) const {
  const std::string what = object("dataset", name);
  if (!exists) throw Error(fmt::format("there is no {}; check the name or the file", what));
  hdf5::OpenDataset open;
  open.dataset = hdf5::own_dataset(H5Dopen2(file.id(), std::string(name).c_str(), H5P_DEFAULT));
  const hid_t dataset = open.dataset.id();
  const Handle type = open.dataset.valid() ? hdf5::own_type(H5Dget_type(dataset)) : Handle();
  const Handle space = open.dataset.valid() ? hdf5::own_space(H5Dget_space(dataset)) : Handle();
  if (!type.valid() || !space.valid()) fail_read(what);
  if (const std::string stored = hdf5::describe_type(type.id()); stored != hdf5::type_name<T>()) {
    throw Error(fmt::format("{} holds {}, not {}; convert it to {}", what, stored, hdf5::type_name<T>(),
                            hdf5::type_name<T>()));
  }
  const int rank = H5Sget_simple_extent_ndims(space.id());
  if (rank < 0 || H5Sget_simple_extent_type(space.id()) == H5S_NULL) fail_read(what);
  std::vector<hsize_t> size(static_cast<size_t>(rank));
  if (H5Sget_simple_extent_dims(space.id(), size.data(), nullptr) < 0) fail_read(what);

  open.dims.assign(size.begin(), size.end());
  open.count = count_of(open.dims);
  const auto stored = static_cast<int64_t>(std::min<hsize_t>(H5Dget_storage_size(dataset), INT64_MAX));
  if (stored == 0 && H5Eget_num(H5E_DEFAULT) > 0) fail_read(what);
  if (open.count < 0 || open.count * static_cast<int64_t>(sizeof(T)) / largest_compression > stored ||
      (open.count > 0 && stored == 0)) {
    throw DamagedFile(fmt::format(
        "cannot read {}: it claims the shape {}, the file holds {} bytes of it; the file is damaged "
        "or incomplete: use an older copy or write it again",
        what, hdf5::shape_text(open.dims), stored));
  }
  return open;
}

template <typename T>
Hdf5Array<T> Hdf5File::read_dataset(std::string_view name) const {
  impl_->require_open(false);
  const hdf5::OpenDataset open = impl_->open_dataset<T>(name, has(name));
  const std::string what = impl_->object("dataset", name);
  Hdf5Array<T> array{.dims = open.dims, .values = {}};
  if (open.count == 0) return array;
  try {
    array.values.resize(static_cast<size_t>(open.count));
  } catch (const std::bad_alloc&) {
    throw Error(fmt::format("cannot read {}: no memory for the shape {}; free memory or use a smaller file",
                            what, hdf5::shape_text(array.dims)));
  }
  if (H5Dread(open.dataset.id(), hdf5::native_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, array.values.data()) <
      0) {
    impl_->fail_read(what);
  }
  return array;
}

template Hdf5Array<float> Hdf5File::read_dataset(std::string_view) const;
template Hdf5Array<double> Hdf5File::read_dataset(std::string_view) const;
template Hdf5Array<int64_t> Hdf5File::read_dataset(std::string_view) const;
template Hdf5Array<uint8_t> Hdf5File::read_dataset(std::string_view) const;
template hdf5::OpenDataset Hdf5File::Impl::open_dataset<uint8_t>(std::string_view, bool) const;

bool Hdf5File::has(std::string_view name) const {
  impl_->require_open(false);
  // HDF5 answers for the last part of a path alone, and fails when an earlier one is missing.
  for (size_t end = 0; end != name.size();) {
    end = std::min(name.find('/', end + 1), name.size());
    const std::string part(name.substr(0, end));
    if (part.empty() || part == "/") continue;
    const htri_t there = H5Lexists(impl_->file.id(), part.c_str(), H5P_DEFAULT);
    if (there < 0) impl_->fail_read(impl_->object("object", part));
    if (there == 0) return false;
  }
  return true;
}

std::vector<std::string> Hdf5File::list(std::string_view group) const {
  impl_->require_open(false);
  const std::string what = impl_->object("group", group);
  if (!has(group)) throw Error(fmt::format("there is no {}; check the name or the file", what));
  const Handle object = hdf5::own_object(H5Oopen(impl_->file.id(), std::string(group).c_str(), H5P_DEFAULT));
  H5G_info_t info{};
  if (!object.valid() || H5Gget_info(object.id(), &info) < 0) impl_->fail_read(what);
  std::vector<std::string> names;
  for (hsize_t i = 0; i < info.nlinks; ++i) {
    std::string name(4096, '\0');
    const ssize_t length = H5Lget_name_by_idx(object.id(), ".", H5_INDEX_NAME, H5_ITER_INC, i, name.data(),
                                              name.size(), H5P_DEFAULT);
    if (length < 0) impl_->fail_read(what);
    name.resize(std::min(static_cast<size_t>(length), name.size() - 1));
    names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace ebm
