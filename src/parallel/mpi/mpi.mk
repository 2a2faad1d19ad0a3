# SPDX-License-Identifier: MIT
# Processes that train together: $(BUILD)/lib/libebm_mpi.so, which programs open at run time where mpirun or srun started
# several. Built where an MPI is found: that of MPI_HOME, of mpicc on PATH, or of pkg-config (Open MPI or MPICH).

$(if $(MPI_HOME),$(if $(wildcard $(MPI_HOME)/bin/mpicc),,$(error MPI_HOME=$(MPI_HOME): no bin/mpicc is below it)))
MPICC ?= $(firstword $(if $(MPI_HOME),$(wildcard $(MPI_HOME)/bin/mpicc),$(shell command -v mpicc 2>/dev/null)))
# What mpicc would say to the compiler, as both know it: "-show".
MPI_SAYS := $(if $(MPICC),$(shell $(MPICC) -show 2>/dev/null))
ifeq ($(MPI_SAYS)$(MPI_HOME),)
MPI_PACKAGE := $(firstword $(foreach p,ompi-c mpich mpi-c,$(shell $(PKG_CONFIG) --exists $p 2>/dev/null && echo $p)))
MPI_SAYS := $(if $(MPI_PACKAGE),$(shell $(PKG_CONFIG) --cflags --libs $(MPI_PACKAGE)))
endif
MPI_INCLUDE := $(patsubst -I%,-isystem %,$(filter -I%,$(MPI_SAYS)))
MPI_LINK := $(filter -L% -l% -Wl$(COMMA)-rpath% -Wl$(COMMA)--enable-new-dtags,$(MPI_SAYS))
MPI_LINK += $(call rpaths,$(MPI_LINK))
MPI_HEADER := $(if $(MPI_SAYS),$(shell printf '%s\n' '$(HASH)include <mpi.h>' 'yes' | \
  $(CXX) $(MPI_INCLUDE) -x c++ -E -P - 2>/dev/null | grep -x yes))

# The headers of a parallel HDF5 include mpi.h, and its library needs MPI's.
ifneq ($(HDF5_IS_PARALLEL),)
$(if $(MPI_HEADER),,$(error HDF5$(HDF5:%= of %) is a parallel build, which needs its MPI: name that in MPI_HOME, or a serial HDF5 in HDF5_ROOT))
CPPFLAGS_ALL += $(MPI_INCLUDE) -DOMPI_SKIP_MPICXX -DMPICH_SKIP_MPICXX
LIBS += $(MPI_LINK)
endif

MPI_LIBRARY := $(BUILD)/lib/libebm_mpi.so
MPI_OBJECTS := $(patsubst %.cpp,$(BUILD)/obj/%.o,$(sort $(wildcard src/parallel/mpi/*.cpp)))
# OMPI_SKIP_MPICXX, MPICH_SKIP_MPICXX: without the C++ interface that MPI gave up.
$(MPI_OBJECTS): CPPFLAGS_ALL += $(MPI_INCLUDE) -DOMPI_SKIP_MPICXX -DMPICH_SKIP_MPICXX
$(MPI_LIBRARY): $(MPI_OBJECTS) $(BUILD)/obj/src/core/waiting.o src/parallel/mpi/exports.map
	@mkdir -p $(@D)
	$(CXX) -shared -Wl,--version-script=src/parallel/mpi/exports.map $(LDFLAGS_ALL) $(filter %.o,$^) -o $@ $(MPI_LINK)

ifneq ($(SANITIZE),)
MPI_FOUND := not in a sanitized build
else ifneq ($(MPI_HEADER),)
MPI_FOUND := yes ($(or $(MPICC),$(MPI_PACKAGE)))
all: $(MPI_LIBRARY)
else
MPI_FOUND := none: programs run as one process (MPI_HOME names where one is)
endif
