# SPDX-License-Identifier: MIT
# $(BUILD)/bin/access_tests: formulas against what they tell about their arrays. Not in sanitized builds, which
# instrument loads and stores for another purpose.

ACCESS_TESTS := $(BUILD)/bin/access_tests
ACCESS_OBJECTS := $(patsubst %.cpp,$(BUILD)/obj/%.o,tests/accesses/instrumented.cpp \
  $(sort $(filter-out tests/accesses/instrumented.cpp,$(wildcard tests/accesses/*.cpp))) tests/support/launch_order.cpp)

$(BUILD)/obj/tests/accesses/instrumented.o: CXXFLAGS_ALL += -O1 -g1 -fsanitize=thread
$(ACCESS_OBJECTS): | found-tests

# instrumented.o comes first: see there.
$(ACCESS_TESTS): $(ACCESS_OBJECTS) $(CPU_CHECK) $(BUILD)/libebm.a
	@mkdir -p $(@D)
	$(CXX) $(LDFLAGS_ALL) $(ACCESS_OBJECTS) $(CPU_CHECK) -o $@ $(BUILD)/libebm.a $(LIBS) -lgtest -lgtest_main

ifeq ($(SANITIZE),)
TEST_BINARIES += $(ACCESS_TESTS)
endif
