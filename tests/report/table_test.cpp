// SPDX-License-Identifier: MIT
// Tables as text, CSV, LaTeX and HTML, and the paper's tables with runs beside.
#include "report/table.h"

#include "../io/io_fixture.h"
#include "report/paper_tables.h"

namespace ebm::test {
namespace {

Table small() {
  return {.title = "T & 1",
          .header = {"Model", "KL↓"},
          .rows = {{"a_b", "1 ± 2"}, {"longer, \"name\"", ""}},
          .footnotes = {"n < 3"}};
}

TEST(TableTest, TextAlignsWhatATerminalShows) {
  EXPECT_EQ(written(small(), TableFormat::text),
            "T & 1\n"
            "Model           KL↓\n"
            "---------------------\n"
            "a_b             1 ± 2\n"
            "longer, \"name\"\n"
            "n < 3\n");
}

TEST(TableTest, CsvQuotesWhatMustBe) {
  EXPECT_EQ(written(small(), TableFormat::csv), "Model,KL↓\na_b,1 ± 2\n\"longer, \"\"name\"\"\",\n");
}

TEST(TableTest, LatexAndHtmlEscapeTheirOwnSigns) {
  const std::string latex = written(small(), TableFormat::latex), html = written(small(), TableFormat::html);
  EXPECT_HAS(latex, "Model & KL$\\downarrow$ \\\\");
  EXPECT_HAS(latex, "a\\_b & 1 $\\pm$ 2 \\\\");
  EXPECT_HAS(html, "<caption>T &amp; 1</caption>");
  EXPECT_HAS(html, "<td>longer, &quot;name&quot;</td><td></td>");
  EXPECT_HAS(html, "<p>n &lt; 3</p>");
}

MeasuredMetric modes(int64_t iteration, std::vector<double> counts, std::vector<double> kl) {
  return {.name = "modes",
          .protocol = "as MEG",
          .iteration = iteration,
          .values = {{"modes", counts}, {"kl", kl}}};
}

std::vector<std::string> row_of(const Table& table, const std::string& title) {
  for (const auto& row : table.rows)
    if (row.front() == title) return row;
  return {};
}

TEST(PaperTableTest, MeansOverRunsStandBesideThePapers) {
  const std::vector<ReportedRun> runs{
      {.method = "meg", .data = "stacked_mnist", .seed = 1, .metrics = {modes(500, {900, 910}, {0.5, 0.7})}},
      {.method = "meg", .data = "stacked_mnist", .seed = 2, .metrics = {modes(500, {935, 935}, {0.4, 0.4})}},
      {.method = "dcgan", .data = "stacked_mnist", .seed = 1, .metrics = {modes(70, {10, 12}, {4, 5})}},
      {.method = "vera", .data = "mnist", .seed = 1, .metrics = {modes(70, {10, 10}, {0.1, 0.1})}}};
  const Table table = paper_table(1, runs);
  EXPECT_EQ(row_of(table, "MEG"), (std::vector<std::string>{"MEG", "920.0 ± 21.2", "1000 ± 0.0",
                                                            "0.500 ± 0.141", "0.042 ± 0.004"}));
  EXPECT_EQ(row_of(table, "DCGAN"),
            (std::vector<std::string>{"DCGAN", "11.0 ± 1.4", "392 ± 7.4", "4.500 ± 0.707", "8.012 ± 0.056"}));
  EXPECT_EQ(row_of(table, "VERA"), (std::vector<std::string>{"VERA", "", "989 ± 9.0", "", "0.152 ± 0.037"}))
      << "of other data";
  const std::string text = written(table, TableFormat::text);
  EXPECT_HAS(text, "MEG: 2 runs, 500 iterations; ± over runs");
  EXPECT_HAS(text, "DCGAN: 1 run, 70 iterations; ± over its repeats");
  EXPECT_HAS(text, "measured: as MEG");
}

TEST(PaperTableTest, EachHasItsColumns) {
  for (const int64_t number : {1, 2, 4}) {
    const Table table = paper_table(number, {});
    for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.header.size()) << number;
  }
  EXPECT_HAS(error_of([] { (void)paper_table(3, {}); }), "table 3 is not made here; give 1, 2 or 4");
}

}  // namespace
}  // namespace ebm::test
