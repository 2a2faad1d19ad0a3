# SPDX-License-Identifier: MIT
# The only build system. `make help` lists the targets; every variable below can be set on the command line.
#
#   make            everything this machine can build (the CUDA half when nvcc is there)
#   make CUDA_ARCH="80 90"    the GPU architectures of libebm_cuda.so; the last one also as PTX
#   make ARCH=x86-64-v3       the CPU to build for (default: the machine at hand)

BUILD ?= build
ARCH ?= native
CXX ?= g++
OPT ?= -O3
SANITIZE ?=
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

PKGS := fmt tomlplusplus freetype2 libpng libturbojpeg libwebp zlib
CPPFLAGS_ALL := -Isrc -isystem /usr/include/hdf5/serial $(shell pkg-config --cflags $(PKGS) 2>/dev/null) -MMD -MP $(CPPFLAGS)
# g++ 12 stores wide constants wrongly (tests/support/compiler_test.cpp); narrow stores avoid it.
NARROW := $(shell $(CXX) -mmove-max=128 -mstore-max=128 -E -x c++ /dev/null >/dev/null 2>&1 && echo -mmove-max=128 -mstore-max=128)
# No errno from sqrt and friends, no trapping: both leave NaN and rounding alone and let loops vectorise.
CXXFLAGS_ALL := -std=c++20 $(OPT) -g -march=$(ARCH) -fPIC -fopenmp -fno-math-errno -fno-trapping-math -Wall -Wextra -Wpedantic -Wno-restrict \
                $(NARROW) $(SANITIZE) $(CXXFLAGS)
MULTIARCH := $(shell $(CXX) -print-multiarch 2>/dev/null)
LIBS := -L/usr/lib/$(MULTIARCH)/hdf5/serial -lhdf5 -ldnnl $(shell pkg-config --libs $(PKGS) 2>/dev/null) -ldl
LDFLAGS_ALL := -fopenmp $(SANITIZE) -Wl,-rpath,'$$ORIGIN/../lib' $(LDFLAGS)

EXPERIMENTS := $(patsubst experiments/%.cpp,%,$(wildcard experiments/*.cpp))
LIB_SOURCES := $(filter-out src/kernels/cuda/%,$(shell find src -name '*.cpp' | sort))
LIB_OBJECTS := $(LIB_SOURCES:%.cpp=$(BUILD)/obj/%.o)
TEST_SOURCES := $(filter-out tests/emulated_cuda/% tests/programs/%,$(shell find tests -name '*.cpp' | sort))
TEST_OBJECTS := $(TEST_SOURCES:%.cpp=$(BUILD)/obj/%.o)
BENCH_SOURCES := $(sort $(wildcard bench/*.cpp))
BENCH_OBJECTS := $(BENCH_SOURCES:%.cpp=$(BUILD)/obj/%.o)
PROGRAMS := $(EXPERIMENTS:%=experiments/%)

.PHONY: all help found programs deps demo test bench sanitize lint format dist clean
all: found programs
help:
	@sed -n '3,8s/^# \{0,1\}//p' Makefile
	@echo "  targets: all deps demo test bench sanitize lint format dist clean"

# The CUDA half and its stand-in for machines without a GPU: add their libraries to `all`, `test` and `found`.
-include src/kernels/cuda/cuda.mk
-include tests/emulated_cuda/emulated.mk

found:
	@$(CXX) --version | head -1 | sed 's/^/  compiler   /'
	@echo "  CPU        -march=$(ARCH)"
	@for p in $(PKGS) hdf5-serial dnnl; do \
	  case $$p in \
	    dnnl) test -e /usr/include/dnnl.hpp && s=yes || s=MISSING ;; \
	    hdf5-serial) test -e /usr/include/hdf5/serial/hdf5.h && s=yes || s=MISSING ;; \
	    *) pkg-config --exists $$p && s=yes || s=MISSING ;; esac; \
	  printf '  %-10s %s\n' $$p $$s; \
	  test $$s = yes || { echo "make: $$p is missing; 'make deps' installs what this project needs" >&2; exit 1; }; done

programs: $(PROGRAMS)

$(PROGRAMS): experiments/%: $(BUILD)/obj/experiments/%.o $(BUILD)/libebm.a
	$(CXX) $(LDFLAGS_ALL) $< -o $@ $(BUILD)/libebm.a $(LIBS)

$(BUILD)/libebm.a: $(LIB_OBJECTS)
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/obj/src/io/environment.o: CPPFLAGS_ALL += -DEBM_VERSION='"$(VERSION)"'
$(BUILD)/obj/tests/%.o $(BUILD)/obj/bench/%.o: CPPFLAGS_ALL += -Itests

$(BUILD)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) -c $< -o $@

# --- tests ------------------------------------------------------------------------------------------------------------
# matio and LMDB write the files that the readers of data sets are tested with; no program needs them.
TEST_LIBS := $(shell pkg-config --libs lmdb matio 2>/dev/null)
TEST_BINARY := $(BUILD)/bin/tests
$(TEST_BINARY): $(TEST_OBJECTS) $(BUILD)/libebm.a
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) $(TEST_OBJECTS) -o $@ $(BUILD)/libebm.a -lgtest -lgtest_main $(TEST_LIBS) $(LIBS)

test: found programs $(TEST_BINARY)
	scripts/run_tests $(TEST_BINARY)

# --- benchmarks -------------------------------------------------------------------------------------------------------
BENCH_BINARY := $(BUILD)/bin/bench
$(BENCH_BINARY): $(BENCH_OBJECTS) $(BUILD)/libebm.a
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) $(BENCH_OBJECTS) -o $@ $(BUILD)/libebm.a -lbenchmark $(LIBS)

bench: found programs $(BENCH_BINARY)
	$(BENCH_BINARY)

clean:
	rm -rf $(BUILD) dist $(PROGRAMS)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
