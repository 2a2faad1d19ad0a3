// SPDX-License-Identifier: MIT
// data/fetch.sh against a server on this machine (tests/data/file_server.py). Run from the repository's root.
#include <sstream>

#include "data/data_fixture.h"
#include "support/file_server.h"

namespace ebm::test {
namespace {

Finished shell(const std::string& line) {
  return run_command({"/bin/sh", "-c", line});
}

class FetchTest : public IoTest {
 protected:
  void SetUp() override {
    IoTest::SetUp();
    if (!std::filesystem::exists("data/fetch.sh")) GTEST_SKIP() << "not run from the repository's root";
    for (const char* tool : {"python3", "curl", "md5sum", "sha256sum", "tar"}) {
      if (shell(std::string("command -v ") + tool).status != 0) GTEST_SKIP() << "there is no " << tool;
    }
    std::filesystem::create_directory(*this / "official");
  }
  /// A file on the server, and its line in the table.
  void offer(const std::string& name, const std::string& file, const Bytes& content,
             const std::string& sums = "md5sum") {
    write_quickly(*this / "official" / file, content);
    const std::string said = shell(sums + " < " + (*this / "official" / file).string()).out;
    std::ofstream(*this / "table", std::ios::app)
        << name << " " << file << " " << said.substr(0, said.find(' ')) << " http://127.0.0.1:9\n";
  }
  Finished fetch(const std::vector<std::string>& arguments) {
    std::vector<std::string> words{
        "/usr/bin/env",           "bash", "data/fetch.sh", "--table", (*this / "table").string(), "--to",
        (*this / "data").string()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return run_command(words);
  }
  Finished fetch_from(const std::vector<std::string>& server_options, const std::string& name) {
    const FileServer server(folder_, server_options);
    return fetch({"--base-url", server.url() + "/", name});
  }
  /// The requests that the server has seen.
  std::vector<std::string> requests() {
    std::ifstream log(*this / "log");
    std::vector<std::string> lines;
    for (std::string line; std::getline(log, line);) lines.push_back(line);
    return lines;
  }
  static int64_t lines(const std::string& text) { return std::count(text.begin(), text.end(), '\n'); }

  const Bytes content_ = Dice(1).bytes(100'000), other_ = Dice(2).bytes(10);
};

TEST_F(FetchTest, DownloadsAllFilesOfANameOnce) {
  offer("mnist", "a.gz", content_);
  offer("other", "c.gz", other_);
  offer("mnist", "b.gz", other_);
  EXPECT_EQ(fetch_from({}, "mnist").status, 0);
  EXPECT_EQ(read_file(*this / "data" / "mnist" / "a.gz"), content_);
  EXPECT_EQ(read_file(*this / "data" / "mnist" / "b.gz"), other_);
  EXPECT_FALSE(std::filesystem::exists(*this / "data" / "other"));
  EXPECT_EQ(requests().size(), 2u);
  const Finished again = fetch({"mnist"});  // nobody serves: nothing may be asked for
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_HAS(again.out, "a.gz: is there");
}

TEST_F(FetchTest, GoesOnWhereADownloadWasCutOff) {
  offer("mnist", "a.gz", content_);
  const Finished outcome = fetch_from({"--cut", "40000"}, "mnist");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(read_file(*this / "data" / "mnist" / "a.gz"), content_);
  EXPECT_EQ(requests(), (std::vector<std::string>{"/a.gz ", "/a.gz bytes=40000-", "/a.gz bytes=80000-"}));
}

TEST_F(FetchTest, GoesOnInALaterRun) {
  offer("mnist", "a.gz", content_);
  std::filesystem::create_directories(*this / "data" / "mnist");
  const auto part = *this / "data" / "mnist" / "a.gz.part";
  write_quickly(part, {content_.begin(), content_.begin() + 70'000});
  EXPECT_EQ(fetch_from({}, "mnist").status, 0);
  EXPECT_EQ(requests(), std::vector<std::string>{"/a.gz bytes=70000-"});
  EXPECT_EQ(read_file(*this / "data" / "mnist" / "a.gz"), content_);

  std::filesystem::remove(*this / "data" / "mnist" / "a.gz");
  write_quickly(part, {content_.begin(), content_.begin() + 60'000});
  EXPECT_EQ(fetch({"mnist"}).status, 1);  // nobody serves
  EXPECT_EQ(std::filesystem::file_size(part), 60'000u) << "what is there is kept";
  write_quickly(part, content_);  // killed before it was renamed
  EXPECT_EQ(fetch({"mnist"}).status, 0);
  EXPECT_EQ(read_file(*this / "data" / "mnist" / "a.gz"), content_);
}

TEST_F(FetchTest, StartsAnewWhereAServerCannotGoOn) {
  offer("mnist", "a.gz", content_);
  std::filesystem::create_directories(*this / "data" / "mnist");
  write_quickly(*this / "data" / "mnist" / "a.gz.part", {content_.begin(), content_.begin() + 70'000});
  const Finished outcome = fetch_from({"--no-ranges"}, "mnist");
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_EQ(read_file(*this / "data" / "mnist" / "a.gz"), content_);
  // a part that is longer than the file
  std::filesystem::remove(*this / "data" / "mnist" / "a.gz");
  write_quickly(*this / "data" / "mnist" / "a.gz.part", Bytes(200'000));
  EXPECT_EQ(fetch_from({}, "mnist").status, 0);
  EXPECT_EQ(read_file(*this / "data" / "mnist" / "a.gz"), content_);
}

TEST_F(FetchTest, RefusesAWrongChecksum) {
  offer("mnist", "a.gz", content_);
  Bytes wrong = content_;
  wrong[5] ^= 1;
  write_quickly(*this / "official" / "a.gz", wrong);
  const Finished outcome = fetch_from({}, "mnist");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_HAS(outcome.err, "/a.gz has MD5 ");
  EXPECT_HAS(outcome.err, "(removed); run this again, or name a mirror with --base-url");
  EXPECT_EQ(lines(outcome.err), 1);
  EXPECT_TRUE(std::filesystem::is_empty(*this / "data" / "mnist"));
  // One that is there but wrong is fetched again.
  write_quickly(*this / "data" / "mnist" / "a.gz", wrong);
  write_quickly(*this / "official" / "a.gz", content_);
  EXPECT_EQ(fetch_from({}, "mnist").status, 0);
  EXPECT_EQ(read_file(*this / "data" / "mnist" / "a.gz"), content_);
}

TEST_F(FetchTest, ComparesSha256WhereTheTableHasOne) {
  offer("inception", "weights.pth", content_, "sha256sum");
  EXPECT_EQ(fetch_from({"--cut", "60000"}, "inception").status, 0);
  EXPECT_EQ(read_file(*this / "data" / "inception" / "weights.pth"), content_);
  EXPECT_HAS(fetch({"inception"}).out, "weights.pth: is there");
  std::filesystem::remove(*this / "data" / "inception" / "weights.pth");
  write_quickly(*this / "official" / "weights.pth", other_);
  const Finished outcome = fetch_from({}, "inception");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_HAS(outcome.err, "/weights.pth has SHA-256 ");
  EXPECT_EQ(lines(outcome.err), 1);
}

TEST_F(FetchTest, UnpacksArchives) {
  write_file(*this / "inside.bin", "content");
  shell("tar -czf " + (*this / "a.tar.gz").string() + " -C " + folder_.string() + " inside.bin");
  offer("cifar10", "a.tar.gz", read_file(*this / "a.tar.gz"));
  EXPECT_EQ(fetch_from({}, "cifar10").status, 0);
  EXPECT_EQ(read_file(*this / "data" / "cifar10" / "inside.bin"), read_file(*this / "inside.bin"));
}

TEST_F(FetchTest, SaysWhatIsWrongInOneLine) {
  offer("mnist", "a.gz", content_);
  const auto expect_line = [](const Finished& outcome, int status, const std::string& part) {
    EXPECT_EQ(outcome.status, status);
    EXPECT_HAS(outcome.err, part);
    EXPECT_TRUE(outcome.err.starts_with("fetch.sh: ")) << outcome.err;
    EXPECT_EQ(lines(outcome.err), 1) << outcome.err;
  };
  expect_line(fetch({"nothing"}), 2, "there is no data set 'nothing'");
  expect_line(fetch({"--no", "mnist"}), 2, "there is no option --no");
  expect_line(fetch({"mnist", "--to"}), 2, "--to needs a value");
  expect_line(fetch({"mnist"}), 1, "cannot download http://127.0.0.1:9/a.gz");
  std::filesystem::remove(*this / "official" / "a.gz");
  expect_line(fetch_from({}, "mnist"), 1, "404");
  expect_line(fetch({"animeface"}), 1, "kaggle");
  expect_line(fetch({"lsun"}), 1, "dl.yf.io/lsun");
  expect_line(fetch({"stacked_mnist"}), 1, "is made of mnist");
  EXPECT_EQ(fetch({}).status, 2);
  EXPECT_HAS(fetch({"--help"}).out, "usage: data/fetch.sh");
}

TEST(FetchTableTest, HasAChecksumForEachFile) {
  std::ifstream table("data/files.txt");
  if (!table) GTEST_SKIP() << "not run from the repository's root";
  int64_t files = 0;
  for (std::string line; std::getline(table, line);) {
    if (line.starts_with('#')) continue;
    std::istringstream words(line);
    std::string name, file, sum, url, more;
    words >> name >> file >> sum >> url;
    EXPECT_FALSE(words >> more) << line;
    EXPECT_EQ(sum.size(), name == "inception" ? 64u : 32u) << line;
    EXPECT_EQ(sum.find_first_not_of("0123456789abcdef"), std::string::npos) << line;
    EXPECT_TRUE(name != "inception" || contains(file, sum.substr(0, 8))) << line;
    EXPECT_TRUE(url.starts_with("http")) << line;
    ++files;
  }
  EXPECT_EQ(files, 14);
}

}  // namespace
}  // namespace ebm::test
