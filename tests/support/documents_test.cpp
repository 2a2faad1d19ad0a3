// SPDX-License-Identifier: MIT
// What the documents say of programs, files and tests, where a program can check it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <sstream>

#include "support/files.h"
#include "support/process.h"

namespace ebm::test {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<std::smatch> matches(const std::string& text, const std::regex& pattern) {
  return {std::sregex_iterator(text.begin(), text.end(), pattern), {}};
}

class DocumentsTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(root_ / "README.md") || !fs::exists(root_ / "docs/reliability.md"))
      GTEST_SKIP() << "the documents are not here";
  }
  std::vector<fs::path> pages() const {
    std::vector<fs::path> pages{root_ / "README.md", root_ / "CONTRIBUTING.md"};
    for (const auto& entry : fs::directory_iterator(root_ / "docs")) {
      if (entry.path().extension() == ".md") pages.push_back(entry.path());
    }
    return pages;
  }
  const fs::path root_ = golden_folder() / "../..";
};

TEST_F(DocumentsTest, LinksLeadToFiles) {
  const std::regex link(R"(\]\(([^)#:]+)(#[^)]*)?\))");
  size_t found = 0;
  for (const fs::path& page : pages()) {
    const std::string text = text_of(page);
    for (const std::smatch& match : matches(text, link)) {
      ++found;
      EXPECT_TRUE(fs::exists(page.parent_path() / match[1].str())) << page << " links to " << match[1];
    }
  }
  EXPECT_GT(found, 10u);
}

// Each is run in an empty folder, for a device that there is not: it must get as far as to miss that or a
// file.
TEST_F(DocumentsTest, CommandsOfTheReadmeAreUnderstood) {
  if (program_path("cifar10_bb").empty()) GTEST_SKIP() << "the programs are not built";
  const fs::path empty = fs::path(testing::TempDir()) / "readme_commands";
  fs::create_directories(empty);
  const std::string text = text_of(root_ / "README.md");
  size_t found = 0;
  for (const std::smatch& match : matches(text, std::regex(R"(\./experiments/(\w+) ([^#\n`]+))"))) {
    std::string options = match[2];
    if (options.starts_with("  ")) options.clear();  // alone on its line, a comment behind it
    const std::string program = match[1];
    if (program != "prepare_data" && program != "roofline") options += " --device none_such";
    const Finished done = run_command(
        {"/bin/sh", "-c", "cd '" + empty.string() + "' && exec '" + program_path(program) + "' " + options});
    EXPECT_TRUE(done.status == 1 || (done.status == 2 && done.err.find("none_such") != std::string::npos))
        << match[0] << ": status " << done.status << ", " << done.err;
    ++found;
  }
  EXPECT_GT(found, 6u);
  EXPECT_FALSE(fs::exists(empty / "runs")) << "a run began";
  fs::remove_all(empty);
}

/// "Suite.Name" of every test in the sources.
std::set<std::string> all_tests(const fs::path& root) {
  const std::regex declaration(R"(\bTEST(?:_F|_P)?\(\s*(\w+),\s*(\w+)\s*\))");
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(root / "tests")) {
    if (entry.path().extension() != ".cpp" && entry.path().extension() != ".cu") continue;
    const std::string text = text_of(entry.path());
    for (const std::smatch& match : matches(text, declaration)) {
      names.insert(match[1].str() + "." + match[2].str());
    }
  }
  return names;
}

TEST_F(DocumentsTest, ThePromisesNameTestsThatThereAre) {
  const std::set<std::string> tests = all_tests(root_);
  std::istringstream lines(text_of(root_ / "docs/reliability.md"));
  const std::regex name(R"(`([A-Z]\w+\.[A-Z]\w+)`)");
  size_t promises = 0;
  for (std::string line; std::getline(lines, line);) {
    // A row of a table: | promise | where it is said | tests |
    if (!line.starts_with("| ") || line.starts_with("| promise")) continue;
    ++promises;
    const std::string last = line.substr(line.rfind(" | ") + 3);
    const auto named = matches(last, name);
    EXPECT_TRUE(!named.empty() || last.find("`make ") != std::string::npos ||
                last.find("the compiler") != std::string::npos)
        << "nothing holds: " << line;
    for (const std::smatch& match : named)
      EXPECT_TRUE(tests.count(match[1]) == 1) << match[1] << " is no test";
  }
  EXPECT_GT(promises, 60u);
}

}  // namespace
}  // namespace ebm::test
