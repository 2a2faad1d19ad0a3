# SPDX-License-Identifier: MIT
# The CUDA half: $(BUILD)/lib/libebm_cuda.so, which programs open at run time when a GPU answers. Built only where nvcc 12
# or later is found: under CUDA_HOME, else on PATH, else in /usr/local/cuda.

CUDA_NAMED := $(CUDA_HOME)
$(if $(CUDA_NAMED),$(if $(wildcard $(addprefix $(CUDA_NAMED)/,bin/nvcc include/cuda_runtime_api.h targets/*/include/cuda_runtime_api.h)),,\
  $(error CUDA_HOME=$(CUDA_NAMED): neither bin/nvcc nor include/cuda_runtime_api.h is below it)))
NVCC ?= $(firstword $(wildcard $(CUDA_NAMED:%=%/bin/nvcc)) $(shell command -v nvcc 2>/dev/null) $(wildcard /usr/local/cuda/bin/nvcc))
ifeq ($(CUDA_NAMED),)
override CUDA_HOME = $(patsubst %/bin/nvcc,%,$(or $(realpath $(NVCC)),/usr/local/cuda/bin/nvcc))
endif
NVCC_RELEASE := $(if $(NVCC),$(shell $(NVCC) --version 2>/dev/null | sed -n 's/.*release \([0-9]*\).*/\1/p'))

# The GPUs that tests/devices describes: T4, A100, H100, and B200 from the PTX of the last. A nvcc that knows one of these no
# more leaves it out.
NVCC_ARCHS := $(if $(NVCC_RELEASE),$(patsubst sm_%,%,$(shell $(NVCC) --list-gpu-code 2>/dev/null)))
CUDA_ARCH ?= $(or $(filter $(NVCC_ARCHS),75 80 90),75 80 90)

# The CUDA half's own C++: the same objects serve the emulated library (tests/emulated_cuda).
# conda has the headers and libraries in targets/.
CUDA_HEADERS := $(firstword $(wildcard $(foreach d,include targets/*/include,$(CUDA_HOME)/$d/cuda_runtime_api.h)) $(CUDA_HOME)/include/-)
CUDA_INCLUDE := $(if $(filter /usr,$(CUDA_HOME)),,-isystem $(patsubst %/,%,$(dir $(CUDA_HEADERS))))
# cudnn.h 9.8 or later, or convolutions are left out.
CUDNN_HEADER := $(shell printf '%s\n' '$(HASH)include <cudnn.h>' '$(HASH)if CUDNN_VERSION >= 90800' 'yes' '$(HASH)endif' | \
  $(CXX) $(CUDA_INCLUDE) $(PLACES_CPPFLAGS) $(CPPFLAGS) -x c++ -E -P - 2>/dev/null | grep -x yes)
CUDNN_FOUND := $(if $(CUDNN_HEADER),,$(COMMA) without convolutions: no cudnn.h of cuDNN 9.8 or later)
# CUTLASS, headers alone: under CUTLASS_ROOT, else in the Python package nvidia-cutlass. Its kernels need compute capability
# 8.0: without it, or without such an architecture, there is no 3xTF32.
CUTLASS_PLACES := $(if $(CUTLASS_ROOT),$(CUTLASS_ROOT),$(if $(NVCC_RELEASE),$(shell python3 -c 'import sysconfig; print(sysconfig.get_path("purelib"))' 2>/dev/null)/cutlass_library/source))
CUTLASS := $(firstword $(foreach d,include .,$(patsubst %/cutlass/cutlass.h,%,$(wildcard $(CUTLASS_PLACES)/$d/cutlass/cutlass.h))))
$(if $(CUTLASS_ROOT),$(if $(CUTLASS),,$(error CUTLASS_ROOT=$(CUTLASS_ROOT): there is no include/cutlass/cutlass.h below it)))
TILED_ARCH := $(foreach a,$(CUDA_ARCH),$(shell test $(patsubst %a,%,$(patsubst %f,%,$a)) -ge 80 && echo $a))
TILED := $(if $(and $(CUTLASS),$(TILED_ARCH)),cutlass,no_cutlass)
TILED_FOUND := $(COMMA) $(if $(filter cutlass,$(TILED)),3xTF32 by $(CUTLASS),no 3xTF32: $(if $(CUTLASS),CUDA_ARCH has no 80 or later,no CUTLASS (pip install nvidia-cutlass==4.2.0.0; or CUTLASS_ROOT)))
CUDA_SOURCES := $(sort $(wildcard src/kernels/cuda/*.cpp src/kernels/cuda/nccl/*.cpp src/kernels/cuda/$(if $(CUDNN_HEADER),cudnn,no_cudnn)/*.cpp src/kernels/cuda/$(TILED)/*.cpp))
CUDA_KERNELS := $(sort $(wildcard src/kernels/cuda/*.cu))
TILED_KERNELS := $(sort $(wildcard src/kernels/cuda/$(TILED)/*.cu))
CUDA_OBJECTS := $(CUDA_SOURCES:%.cpp=$(BUILD)/obj/%.o) $(patsubst %,$(BUILD)/obj/src/%.o,kernels/library_search kernels/tiles core/waiting core/node)
CUDA_KERNEL_OBJECTS := $(patsubst %.cu,$(BUILD)/obj/%.cu.o,$(CUDA_KERNELS) $(TILED_KERNELS))
CUDA_LIBRARY := $(BUILD)/lib/libebm_cuda.so
$(BUILD)/obj/src/kernels/cuda/%.o: CPPFLAGS_ALL += $(CUDA_INCLUDE)

# 554: nvcc's complaint about a conversion of view.h that BasicView<const T> does not need.
# For some architectures, the last one's PTX too.
code_for = $(foreach a,$1,-gencode arch=compute_$a,code=sm_$a) $(foreach a,$(lastword $1),-gencode arch=compute_$a,code=compute_$a)
NVCCFLAGS_ALL := -std=c++20 -O3 -lineinfo -Isrc -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wextra -diag-suppress 554 -Xptxas -v,-warn-spills \
  $(NVCCFLAGS)
CODE = $(call code_for,$(CUDA_ARCH))

$(BUILD)/flags.cuda: TEXT = $(shell $(NVCC) --version | cksum) $(NVCCFLAGS_ALL) $(CODE) $(CUTLASS)
$(TILED_KERNELS:%.cu=$(BUILD)/obj/%.cu.o): CODE = -isystem $(CUTLASS) --expt-relaxed-constexpr $(call code_for,$(TILED_ARCH))
# Beside the object stay what ptxas said of the kernels (.ptxas) and their PTX and cubin (.kept/), for scripts/kernel_report.
$(BUILD)/obj/%.cu.o: %.cu $(BUILD)/flags.cuda | found
	@rm -rf $(@:.o=.kept) && mkdir -p $(@:.o=.kept)
	$(NVCC) $(NVCCFLAGS_ALL) $(CODE) -MMD -MP -MF $(@:.o=.d) --keep --keep-dir $(@:.o=.kept) -c $< -o $@ 2>$(@:.o=.ptxas) || \
	  { cat $(@:.o=.ptxas) >&2; rm $(@:.o=.ptxas); exit 1; }
	@find $(@:.o=.kept) -type f ! -name '*.ptx' ! -name '*.cubin' -delete; \
	  grep -vE '^ptxas info|^ +[0-9]+ bytes stack frame' $(@:.o=.ptxas) >&2 || true

CUDA_LIBRARIES := $(firstword $(patsubst %/,%,$(dir $(wildcard $(foreach d,lib64 lib targets/*/lib,$(CUDA_HOME)/$d/libcublas.so)))))
# Programs look in /usr/local/cuda by themselves (src/kernels/library_search.h).
CUDA_LINK := $(patsubst %,-L%,$(CUDA_LIBRARIES)) $(call rpaths,$(patsubst %,-L%,$(filter-out /usr/local/cuda%,$(CUDA_LIBRARIES)))) -lcublas -lcudart_static -lrt -lpthread -ldl
$(CUDA_LIBRARY): $(CUDA_OBJECTS) $(CUDA_KERNEL_OBJECTS) src/kernels/cuda/exports.map
	@mkdir -p $(@D)
	$(CXX) -shared -Wl,--version-script=src/kernels/cuda/exports.map -Wl,-z,defs $(LDFLAGS_ALL) $(filter %.o,$^) -o $@ \
	  $(CUDA_LINK)

# The plans of cuDNN, tried on the GPU at hand: linked to what the library is made of.
PLANS_OBJECTS := $(patsubst %.cpp,$(BUILD)/obj/%.o,$(sort $(wildcard bench/convolution_plans/*.cpp)))
$(PLANS_OBJECTS): CPPFLAGS_ALL += $(CUDA_INCLUDE)
$(BUILD)/bin/convolution_plans: $(PLANS_OBJECTS) $(CUDA_OBJECTS) $(CUDA_KERNEL_OBJECTS) $(BUILD)/libebm.a
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) $^ -o $@ $(CUDA_LINK) $(LIBS)

$(BUILD)/bin/occupancy: scripts/occupancy.cpp
	@mkdir -p $(@D)
	$(CXX) -std=c++20 -O1 -Wall -Wextra $(CUDA_INCLUDE) $< -o $@
kernel-report: $(CUDA_LIBRARY) $(BUILD)/bin/occupancy
	@scripts/kernel_report --occupancy $(BUILD)/bin/occupancy $(BUILD)/obj/src/kernels/cuda

ifneq ($(SANITIZE),)
CUDA_FOUND := not in a sanitized build
else ifeq ($(NVCC_RELEASE),)
CUDA_FOUND := no nvcc: programs run on the CPU alone
else ifeq ($(shell test $(NVCC_RELEASE) -ge 12 && echo yes),yes)
CUDA_FOUND := $(NVCC) (release $(NVCC_RELEASE)), CUDA_ARCH=\"$(CUDA_ARCH)\"$(CUDNN_FOUND)$(TILED_FOUND)
all: $(CUDA_LIBRARY)
bench-program: $(if $(CUDNN_HEADER),$(BUILD)/bin/convolution_plans)
else
CUDA_FOUND := $(NVCC) is release $(NVCC_RELEASE), which knows no C++20: programs run on the CPU alone
endif

# For several GPUs; no build needs it. Programs look in more places (src/kernels/library_search.h).
NCCL_LIBRARY := $(firstword $(wildcard $(foreach d,$(NCCL_HOME:%=%/lib64) $(NCCL_HOME:%=%/lib) $(CUDA_LIBRARIES) $(CUDA_HOME)/lib,$d/libnccl.so.2)) \
  $(shell { /sbin/ldconfig -p 2>/dev/null || true; } | sed -n 's/.*libnccl\.so\.2 .*=> //p'))
NCCL_FOUND := $(if $(NCCL_HOME),$(if $(filter $(NCCL_HOME)/%,$(NCCL_LIBRARY)),,no lib/libnccl.so.2 below NCCL_HOME=$(NCCL_HOME)$(COMMA) ))$(or $(NCCL_LIBRARY),none here: wanted where programs train on several GPUs (NCCL_HOME names where one is))

# What scripts/gpu_trace puts into a program, where CUPTI is (gpu_trace looks for it), and the same over a stand-in for CUPTI.
CUPTI_HEADER := $(firstword $(wildcard $(CUDA_HOME)/include/cupti.h $(CUDA_HOME)/extras/CUPTI/include/cupti.h))
TRACE_LIBRARY := $(BUILD)/lib/libebm_trace.so
PLANTED_TRACE := $(BUILD)/bin/planted_trace
$(TRACE_LIBRARY): scripts/gpu_trace.cpp
	CXX='$(CXX)' CUDA_HOME='$(CUDA_HOME)' scripts/gpu_trace --build $@
$(PLANTED_TRACE): scripts/gpu_trace.cpp tests/emulated_cuda/cupti/planted_trace.cpp $(BUILD)/flags
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS_ALL) $(CUDA_INCLUDE) $(if $(findstring /CUPTI/,$(CUPTI_HEADER)),-isystem $(dir $(CUPTI_HEADER))) $(LDFLAGS_ALL) $(filter %.cpp,$^) -o $@ -ldl
ifneq ($(and $(CUPTI_HEADER),$(shell command -v python3)),)
all: $(if $(SANITIZE),,$(TRACE_LIBRARY))
test-binaries: $(PLANTED_TRACE)
endif
