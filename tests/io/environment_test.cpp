// SPDX-License-Identifier: MIT
#include "io/environment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <regex>

namespace ebm {
namespace {

TEST(EnvironmentTest, SaysWhatARunWasMadeWith) {
  const char* arguments[] = {"./toy_bb", "--out", "it's here", "--batch=5", ""};
  const auto all = environment(5, arguments);
  const auto value = [&](const std::string& name) {
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const NameValue& e) { return e.name == name; });
    return found == all.end() ? std::string("(missing)") : found->value;
  };
  for (const char* name : {"version", "compiler", "build_flags", "hdf5", "host", "cpu"}) {
    EXPECT_NE(value(name), "(missing)") << name;
    EXPECT_FALSE(value(name).empty()) << name;
  }
  EXPECT_EQ(value("version"), version());
  EXPECT_EQ(value("command_line"), "./toy_bb --out 'it'\\''s here' --batch=5 ''");
  EXPECT_TRUE(std::regex_match(value("date"), std::regex(R"(20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)")))
      << value("date");
  EXPECT_GE(std::stoi(value("threads")), 1);
}

}  // namespace
}  // namespace ebm
