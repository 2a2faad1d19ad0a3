# SPDX-License-Identifier: MIT
# The CUDA half over its stand-ins: $(BUILD)/lib/libebm_cuda_emulated.so, for the tests on machines without a GPU, and the
# tests of the stand-ins themselves. Built where the CUDA toolkit's headers and Boost.Context are.
# After src/kernels/cuda/cuda.mk.

EMULATED_LIBRARY := $(BUILD)/lib/libebm_cuda_emulated.so
EMULATION_TESTS := $(BUILD)/bin/emulation_tests
EMULATED_NEEDS := cuda_runtime_api.h curand_kernel.h cublas_v2.h nvtx3/nvToolsExt.h boost/context/detail/fcontext.hpp
# The first of these headers that is missing, or "CUDA 12".
EMULATED_MISSING := $(shell { for h in $(EMULATED_NEEDS); do \
  printf '%s\n' "$(HASH)if !__has_include(<$$h>)" "missing $$h" "$(HASH)endif"; done; \
  printf '%s\n' "$(HASH)include <cuda_runtime_api.h>" "$(HASH)if CUDART_VERSION < 12000" "missing CUDA 12" "$(HASH)endif"; } | \
  $(CXX) $(CUDA_INCLUDE) $(PLACES_CPPFLAGS) $(CPPFLAGS) -x c++ -E -P - 2>/dev/null | sed -n 's/^missing //p' | head -1)

BOOST_CONTEXT := $(CONDA:%=-L%/lib) $(if $(findstring /,$(shell $(CXX) -print-file-name=libboost_context.a 2>/dev/null)),-l:libboost_context.a,-lboost_context)
EMULATED_COMPILE = $(COMPILE) -Itests/emulated_cuda $(CUDA_INCLUDE) -Wno-unknown-pragmas
EMULATED_OBJECTS := $(patsubst %.cpp,$(BUILD)/obj/%.o,$(sort $(wildcard tests/emulated_cuda/*.cpp)))
ifeq ($(CUDNN_HEADER),)
EMULATED_OBJECTS := $(filter-out $(addprefix $(BUILD)/obj/tests/emulated_cuda/dnn,.o _descriptors.o _operation.o),$(EMULATED_OBJECTS))
endif
# dnn.cpp and nccl.cpp give their own cuDNN and NCCL in place of the files of the CUDA half that open the real ones, tiles.cpp its
# own kernels in place of CUTLASS's.
EMULATED_CUDA_OBJECTS := $(filter-out %/default_library.o %/$(TILED)/tiled.o,$(CUDA_OBJECTS))
EMULATED_KERNELS := $(CUDA_KERNELS:%.cu=$(BUILD)/obj/emulated/%.o)
EMULATION_TEST_SOURCES := $(sort $(wildcard tests/emulation/*.cu $(if $(CUDNN_HEADER),tests/emulation/cudnn/*.cu)))
EMULATION_TEST_OBJECTS := $(EMULATION_TEST_SOURCES:%.cu=$(BUILD)/obj/emulated/%.o)
$(EMULATION_TEST_OBJECTS): CPPFLAGS_ALL += -Itests

$(EMULATED_OBJECTS): $(BUILD)/obj/%.o: %.cpp $(BUILD)/flags | found
	@mkdir -p $(@D)
	$(EMULATED_COMPILE) $< -o $@

# g++ reads the kernels' own files as C++, with exp and tanh of the C library as a GPU has its own (formulas/elementary.h).
$(BUILD)/obj/emulated/%.o: %.cu $(BUILD)/flags | found
	@mkdir -p $(@D)
	$(EMULATED_COMPILE) -DEBM_EMULATED_GPU -x c++ $< -o $@

$(EMULATED_LIBRARY): $(EMULATED_CUDA_OBJECTS) $(EMULATED_KERNELS) $(EMULATED_OBJECTS) src/kernels/cuda/exports.map
	@mkdir -p $(@D)
	$(CXX) -shared -Wl,--version-script=src/kernels/cuda/exports.map $(LDFLAGS_ALL) $(filter %.o,$^) -o $@ \
	  $(BOOST_CONTEXT) -lpthread -ldl

$(EMULATION_TESTS): $(EMULATION_TEST_OBJECTS) $(EMULATED_OBJECTS) $(EMULATED_CUDA_OBJECTS) $(EMULATED_KERNELS) \
                    $(BUILD)/obj/tests/support/lsan_suppressions.o $(BUILD)/obj/tests/support/files.o $(CPU_CHECK) $(BUILD)/libebm.a
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) $^ -o $@ $(BOOST_CONTEXT) -lgtest -lgtest_main -lpthread $(LIBS)

# bench/convolution_plans over the stand-ins, for its test.
PLANS_EMULATED := $(if $(CUDNN_HEADER),$(BUILD)/bin/convolution_plans_emulated)
$(BUILD)/bin/convolution_plans_emulated: $(PLANS_OBJECTS) $(EMULATED_OBJECTS) $(EMULATED_CUDA_OBJECTS) $(EMULATED_KERNELS) \
                                         $(BUILD)/libebm.a
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) $^ -o $@ $(BOOST_CONTEXT) -lpthread $(LIBS)

ifeq ($(EMULATED_MISSING),)
EMULATION_FOUND := the tests run the CUDA half on the CPU too
test-binaries: $(EMULATED_LIBRARY) $(PLANS_EMULATED)
test-devices: $(EMULATED_LIBRARY)
TEST_BINARIES += $(EMULATION_TESTS)
else
EMULATION_FOUND := no $(EMULATED_MISSING): the tests do not run the CUDA half
endif
