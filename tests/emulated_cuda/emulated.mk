# SPDX-License-Identifier: MIT
# The CUDA half over its stand-ins: $(BUILD)/lib/libebm_cuda_emulated.so, for the tests on machines without a GPU, and the
# tests of the stand-ins themselves. Built where the CUDA toolkit's headers and Boost.Context are.
# After src/kernels/cuda/cuda.mk.

EMULATED_LIBRARY := $(BUILD)/lib/libebm_cuda_emulated.so
EMULATION_TESTS := $(BUILD)/bin/emulation_tests
HASH := \#
EMULATED_NEEDS := cuda_runtime_api.h curand_kernel.h cublas_v2.h nvtx3/nvToolsExt.h boost/context/detail/fcontext.hpp
# The first of these headers that is missing, or "CUDA 12".
EMULATED_MISSING := $(shell { for h in $(EMULATED_NEEDS); do \
  printf '%s\n' "$(HASH)if !__has_include(<$$h>)" "missing $$h" "$(HASH)endif"; done; \
  printf '%s\n' "$(HASH)include <cuda_runtime_api.h>" "$(HASH)if CUDART_VERSION < 12000" "missing CUDA 12" "$(HASH)endif"; } | \
  $(CXX) $(CUDA_INCLUDE) -x c++ -E -P - 2>/dev/null | sed -n 's/^missing //p' | head -1)

EMULATED_FLAGS = -Itests/emulated_cuda $(CPPFLAGS_ALL) $(CUDA_INCLUDE) $(CXXFLAGS_ALL) -Wno-unknown-pragmas
EMULATED_OBJECTS := $(patsubst %.cpp,$(BUILD)/obj/%.o,$(sort $(wildcard tests/emulated_cuda/*.cpp)))
EMULATED_KERNELS := $(CUDA_KERNELS:%.cu=$(BUILD)/obj/emulated/%.o)
EMULATION_TEST_OBJECTS := $(patsubst %.cu,$(BUILD)/obj/emulated/%.o,$(sort $(wildcard tests/emulation/*.cu)))

$(EMULATED_OBJECTS): $(BUILD)/obj/%.o: %.cpp
	@mkdir -p $(@D)
	$(CXX) $(EMULATED_FLAGS) -c $< -o $@

# g++ reads the kernels' own files as C++.
$(BUILD)/obj/emulated/%.o: %.cu
	@mkdir -p $(@D)
	$(CXX) $(EMULATED_FLAGS) -x c++ -c $< -o $@

$(EMULATED_LIBRARY): $(CUDA_OBJECTS) $(EMULATED_KERNELS) $(EMULATED_OBJECTS) src/kernels/cuda/exports.map
	@mkdir -p $(@D)
	$(CXX) -shared -Wl,--version-script=src/kernels/cuda/exports.map $(LDFLAGS_ALL) $(filter %.o,$^) -o $@ \
	  -l:libboost_context.a -lpthread -ldl

$(EMULATION_TESTS): $(EMULATION_TEST_OBJECTS) $(EMULATED_OBJECTS) $(CUDA_OBJECTS) $(EMULATED_KERNELS)
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) $^ -o $@ -l:libboost_context.a -lgtest -lgtest_main -lpthread

.PHONY: found-emulated
found: found-emulated
ifeq ($(EMULATED_MISSING),)
test: $(EMULATED_LIBRARY) $(EMULATION_TESTS)
found-emulated:
	@echo "  emulation  the tests run the CUDA half on the CPU too"
else
found-emulated:
	@echo "  emulation  no $(EMULATED_MISSING): the tests do not run the CUDA half"
endif
