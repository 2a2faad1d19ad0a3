// SPDX-License-Identifier: MIT
// The HTML page of runs: well formed, self-contained, and with the numbers of run.h5.
#include "report/run_report.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <regex>

#include "../io/io_fixture.h"
#include "io/atomic_file.h"
#include "io/config_values.h"
#include "io/utf8.h"
#include "report/html.h"
#include "support/process.h"

namespace ebm::test {
namespace {

using nlohmann::json;

constexpr double nan_value = std::numeric_limits<double>::quiet_NaN();
constexpr const char* hostile = "a<i>\"b\" & 'c' </script><script>alert(1)</script>";

/// The number of elements when every start tag of `page` has its end tag in the right order, else -1. What stands in
/// style and script is text up to their end tag.
int64_t elements(const std::string& page) {
  const std::regex tag("<(/?)([a-zA-Z][a-zA-Z0-9]*)(\\s[^<>]*)?>");
  const std::vector<std::string> without_end{"meta", "link", "input", "img", "br"};
  std::vector<std::string> open;
  int64_t count = 0;
  for (std::string::const_iterator at = page.begin();;) {
    std::smatch found;
    if (!std::regex_search(at, page.end(), found, tag)) break;
    if (std::string(at, found[0].first).find('<') != std::string::npos && count > 0) return -1;
    at = found[0].second;
    const std::string name = found[2];
    if (found[1].length() > 0) {
      if (open.empty() || open.back() != name) return -1;
      open.pop_back();
      continue;
    }
    ++count;
    if (std::find(without_end.begin(), without_end.end(), name) != without_end.end()) continue;
    open.push_back(name);
    if (name != "script" && name != "style") continue;
    const std::string end = "</" + name;
    at = std::search(at, page.end(), end.begin(), end.end());
  }
  return open.empty() ? count : -1;
}

json data_of(const std::string& page) {
  const std::string begin = "<script type=\"application/json\" id=\"data\">";
  const size_t from = page.find(begin) + begin.size();
  return json::parse(page.substr(from, page.find("</script>", from) - from));
}

RunOfReport made_up(const std::string& name, const std::string& config) {
  RunOfReport run{.name = name,
                  .log = {.config = config,
                          .environment = {{"device", "cpu"}, {"host", name}},
                          .metrics = {.names = {"loss", "kl<&>"}, .iterations = {}, .columns = {{}, {}}},
                          .time = {}},
                  .pictures = {},
                  .measured = {{.name = "modes", .protocol = "by <hand>", .iteration = 7, .values = {}}}};
  run.measured[0].values = {{"modes", {2, 3, 4}}, {"kl", {0.5}}};
  for (int64_t i = 0; i < 11; ++i) {
    const double x = static_cast<double>(i);
    run.log.metrics.append(10 * i + 3,
                           std::vector{i == 4 ? nan_value : std::sin(x), i % 5 == 1 ? x / 7 : nan_value});
  }
  run.pictures = {{"samples", 5, "image/png", {1, 2, 3}}, {"samples", 10, "image/png", {4, 5}}};
  return run;
}

constexpr const char* config_a = "program = \"x\"\nbatch = 64  # samples\nname = \"<b>\"\n";
constexpr const char* config_b = "program = \"x\"\nbatch = 32\nname = \"<b>\"\nmore = true\n";

TEST(RunReportTest, IsWellFormedWhateverTheNamesAre) {
  const std::string page = run_report({made_up(hostile, config_a), made_up("\xff\x01 plain", config_b)});
  EXPECT_GT(elements(page), 60);
  EXPECT_EQ(page.find("alert(1)</"), std::string::npos);
  EXPECT_EQ(page.find("<i>\""), std::string::npos);
  EXPECT_EQ(valid_utf8(page), page);
  EXPECT_EQ(data_of(page)["runs"][0]["name"], hostile);
  EXPECT_EQ(data_of(page)["runs"][1]["name"], "\xEF\xBF\xBD\x01 plain");
}

TEST(RunReportTest, TheCheckSeesFaults) {
  EXPECT_EQ(elements("<p><b>x</b><img src=\"a\"></p>"), 3);
  for (const char* page : {"<p><b>x</p></b>", "<p>", "<p>x</p></p>", "<p>a < b</p>"})
    EXPECT_EQ(elements(page), -1);
}

TEST(RunReportTest, LoadsNothing) {
  const std::string page = run_report({made_up("a", config_a)});
  const std::regex address("(src|href|action|data|url)\\s*[=(]\\s*[\"']?([^\"')> ]*)");
  int64_t found = 0;
  for (std::sregex_iterator i(page.begin(), page.end(), address), end; i != end; ++i) {
    const std::string to = (*i)[2];
    EXPECT_EQ(to.find("//"), std::string::npos) << to;
    found += to.starts_with("data:") ? 1 : 0;
  }
  EXPECT_EQ(found, 2) << "the icon and the newest picture";
  EXPECT_EQ(page.find("@import"), std::string::npos);
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_NE(page.find("default-src 'none'"), std::string::npos);
}

TEST(RunReportTest, HasTheNumbersOfTheRunAndGaps) {
  const RunOfReport run = made_up("a", config_a);
  const json metrics = data_of(run_report({run}))["runs"][0]["metrics"];
  ASSERT_EQ(metrics.size(), 2u);
  const json& loss = metrics["loss"];
  ASSERT_EQ(loss["y"].size(), 11u);
  for (size_t i = 0; i < 11; ++i) {
    EXPECT_EQ(loss["x"][i], run.log.metrics.iterations[i]);
    if (i == 4) {
      EXPECT_TRUE(loss["y"][i].is_null()) << "NaN is a gap";
    } else {
      EXPECT_EQ(loss["y"][i].get<double>(), run.log.metrics.columns[0][i]);
    }
  }
  EXPECT_EQ(metrics["kl<&>"]["x"], (std::vector<int64_t>{13, 63}));
  EXPECT_EQ(metrics["kl<&>"]["y"], (std::vector<double>{1 / 7.0, 6 / 7.0}));
}

TEST(RunReportTest, LongRunsAreThinned) {
  RunOfReport run = made_up("a", config_a);
  run.log.metrics = {.names = {"loss"}, .iterations = {}, .columns = {{}}};
  for (int64_t i = 0; i < 30000; ++i)
    run.log.metrics.append(i, std::vector{i == 12345 ? 1e6 : std::cos(0.001 * static_cast<double>(i))});
  const std::string page = run_report({run});
  const json y = data_of(page)["runs"][0]["metrics"]["loss"]["y"];
  EXPECT_LE(y.size(), 2000u);
  EXPECT_GT(y.size(), 600u);
  EXPECT_NE(std::find(y.begin(), y.end(), 1e6), y.end());
  EXPECT_LT(page.size(), 150'000u);
}

TEST(RunReportTest, MarksWhatDiffersAndListsWhatWasMeasured) {
  const auto count = [](const std::string& text, const std::string& part) {
    int64_t found = 0;
    for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; ++at) ++found;
    return found;
  };
  const std::string two = run_report({made_up("a", config_a), made_up("b", config_b)}),
                    same = run_report({made_up("a", config_a), made_up("a", config_a)}),
                    one = run_report({made_up("a", config_a)});
  EXPECT_EQ(count(two, "<tr class=\"differs\">"), 3) << "batch, more, host";
  EXPECT_NE(two.find("<tr class=\"differs\"><th scope=\"row\">batch</th><td>64</td><td>32</td>"),
            std::string::npos);
  EXPECT_NE(two.find("<tr class=\"differs\"><th scope=\"row\">more</th><td></td><td>true</td>"),
            std::string::npos);
  EXPECT_EQ(count(same, "<tr class=\"differs\">"), 0);
  EXPECT_EQ(count(one, "<tr class=\"differs\">"), 0);
  EXPECT_NE(one.find("<tr><td>modes modes</td><td>3 ± 1 (iteration 7)<sup>a</sup></td></tr>"),
            std::string::npos);
  EXPECT_NE(one.find("<sup>a</sup> modes: by &lt;hand&gt;</p>"), std::string::npos);
}

TEST(RunReportTest, PicturesAreOfAllIterationsAndTheNewestIsThereOnce) {
  const std::string page = run_report({made_up("a", config_a)});
  const json pictures = data_of(page)["runs"][0]["pictures"]["samples"];
  ASSERT_EQ(pictures.size(), 2u);
  EXPECT_EQ(pictures[0], json::array({5, "data:image/png;base64,AQID"}));
  EXPECT_EQ(pictures[1], json::array({10, ""}));
  EXPECT_NE(page.find("src=\"data:image/png;base64,BAU=\""), std::string::npos);
}

TEST(HtmlTest, Base64IsThatOfTheRfc) {
  const std::pair<std::string, std::string> known[] = {{"", ""},
                                                       {"f", "Zg=="},
                                                       {"fo", "Zm8="},
                                                       {"foo", "Zm9v"},
                                                       {"foob", "Zm9vYg=="},
                                                       {"fooba", "Zm9vYmE="},
                                                       {"foobar", "Zm9vYmFy"}};
  for (const auto& [text, expected] : known) {
    const std::vector<uint8_t> bytes(text.begin(), text.end());
    EXPECT_EQ(base64(bytes), expected);
  }
  EXPECT_EQ(base64(std::vector<uint8_t>{0xFB, 0xFF, 0xFE}), "+//+");
}

TEST(HtmlTest, JsonGivesBackItsValues) {
  for (const double value : {0.1, -1.5e300, 1e-310, 0.0, static_cast<double>(0.1f), 1e22, 123456789.0})
    EXPECT_NEAR(json::parse(json_number(value)).get<double>(), value, std::abs(value) * 6e-8);
  EXPECT_EQ(json_number(nan_value), "null");
  EXPECT_EQ(json_number(-HUGE_VAL), "null");
  for (const std::string text : {"", "\"\\/\n\t\x01", "</script>&amp;", "ü €"})
    EXPECT_EQ(json::parse(json_string(text)).get<std::string>(), text);
}

TEST(HtmlTest, WhatIsNoUtf8IsReplaced) {
  EXPECT_EQ(valid_utf8("a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80"), "a\xC3\xBC\xE2\x82\xAC\xF0\x9F\x98\x80");
  const std::string sign = "\xEF\xBF\xBD";
  EXPECT_EQ(valid_utf8("\xFF"), sign);
  EXPECT_EQ(valid_utf8("\xC3(x"), sign + "(x");
  EXPECT_EQ(valid_utf8("\xE2\x82"), sign);
  for (const char* wrong : {"\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80"})
    EXPECT_EQ(valid_utf8(wrong).find(wrong), std::string::npos);
  EXPECT_EQ(valid_utf8(std::string_view("a\0b", 3)), "a" + sign + "b");
}

TEST(ConfigValuesTest, AreTheLinesInTheirOrder) {
  const std::vector<NameValue> expected{{"program", "x"}, {"batch", "32"}, {"name", "<b>"}, {"more", "true"}};
  EXPECT_EQ(config_values(config_b, "here"), expected);
  EXPECT_HAS(error_of([] { (void)config_values("a = = 1", "here"); }), "here:1:");
}

class ReportProgramTest : public IoTest {};

TEST_F(ReportProgramTest, WritesAPageOfAFolder) {
  if (program_path("report").empty()) GTEST_SKIP() << "the programs are not built";
  const RunOfReport made = made_up("a", config_a);
  std::filesystem::create_directories(*this / "run <1>/samples");
  RunLog log = RunLog::create(*this / "run <1>/run.h5", config_a, made.log.environment,
                              made.log.metrics.names, made.log.metrics);
  log.close();
  for (const int64_t iteration : {10, 200, 30, 400, 50})
    write_file(*this / ("run <1>/samples/samples-0000" + std::to_string(iteration) + ".png"),
               std::to_string(iteration));
  write_file(*this / "run <1>/samples/notes.txt", "no picture");
  write_file(*this / "run <1>/samples/samples-x.png", "no number");
  const std::string page = (*this / "page.html").string();
  const Finished finished = run_command(
      {program_path("report"), (*this / "run <1>").string() + "/", "-o", page, "--pictures", "2"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_HAS(finished.out, page);
  const std::vector<uint8_t> bytes = read_file(page);
  const json run = data_of({bytes.begin(), bytes.end()})["runs"][0];
  EXPECT_EQ(run["name"], "run <1>");
  EXPECT_EQ(run["metrics"]["loss"]["y"][1].get<double>(), std::sin(1.0));
  ASSERT_EQ(run["pictures"]["samples"].size(), 2u);
  EXPECT_EQ(run["pictures"]["samples"][0][0], 30);
  EXPECT_EQ(run["pictures"]["samples"][1][0], 400);

  const Finished missing = run_command({program_path("report"), (*this / "none").string()});
  EXPECT_EQ(missing.status, 1);
  EXPECT_HAS(missing.err, "none/run.h5; give the folder of a run");
}

}  // namespace
}  // namespace ebm::test
