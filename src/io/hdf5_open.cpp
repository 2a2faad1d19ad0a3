// SPDX-License-Identifier: MIT
// The opening of a file that is there. HDF5 reports a lock, a mark, the system's refusal and damage alike: as
// a file that it cannot open. Here each is found out for itself, since the remedy for one loses work in the
// others.
#include "core/error.h"
#include "io/hdf5_impl.h"

namespace ebm {
namespace {

using hdf5::Handle;

// To read what another process is writing. HDF5 reads metadata again whose checksum is wrong, doubling its
// wait from 1 microsecond on; its default of 100 attempts would wait for ever on a damaged file, these are 16
// ms.
Handle live_access() {
  Handle access = hdf5::file_access();
  if (H5Pset_metadata_read_attempts(access.id(), 14) < 0) {
    throw hdf5::failure("cannot set up HDF5 file access", "check the HDF5 library");
  }
  return access;
}

Handle open_file(const std::filesystem::path& path, unsigned flags, const Handle& access) {
  return hdf5::own_file(H5Fopen(path.c_str(), flags, access.id()));
}

// A mark that the superblock's checksum does not cover is damage: HDF5 complains of it before any mark.
bool complains_of_mark() {
  bool found = false;
  const auto look = [](unsigned position, const H5E_error2_t* entry, void* data) -> herr_t {
    if (position == 0) {
      *static_cast<bool*>(data) = entry->maj_num == H5E_FILE && entry->min_num == H5E_CANTOPENFILE;
    }
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, look, &found);
  return found;
}

}  // namespace

Hdf5File Hdf5File::open_read(const std::filesystem::path& path, Strings strings) {
  hdf5::prepare();
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->strings = strings;
  const HeldFile& held = impl->held.emplace(path, hdf5::locking());
  // Both live until HDF5's reason is taken: to close them would clear it.
  const Handle access = hdf5::file_access(), live = live_access();
  impl->file = open_file(path, H5F_ACC_RDONLY, access);
  // A RunLog's file, whose writer is at work or was killed.
  if (!impl->file.valid() && held.writer() == HeldFile::Writer::live) {
    impl->file = open_file(path, H5F_ACC_RDONLY | H5F_ACC_SWMR_READ, live);
  }
  if (!impl->file.valid()) {
    if (held.writer() == HeldFile::Writer::marked && complains_of_mark()) {
      throw Error(
          fmt::format("cannot read '{0}': it is marked as in use by another program, which opened it for "
                      "writing; close it there, or if that program has died, take off the mark: h5clear -s "
                      "'{0}'",
                      path.string()));
    }
    hdf5::fail_read(fmt::format("'{}' as HDF5", path.string()),
                    "it is damaged, incomplete or no HDF5 file: use another", held);
  }
  return Hdf5File(std::move(impl));
}

}  // namespace ebm
