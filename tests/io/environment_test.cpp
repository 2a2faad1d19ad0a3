// SPDX-License-Identifier: MIT
#include "io/environment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>

namespace ebm {
namespace {

TEST(EnvironmentTest, SaysWhatARunWasMadeWith) {
  setenv("TZ", "XXX-10", 1);
  tzset();
  const char* arguments[] = {"./toy_bb", "--out", "it's here", "--batch=5", ""};
  const auto all = environment(5, arguments, 3);
  unsetenv("TZ");
  tzset();
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
  std::tm date{};
  const std::string text = value("date");
  const char* end = strptime(text.c_str(), "%Y-%m-%dT%H:%M:%SZ", &date);
  EXPECT_TRUE(end != nullptr && *end == '\0' && text.size() == 20) << text;
  EXPECT_NEAR(std::difftime(timegm(&date), std::time(nullptr)), 0, 3600);  // of UTC, whatever the time zone
  EXPECT_EQ(value("threads"), "3");
}

}  // namespace
}  // namespace ebm
