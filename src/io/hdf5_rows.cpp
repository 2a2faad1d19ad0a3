// SPDX-License-Identifier: MIT
// Arrays that are written and read by rows (io/hdf5_file.h).

#include <array>

#include "core/error.h"
#include "io/hdf5_impl.h"

namespace ebm {
namespace {

using hdf5::Handle;

// Bytes of one row of an array of shape `dims`.
int64_t row_bytes(const std::vector<int64_t>& dims) {
  int64_t bytes = 1;
  for (size_t i = 1; i < dims.size(); ++i) bytes *= dims[i];
  return bytes;
}

// The shape of an open dataset; {} when HDF5 cannot tell.
std::vector<int64_t> sizes_of(const Handle& dataset) {
  const Handle space = dataset.valid() ? hdf5::own_space(H5Dget_space(dataset.id())) : Handle();
  const int rank = space.valid() ? H5Sget_simple_extent_ndims(space.id()) : -1;
  if (rank < 1) return {};
  std::vector<hsize_t> size(static_cast<size_t>(rank));
  H5Sget_simple_extent_dims(space.id(), size.data(), nullptr);
  return {size.begin(), size.end()};
}

// Rows first .. first + rows - 1 as a selection in the file's space, and the space of as many in memory.
struct Selection {
  Handle file, memory;
};

Selection select_rows(hid_t dataset, const std::vector<int64_t>& dims, int64_t first, int64_t rows) {
  std::vector<hsize_t> start(dims.size(), 0), size(dims.begin(), dims.end());
  start[0] = static_cast<hsize_t>(first);
  size[0] = static_cast<hsize_t>(rows);
  Selection selection;
  selection.file = hdf5::own_space(H5Dget_space(dataset));
  selection.memory = hdf5::own_space(H5Screate_simple(static_cast<int>(size.size()), size.data(), nullptr));
  if (!selection.file.valid() || !selection.memory.valid() ||
      H5Sselect_hyperslab(selection.file.id(), H5S_SELECT_SET, start.data(), nullptr, size.data(), nullptr) <
          0) {
    return {};
  }
  return selection;
}

// How many rows `bytes` bytes from row `first` on are. Throws Error unless they are whole rows inside the
// array.
int64_t require_rows(const std::string& what, const std::vector<int64_t>& dims, int64_t first, size_t bytes) {
  const int64_t each = dims.empty() ? 0 : row_bytes(dims);
  const auto count = static_cast<int64_t>(bytes);
  if (each <= 0 || count % each != 0 || first < 0 || first > dims[0] || count / each > dims[0] - first) {
    throw Error(fmt::format("{} bytes from row {} on are no whole rows of {} ({}); give rows inside it",
                            count, first, what, hdf5::shape_text(dims)));
  }
  return count / each;
}

}  // namespace

void Hdf5File::declare_rows(std::string_view name, const std::vector<int64_t>& dims, int64_t chunk_rows) {
  impl_->require_open(true);
  const std::string what = impl_->object("dataset", name);
  if (dims.empty() || dims[0] < 1 || row_bytes(dims) < 1 || chunk_rows < 1 || chunk_rows > dims[0]) {
    throw Error(fmt::format("cannot make {}: shape {} in chunks of {} rows; give sizes of at least 1", what,
                            hdf5::shape_text(dims), chunk_rows));
  }
  const std::vector<hsize_t> size(dims.begin(), dims.end());
  std::vector<hsize_t> chunk = size;
  chunk[0] = static_cast<hsize_t>(chunk_rows);
  const int rank = static_cast<int>(size.size());
  const Handle space = hdf5::own_space(H5Screate_simple(rank, size.data(), nullptr));
  const Handle creation = hdf5::own_list(H5Pcreate(H5P_DATASET_CREATE));
  if (!space.valid() || !creation.valid() || H5Pset_obj_track_times(creation.id(), false) < 0 ||
      H5Pset_chunk(creation.id(), rank, chunk.data()) < 0 || H5Pset_fletcher32(creation.id()) < 0) {
    impl_->fail_write(what);
  }
  Handle dataset = hdf5::own_dataset(H5Dcreate2(impl_->file.id(), std::string(name).c_str(), H5T_NATIVE_UINT8,
                                                space.id(), H5P_DEFAULT, creation.id(), H5P_DEFAULT));
  if (!dataset.valid() || !dataset.close()) impl_->fail_write(what);
}

void Hdf5File::write_rows(std::string_view name, int64_t first, std::span<const uint8_t> rows) {
  impl_->require_open(true);
  const std::string what = impl_->object("dataset", name);
  Handle dataset = hdf5::own_dataset(H5Dopen2(impl_->file.id(), std::string(name).c_str(), H5P_DEFAULT));
  const std::vector<int64_t> dims = sizes_of(dataset);
  if (dims.empty()) impl_->fail_write(what);
  const int64_t count = require_rows(what, dims, first, rows.size());
  const Selection selection = select_rows(dataset.id(), dims, first, count);
  if (!selection.file.valid() || H5Dwrite(dataset.id(), H5T_NATIVE_UINT8, selection.memory.id(),
                                          selection.file.id(), H5P_DEFAULT, rows.data()) < 0) {
    impl_->fail_write(what);
  }
  if (!dataset.close()) impl_->fail_write(what);
}

void Hdf5File::shorten_rows(std::string_view name, int64_t rows) {
  impl_->require_open(true);
  const std::string what = impl_->object("dataset", name);
  Handle dataset = hdf5::own_dataset(H5Dopen2(impl_->file.id(), std::string(name).c_str(), H5P_DEFAULT));
  const std::vector<int64_t> dims = sizes_of(dataset);
  if (dims.empty()) impl_->fail_write(what);
  if (rows < 1 || rows > dims[0]) {
    throw Error(
        fmt::format("cannot shorten {} of {} rows to {}; keep 1 to {}", what, dims[0], rows, dims[0]));
  }
  std::vector<hsize_t> size(dims.begin(), dims.end());
  size[0] = static_cast<hsize_t>(rows);
  if (H5Dset_extent(dataset.id(), size.data()) < 0 || !dataset.close()) impl_->fail_write(what);
}

std::vector<int64_t> Hdf5File::shape_of_rows(std::string_view name) const {
  impl_->require_open(false);
  return impl_->open_dataset<uint8_t>(name, has(name)).dims;
}

void Hdf5File::read_rows(std::string_view name, int64_t first, std::span<uint8_t> rows) const {
  impl_->require_open(false);
  const std::string what = impl_->object("dataset", name);
  const hdf5::OpenDataset open = impl_->open_dataset<uint8_t>(name, has(name));
  const int64_t count = require_rows(what, open.dims, first, rows.size());
  if (count == 0) return;
  const Selection selection = select_rows(open.dataset.id(), open.dims, first, count);
  if (!selection.file.valid() || H5Dread(open.dataset.id(), H5T_NATIVE_UINT8, selection.memory.id(),
                                         selection.file.id(), H5P_DEFAULT, rows.data()) < 0) {
    impl_->fail_read(what);
  }
}

Hdf5File::Chunks Hdf5File::chunks_of_rows(std::string_view name) const {
  impl_->require_open(false);
  const std::string what = impl_->object("dataset", name);
  const hdf5::OpenDataset open = impl_->open_dataset<uint8_t>(name, has(name));
  const hid_t dataset = open.dataset.id();
  const Handle creation = hdf5::own_list(H5Dget_create_plist(dataset));
  if (!creation.valid()) impl_->fail_read(what);
  const size_t rank = open.dims.size();
  std::vector<hsize_t> chunk(rank);
  unsigned flags = 0, filter_config = 0;
  size_t parameters = 0;
  bool plain = rank > 0 && H5Pget_layout(creation.id()) == H5D_CHUNKED &&
               H5Pget_chunk(creation.id(), static_cast<int>(rank), chunk.data()) == static_cast<int>(rank) &&
               H5Pget_nfilters(creation.id()) == 1 &&
               H5Pget_filter2(creation.id(), 0, &flags, &parameters, nullptr, 0, nullptr, &filter_config) ==
                   H5Z_FILTER_FLETCHER32;
  for (size_t i = 1; plain && i < rank; ++i) plain = static_cast<int64_t>(chunk[i]) == open.dims[i];

  Chunks chunks;
  if (plain) {
    chunks.rows = static_cast<int64_t>(chunk[0]);
    chunks.bytes = chunks.rows * row_bytes(open.dims);
  }
  constexpr int64_t checksum_bytes = 4;
  std::vector<hsize_t> corner(rank, 0);
  for (int64_t row = 0; plain && row < open.dims[0]; row += chunks.rows) {
    corner[0] = static_cast<hsize_t>(row);
    unsigned skipped_filters = 0;
    haddr_t address = HADDR_UNDEF;
    hsize_t stored = 0;
    if (H5Dget_chunk_info_by_coord(dataset, corner.data(), &skipped_filters, &address, &stored) < 0) {
      impl_->fail_read(what);
    }
    plain = address != HADDR_UNDEF && skipped_filters == 0 &&
            static_cast<int64_t>(stored) == chunks.bytes + checksum_bytes;
    chunks.offsets.push_back(static_cast<int64_t>(address));
  }
  if (!plain) {
    throw Error(
        fmt::format("{} is not stored as plain chunks of whole rows with checksums; "
                    "write it again with prepare_data",
                    what));
  }
  return chunks;
}

}  // namespace ebm
