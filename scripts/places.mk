# SPDX-License-Identifier: MIT
# Libraries in other places than a distribution's, the CPU to build for, and how many jobs make runs.
#
# HDF5_ROOT, DNNL_ROOT and LAPACKE_ROOT each name a place, PREFIX/include with PREFIX/lib or lib64 (CUDA_HOME is for
# cuda.mk, MPI_HOME for mpi.mk). For one that is not named the order is: what environment modules and conda name in
# variables of their own, what the compiler finds by itself (CPATH, LIBRARY_PATH), Debian's folders, pkg-config. Programs
# get an RPATH for each place, so that they run without LD_LIBRARY_PATH.

# --- jobs and the CPU -------------------------------------------------------------------------------------------------
# NUMBER REASON; a -j of the command line overrules this one.
ifeq ($(MAKELEVEL),0)
JOBS := $(shell scripts/jobs)
MAKEFLAGS += $(patsubst %,-j%,$(firstword $(JOBS)))
endif
JOBS_FOUND = $(if $(word 2,$(JOBS)),$(if $(filter -j$(firstword $(JOBS)),$(MAKEFLAGS)),$(JOBS)))

# Where Slurm is, the nodes that run a program may be older than the one that builds it.
SLURM := $(or $(SLURM_JOB_ID),$(SLURM_CONF),$(shell command -v sbatch 2>/dev/null))
ifneq ($(and $(SLURM),$(filter x86_64,$(shell uname -m))),)
ARCH ?= x86-64-v3
endif
CPU_KNOWN = $(shell $(CXX) -march=$(ARCH) -E -x c++ /dev/null >/dev/null 2>&1 && echo yes)
CPU_REASON = $(if $(filter native,$(ARCH)),this CPU; ARCH=x86-64-v3 runs on others too,$(if $(and $(SLURM),$(filter file,$(origin ARCH))),\
  Slurm is here$(COMMA) whose nodes may differ; ARCH=native is for this CPU alone))
CPU_FOUND = -march=$(ARCH)$(if $(CPU_REASON), ($(strip $(CPU_REASON))))

# --- places -----------------------------------------------------------------------------------------------------------
HASH := \#
COMMA := ,
MULTIARCH := $(shell $(CXX) -print-multiarch 2>/dev/null)
SYSTEM_FOLDERS := /usr/include $(foreach d,lib lib64 lib/$(MULTIARCH),/$d /usr/$d)
folders_in = $(subst :, ,$1)
unique = $(if $1,$(firstword $1) $(call unique,$(filter-out $(firstword $1),$1)))
# The folder below $1 that holds the header $2, or the library $2; the longer names are Debian's.
headers_in = $(firstword $(patsubst %/$2,%,$(wildcard $(foreach d,include include/hdf5/serial,$1/$d/$2))))
library_in = $(firstword $(patsubst %/,%,$(dir $(wildcard $(foreach d,lib64 lib lib/$(MULTIARCH) lib/$(MULTIARCH)/hdf5/serial,\
  $1/$d/lib$2.so $1/$d/lib$2.a)))))
# The first of the prefixes $1 that has the header $2.
place_of = $(firstword $(foreach p,$(abspath $1),$(if $(call headers_in,$p,$2),$p)))
# The variable $1, if it is set, names a prefix with the header $2 and one of the libraries $3.
require_place = $(if $($1),$(if $(and $(call headers_in,$(abspath $($1)),$2),$(strip $(foreach l,$3,$(call library_in,$(abspath $($1)),$l)))),,\
  $(error $1=$($1): below it are no include/$2 and lib/lib$(firstword $3).so)))
# -L for the library $2 of the prefix $1.
link_folder = $(if $1,$(patsubst %,-L%,$(filter-out $(SYSTEM_FOLDERS),$(call library_in,$1,$2))))
# An RPATH for each -L; the loader knows the system's folders.
rpaths = $(patsubst %,-Wl$(COMMA)-rpath$(COMMA)%,$(filter-out $(SYSTEM_FOLDERS) /usr/lib/$(MULTIARCH)/%,\
  $(call unique,$(patsubst -L%,%,$(filter -L%,$1)))))
# "yes" if the compiler finds the header $1 by itself, or if the linker the library $1.
finds_header = $(shell printf '%s\n' '$(HASH)if __has_include(<$1>)' yes '$(HASH)endif' | \
  $(CXX) $(CPPFLAGS) -x c++ -E -P - 2>/dev/null | grep -x yes)
finds_library = $(if $(findstring /,$(shell $(CXX) -print-file-name=lib$1.so 2>/dev/null)),yes)

# A conda environment counts when it has what this build needs most: many shells activate one for other reasons.
CONDA := $(if $(CONDA_PREFIX),$(if $(and $(wildcard $(CONDA_PREFIX)/include/hdf5.h),$(wildcard $(CONDA_PREFIX)/include/dnnl.hpp)),$(CONDA_PREFIX)))
PKG_CONFIG ?= $(if $(CONDA),PKG_CONFIG_PATH='$(CONDA)/lib/pkgconfig:$(CONDA)/share/pkgconfig:$(PKG_CONFIG_PATH)' )pkg-config
# Its compilers come with flags for CPUs of 2004 in the environment; ARCH and OPT say it here.
ifneq ($(and $(CONDA),$(filter environment,$(origin CXXFLAGS))),)
CXXFLAGS := $(filter-out -march=% -mtune=% -O%,$(CXXFLAGS))
endif
PREFIXES := $(CONDA) $(call folders_in,$(CMAKE_PREFIX_PATH))

$(call require_place,HDF5_ROOT,hdf5.h,hdf5)
HDF5 := $(call place_of,$(or $(HDF5_ROOT),$(HDF5_DIR) $(HDF5_HOME) $(EBROOTHDF5) $(PREFIXES)),hdf5.h)
ifneq ($(HDF5),)
HDF5_HEADERS := $(call headers_in,$(HDF5),hdf5.h)
HDF5_LIBS := $(call link_folder,$(HDF5),hdf5) -lhdf5
else ifneq ($(call finds_header,hdf5.h),)
HDF5_LIBS := -lhdf5
else ifneq ($(or $(wildcard /usr/include/hdf5/serial/hdf5.h),$(shell $(PKG_CONFIG) --exists hdf5 2>/dev/null || echo none)),)
HDF5_HEADERS := /usr/include/hdf5/serial
HDF5_LIBS := -L/usr/lib/$(MULTIARCH)/hdf5/serial -lhdf5
else
HDF5_HEADERS := $(patsubst -I%,%,$(filter -I%,$(shell $(PKG_CONFIG) --cflags hdf5)))
HDF5_LIBS := $(shell $(PKG_CONFIG) --libs hdf5)
endif

$(call require_place,DNNL_ROOT,dnnl.hpp,dnnl)
DNNL := $(call place_of,$(or $(DNNL_ROOT),$(DNNLROOT) $(EBROOTONEDNN) $(PREFIXES)),dnnl.hpp)

# OpenBLAS has LAPACKE in it.
$(call require_place,LAPACKE_ROOT,lapacke.h,lapacke openblas)
LAPACKE := $(call place_of,$(or $(LAPACKE_ROOT),$(OPENBLAS_ROOT) $(EBROOTOPENBLAS) $(PREFIXES)),lapacke.h)
has_library = $(if $(LAPACKE),$(call library_in,$(LAPACKE),$1),$(call finds_library,$1))
LAPACKE_NAME := $(if $(call has_library,lapacke),lapacke,$(if $(call has_library,openblas),openblas,lapacke))

PLACES_CPPFLAGS := $(addprefix -isystem ,$(filter-out $(SYSTEM_FOLDERS),$(call unique,$(HDF5_HEADERS) \
  $(if $(DNNL),$(call headers_in,$(DNNL),dnnl.hpp)) $(if $(LAPACKE),$(call headers_in,$(LAPACKE),lapacke.h)) $(CONDA:%=%/include))))
PLACES_LIBS := $(HDF5_LIBS) $(call link_folder,$(DNNL),dnnl) -ldnnl $(call link_folder,$(LAPACKE),$(LAPACKE_NAME)) -l$(LAPACKE_NAME) \
  $(CONDA:%=-L%/lib)
# Of a parallel build, whose headers include mpi.h (mpi.mk sees to it).
HDF5_IS_PARALLEL := $(shell printf '%s\n' '$(HASH)include <H5pubconf.h>' '$(HASH)ifdef H5_HAVE_PARALLEL' yes '$(HASH)endif' | \
  $(CXX) $(PLACES_CPPFLAGS) $(CPPFLAGS) -x c++ -E -P - 2>/dev/null | grep -x yes)

# The compiler's own libraries, where it is not the system's.
RUNTIME := $(patsubst %/,%,$(dir $(realpath $(shell $(CXX) -print-file-name=libstdc++.so.6 2>/dev/null))))
MODULE_FOLDERS := $(abspath $(wildcard $(filter-out %/stubs %/stubs/,$(call folders_in,$(LIBRARY_PATH)))))
RPATHS = $(call rpaths,$(LIBS) $(LDFLAGS) $(addprefix -L,$(MODULE_FOLDERS) $(RUNTIME)))

# Pictures need the font, which programs look for in Debian's folder and in share/fonts beside their own.
FONT ?= $(firstword $(wildcard $(foreach d,/usr/share/fonts/truetype/dejavu /usr/share/fonts/dejavu-sans-fonts /usr/share/fonts/dejavu \
  /usr/share/fonts/TTF,$d/DejaVuSans.ttf) $(CONDA:%=%/fonts/DejaVuSansMono.ttf)))
