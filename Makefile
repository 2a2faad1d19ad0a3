# SPDX-License-Identifier: MIT
# The only build system. `make help` lists the targets; every variable below can be set on the command line.
#
#   make            everything this machine can build (the CUDA half when nvcc is there)
#   make CUDA_ARCH="75 80 90" the GPU architectures of libebm_cuda.so; the last one also as PTX
#   make ARCH=x86-64-v3       the CPU to build for (default: the machine at hand; where Slurm is, this one)
#   make HDF5_ROOT=/opt/hdf5  where a library is; likewise DNNL_ROOT, LAPACKE_ROOT, CUDA_HOME, CUTLASS_ROOT, MPI_HOME, NCCL_HOME. `make found` tells
#   make test FILTER='Lobpcg*'    some of the tests, by GoogleTest's pattern
#   make test TESTED='linalg support'    the tests of some folders of tests/, without building the others
#   make kernel-report    registers, spills, occupancy, 16-byte accesses of each GPU kernel, where nvcc is (no GPU needed)
#   make demo DEMO_ITERATIONS=2000 DEMO_TOY_ITERATIONS=2000    a shorter demonstration

# Where libraries are, ARCH where Slurm is, and a job for each core, unless -j or a cluster says otherwise.
include scripts/places.mk

BUILD ?= build
ARCH ?= native
CXX ?= g++
OPT ?= -O3
DEBUG ?= -g
SANITIZE ?=
FILTER ?= *
TESTED ?= *
DEMO_ITERATIONS ?= 6500
DEMO_TOY_ITERATIONS ?= 26000
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unknown)

# Cairo is linked alone: its headers are named with their folder, and need no flags.
PKGS := fmt tomlplusplus freetype2 libpng libjpeg libwebp libwebpdemux zlib
CPPFLAGS_ALL := -Isrc $(PLACES_CPPFLAGS) $(shell $(PKG_CONFIG) --cflags $(PKGS) 2>/dev/null) $(CPPFLAGS)
# g++ 12 stores wide constants wrongly (tests/support/compiler_test.cpp); narrow stores avoid it.
NARROW := $(shell $(CXX) -mmove-max=128 -mstore-max=128 -E -x c++ /dev/null >/dev/null 2>&1 && echo -mmove-max=128 -mstore-max=128)
# Loops over arrays that may be absent: SIMD wants a copy of the loop for each case, and g++ gives up early.
UNSWITCH := $(shell $(CXX) --param=max-unswitch-insns=400 -E -x c++ /dev/null >/dev/null 2>&1 && echo --param=max-unswitch-insns=400)
# No errno from sqrt and friends, no trapping: both leave NaN and rounding alone and let loops vectorise.
CXXFLAGS_ALL = -std=c++20 $(OPT) $(DEBUG) -march=$(ARCH) -fPIC -fopenmp -fno-math-errno -fno-trapping-math -Wall -Wextra -Wpedantic -Wno-restrict \
                $(NARROW) $(UNSWITCH) $(SANITIZE) $(CXXFLAGS)
COMPILE = $(CXX) $(CPPFLAGS_ALL) -MMD -MP $(CXXFLAGS_ALL) -c
LIBS := $(PLACES_LIBS) $(shell $(PKG_CONFIG) --libs $(PKGS) cairo 2>/dev/null) -ldl
# RPATH, not RUNPATH: it also finds what the libraries in a distribution's lib/ need of each other.
LDFLAGS_ALL := -fopenmp $(SANITIZE) -Wl,-rpath,'$$ORIGIN/../lib' $(RPATHS) -Wl,--disable-new-dtags $(LDFLAGS)

EXPERIMENTS := $(patsubst experiments/%.cpp,%,$(sort $(wildcard experiments/*.cpp)))
# WITHOUT: folders of src/ that nothing needs which is built.
LIB_SOURCES := $(filter-out src/kernels/cuda/% src/parallel/mpi/% $(WITHOUT:%=src/%/%),$(shell find src -name '*.cpp' | sort))
TEST_SOURCES := $(filter-out tests/accesses/% tests/emulated_cuda/% tests/preload/% tests/programs/%,$(sort $(wildcard $(TESTED:%=tests/%/*.cpp))))
TEST_PROGRAMS := $(patsubst tests/programs/%.cpp,%,$(sort $(wildcard tests/programs/*.cpp)))
BENCH_SOURCES := $(sort $(wildcard bench/*.cpp))
objects = $(patsubst %.cpp,$(BUILD)/obj/%.o,$1)
PROGRAMS := $(EXPERIMENTS:%=$(BUILD)/bin/%)
TESTS := $(BUILD)/bin/tests
TEST_BINARIES := $(TESTS)
TEST_PRELOAD := $(BUILD)/lib/libebm_test_preload.so

.PHONY: all help found found-tests found-bench found-lint deps programs demo test-binaries test-programs test test-devices \
        kernel-report bench-program bench sanitize sanitize-quick lint format dist clean FORCE
all: programs
help:
	@sed -n '2,/^$$/s/^# \{0,1\}//p' Makefile
	@echo "targets: all deps demo test bench kernel-report sanitize lint format dist clean"

# --- what is here -----------------------------------------------------------------------------------------------------
DEPS = CXX='$(CXX)' CPPFLAGS='$(CPPFLAGS_ALL)' FONT='$(FONT)' scripts/deps
found:
	@$(CXX) --version 2>/dev/null | head -1 | sed 's/^/  compiler        /'
	@echo "  CPU             $(CPU_FOUND)"
	@$(if $(JOBS_FOUND),echo "  jobs            $(JOBS_FOUND)",:)
	@$(DEPS) check build
	@$(if $(CPU_KNOWN),:,echo "make: ARCH=$(ARCH): $(CXX) knows no such CPU; ARCH=native is this one" >&2; exit 1)
	@echo "  CUDA            $(CUDA_FOUND)"
	@echo "  emulation       $(EMULATION_FOUND)"
	@echo "  MPI             $(MPI_FOUND)"
	@echo "  NCCL            $(NCCL_FOUND)"
found-tests: found
	@$(DEPS) check test run
found-bench: found
	@$(DEPS) check bench

deps:
	@scripts/deps install

# Files that are new when their text is: the flags that objects were made with ("native" spelled out), the version, the
# folders of tests.
FLAGS_TEXT = $(filter-out ccache,$(CXX)) $(CPPFLAGS_ALL) $(CXXFLAGS_ALL) \
  $(shell { $(CXX) -dumpfullversion; $(CXX) -march=$(ARCH) -Q --help=target; } 2>/dev/null | cksum)
$(BUILD)/flags: TEXT = $(FLAGS_TEXT)
$(BUILD)/version: TEXT = $(VERSION)
$(BUILD)/tested: TEXT = $(TESTED)
$(BUILD)/flags $(BUILD)/flags.cuda $(BUILD)/version $(BUILD)/tested: FORCE
	@mkdir -p $(@D); echo '$(TEXT)' | cmp -s - $@ || echo '$(TEXT)' >$@

# --- programs ---------------------------------------------------------------------------------------------------------
$(BUILD)/obj/%.o: %.cpp $(BUILD)/flags | found
	@mkdir -p $(@D)
	$(COMPILE) $< -o $@

$(BUILD)/obj/src/io/environment.o: $(BUILD)/version
$(BUILD)/obj/src/io/environment.o: CPPFLAGS_ALL += -DEBM_VERSION='"$(VERSION)"' -DEBM_BUILD_FLAGS='"$(CXXFLAGS_ALL)"'
$(BUILD)/obj/tests/%.o $(BUILD)/obj/bench/%.o: CPPFLAGS_ALL += -Itests

# Runs first, on every CPU, and knows what the rest was built for: no sanitizers, no instructions of this CPU alone.
EVERY_CPU := $(shell $(CXX) -march=x86-64 -E -x c++ /dev/null >/dev/null 2>&1 && echo -march=x86-64)
macros = $(shell $(CXX) $1 -dM -E -x c++ /dev/null 2>/dev/null | sed -n 's/^.define __\([A-Z0-9_]*\)__ 1$$/\1/p')
BUILT_WITH := $(sort $(filter-out $(call macros,$(EVERY_CPU)),$(call macros,-march=$(ARCH) $(CXXFLAGS))))
CPU_CHECK := $(BUILD)/obj/src/core/cpu_check.o
$(CPU_CHECK) $(BUILD)/obj/no_such_cpu.o: CXXFLAGS_ALL = -std=c++20 -O1 -g $(EVERY_CPU) -fPIC -Wall -Wextra -Wpedantic
$(CPU_CHECK) $(BUILD)/tidy/src/core/cpu_check: CPPFLAGS_ALL += -DEBM_BUILT_WITH='"$(BUILT_WITH)"'

$(BUILD)/libebm.a: $(call objects,$(LIB_SOURCES))
	@rm -f $@
	ar rcs $@ $^

$(BUILD)/bin/%: $(BUILD)/libebm.a $(CPU_CHECK)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) $(filter %.o,$^) -o $@ $< $(LIBS)

$(PROGRAMS): $(BUILD)/bin/%: $(BUILD)/obj/experiments/%.o
programs: found $(PROGRAMS)
# ./experiments/NAME, beside its source, is the program of the ordinary build.
ifeq ($(BUILD),build)
programs: $(EXPERIMENTS:%=experiments/%)
$(EXPERIMENTS:%=experiments/%): experiments/%: $(BUILD)/bin/%
	ln -sf ../$< $@
endif

ifneq ($(filter-out /usr/share/fonts/truetype/dejavu/%,$(FONT)),)
programs: $(BUILD)/share/fonts/DejaVuSans.ttf
$(BUILD)/share/fonts/DejaVuSans.ttf:
	@mkdir -p $(@D)
	ln -sf $(FONT) $@
endif

# The CUDA half and its stand-in for machines without a GPU: add their libraries to `all`, `test` and `found`.
-include src/kernels/cuda/cuda.mk
-include tests/emulated_cuda/emulated.mk
# Several processes: adds its library to `all` and `found`.
-include src/parallel/mpi/mpi.mk
-include tests/accesses/accesses.mk

demo:
	@$(DEPS) offer build run
	@$(MAKE) --no-print-directory all
	./experiments/cifar10_bb --config experiments/shapes.toml --iterations $(DEMO_ITERATIONS) --out runs/demo_shapes
	./experiments/toy_bb --dataset 25gaussians --iterations $(DEMO_TOY_ITERATIONS) --out runs/demo

# --- tests and benchmarks ---------------------------------------------------------------------------------------------
$(TESTS): $(call objects,$(TEST_SOURCES)) $(BUILD)/tested
# matio and LMDB write the files that the readers of data sets are tested with; no program needs them.
$(TESTS): LIBS += -lgtest -lgtest_main $(or $(shell $(PKG_CONFIG) --libs lmdb matio 2>/dev/null),-llmdb -lmatio)
$(TEST_PROGRAMS:%=$(BUILD)/bin/%): $(BUILD)/bin/%: $(BUILD)/obj/tests/programs/%.o
# No CPU has both.
$(BUILD)/bin/other_cpu: $(BUILD)/obj/no_such_cpu.o
$(BUILD)/obj/no_such_cpu.o: src/core/cpu_check.cpp $(BUILD)/flags | found
	$(COMPILE) -DEBM_BUILT_WITH='"XOP AVX512F"' $< -o $@
# Tests take g++ half as long so, and run no longer: their time is in the library.
$(call objects,$(TEST_SOURCES)): private OPT := -O1
$(call objects,$(TEST_SOURCES)): private DEBUG := -g1
$(call objects,$(TEST_SOURCES)): | found-tests
# Stands before the system calls of programs under test.
$(TEST_PRELOAD): $(BUILD)/obj/tests/preload/system_calls.o
	@mkdir -p $(@D)
	$(CXX) -shared $(SANITIZE) $< -o $@ -ldl

ifneq ($(SANITIZE),)
$(PROGRAMS): $(BUILD)/obj/tests/support/lsan_suppressions.o
endif

test-binaries: found-tests $(TEST_BINARIES) $(TEST_PROGRAMS:%=$(BUILD)/bin/%) $(TEST_PRELOAD)
test-programs: all test-binaries
test: test-programs
	scripts/run_tests --filter '$(FILTER)' $(TEST_BINARIES)

# The tests that run on every device, and those of the emulation.
ON_DEVICES := Devices/*:All/*:Images/*:ImagesInBfloat16/*:Tf32*
EMULATION_BINARIES := $(filter $(EMULATION_TESTS),$(TEST_BINARIES))
test-devices: found-tests $(TESTS) $(EMULATION_BINARIES) $(TEST_PRELOAD)
	scripts/run_tests --filter '$(ON_DEVICES)' $(TESTS)
	$(if $(EMULATION_BINARIES),scripts/run_tests $(EMULATION_BINARIES))

$(BUILD)/bin/bench: $(call objects,$(BENCH_SOURCES))
$(BUILD)/bin/bench: LIBS += -lbenchmark
$(call objects,$(BENCH_SOURCES)): | found-bench

bench-program: all $(BUILD)/bin/bench
bench: bench-program
	$(BUILD)/bin/bench

# --- sanitizers -------------------------------------------------------------------------------------------------------
# -g1: lines are enough for reports, and with sanitizers more takes g++ twice the time and memory.
SANITIZED := $(MAKE) --no-print-directory BUILD=$(BUILD)/sanitize OPT=-O1 \
  SANITIZE='-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -g1'
# The emulated GPU runs threads and blocks in an order of EBM_EMULATED_SEED (0: the natural one).
ORDERS := 0 2 3 4

sanitize:
	+$(SANITIZED) test
	+@for seed in $(ORDERS); do echo "threads and blocks in the order of seed $$seed:"; \
	  EBM_EMULATED_SEED=$$seed $(SANITIZED) test-devices || exit 1; done

# What CI has time for: the tests that run on every device, in one order, without those that only round: products as TF32
# does, or images' activations to bfloat16.
sanitize-quick:
	+EBM_EMULATED_SEED=$(lastword $(ORDERS)) $(SANITIZED) TESTED='kernels layers linalg support' \
	  WITHOUT='runs report evaluate plot metrics' ON_DEVICES='Devices/*:All/*:Images/*' test-devices

# --- style ------------------------------------------------------------------------------------------------------------
FORMATTED = $(shell git ls-files '*.cpp' '*.h' '*.cu' '*.cuh')
# clang has no omp.h of its own in its package; g++'s serves.
TIDY_FLAGS = $(CPPFLAGS_ALL) -std=c++20 -fopenmp -Wall -Wextra -Wreserved-identifier -idirafter $(shell $(CXX) -print-file-name=include)

lint: found-lint $(patsubst %.cpp,$(BUILD)/tidy/%,$(LIB_SOURCES) $(EXPERIMENTS:%=experiments/%.cpp) $(BENCH_SOURCES))
	clang-format-14 --dry-run -Werror $(FORMATTED)
	scripts/lint
found-lint:
	@$(DEPS) check lint
format:
	clang-format-14 -i $(FORMATTED)

# A file is read again when its object was made again.
$(BUILD)/tidy/%: %.cpp $(BUILD)/obj/%.o .clang-tidy | found-lint
	@mkdir -p $(@D); echo "clang-tidy $<"; \
	said=$$(clang-tidy --quiet $< -- $(TIDY_FLAGS) 2>&1) || { printf '%s\n' "$$said"; exit 1; }; touch $@

# --- distribution -----------------------------------------------------------------------------------------------------
# Not linked with -z x86-64-v3: on an older CPU the loader would speak before src/core/cpu_check.cpp, and say no remedy.
DISTRIBUTED := $(MAKE) --no-print-directory BUILD=$(BUILD)/dist ARCH=x86-64-v3
dist:
	+$(DISTRIBUTED) test-programs bench-program
	scripts/dist $(BUILD)/dist $(VERSION)

clean:
	rm -rf $(BUILD) dist $(EXPERIMENTS:%=experiments/%)

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
