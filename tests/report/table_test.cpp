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
  EXPECT_EQ(written(small(), TableFormat::csv), "Model,KL↓,notes\na_b,1 ± 2,\n\"longer, \"\"name\"\"\",,\n");
}

TEST(TableTest, LatexAndHtmlEscapeTheirOwnSigns) {
  const std::string latex = written(small(), TableFormat::latex), html = written(small(), TableFormat::html);
  EXPECT_HAS(latex, "Model & KL$\\downarrow$ \\\\");
  EXPECT_HAS(latex, "a\\_b & 1 $\\pm$ 2 \\\\");
  EXPECT_HAS(html, "<caption>T &amp; 1</caption>");
  EXPECT_HAS(html, "<td>longer, &quot;name&quot;</td><td></td>");
  EXPECT_HAS(html, "<p>n &lt; 3</p>");
}

TEST(TableTest, FootnotesStandAtTheirCells) {
  Table table = small();
  table.mark(1, 0, "of a row, with _");
  table.mark(0, 1, "one");
  table.mark(1, 1, "one");
  table.mark(1, 1, "two");
  EXPECT_EQ(table.footnotes, (std::vector<std::string>{"n < 3", "of a row, with _", "one", "two"}));
  EXPECT_EQ(written(table, TableFormat::text),
            "T & 1\n"
            "Model               KL↓\n"
            "-----------------------------\n"
            "a_b                 1 ± 2 [b]\n"
            "longer, \"name\" [a]   [b,c]\n"
            "n < 3\n"
            "[a] of a row, with _\n"
            "[b] one\n"
            "[c] two\n");
  EXPECT_EQ(written(table, TableFormat::csv),
            "Model,KL↓,notes\na_b,1 ± 2,KL↓: one\n"
            "\"longer, \"\"name\"\"\",,\"of a row, with _; KL↓: one; KL↓: two\"\n");
  const std::string latex = written(table, TableFormat::latex), html = written(table, TableFormat::html);
  EXPECT_HAS(latex, "a\\_b & 1 $\\pm$ 2\\textsuperscript{b} \\\\");
  EXPECT_HAS(latex, "{\\footnotesize \\textsuperscript{a} of a row, with \\_\\par}");
  EXPECT_HAS(html, "<td>longer, &quot;name&quot;<sup>a</sup></td><td><sup>b,c</sup></td>");
  EXPECT_HAS(html, "<p>n &lt; 3</p>\n<p><sup>a</sup> of a row, with _</p>");
}

TEST(TableTest, TheTwentySeventhFootnoteIsAa) {
  Table table{.title = "", .header = {"x"}, .rows = {{""}}, .footnotes = {}};
  for (int i = 0; i < 28; ++i) table.mark(0, 0, std::to_string(i));
  EXPECT_HAS(written(table, TableFormat::text), "[z] 25\n[aa] 26\n[ab] 27\n");
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

TEST(PaperTableTest, RunsOnShapesHaveATableOfTheirOwn) {
  MeasuredMetric measured = modes(70, {98, 99, 100}, {0.1, 0.2, 0.3});
  measured.values.push_back({"high_quality", {0.5, 0.5, 0.5}});
  const std::vector<ReportedRun> runs{
      {.method = "ebm_bb", .data = "shapes", .seed = 1, .metrics = {measured}},
      {.method = "meg", .data = "stacked_mnist", .metrics = {measured}}};
  const Table table = shapes_table_of(runs);
  EXPECT_EQ(table.header, (std::vector<std::string>{"Model", "Modes↑", "KL↓", "High quality↑"}));
  EXPECT_EQ(row_of(table, "EBM-BB"),
            (std::vector<std::string>{"EBM-BB", "99.0 ± 1.0", "0.200 ± 0.100", "0.500 ± 0.000"}));
  EXPECT_EQ(row_of(table, "MEG"), (std::vector<std::string>{"MEG", "", "", ""}));
  EXPECT_EQ(row_of(paper_table(1, runs), "EBM-BB")[1], "") << "shapes are no StackedMNIST";
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
  EXPECT_EQ(text.find("have the seed"), std::string::npos);
  const std::vector<ReportedRun> twice{runs[0], runs[0]};
  EXPECT_HAS(written(paper_table(1, twice), TableFormat::text),
             "meg on stacked_mnist: 2 runs have the seed 1, so that ± is not over seeds alone");
  EXPECT_HAS(text, "measured: as MEG");
}

TEST(PaperTableTest, ProtocolsStandAtTheirCellsAndRunsWithoutAreNamed) {
  MeasuredMetric other = modes(500, {900}, {0.5});
  other.protocol = "as VERA";
  const std::vector<ReportedRun> runs{
      {.method = "meg", .data = "stacked_mnist", .metrics = {modes(500, {1}, {0.5})}, .folder = "runs/a"},
      {.method = "vera", .data = "stacked_mnist", .metrics = {other}, .folder = "runs/b"},
      {.method = "sngan", .data = "stacked_mnist", .folder = "runs/c"},
      {.method = "dcgan", .data = "cifar10", .folder = "runs/d"}};
  const Table table = paper_table(1, runs);
  const std::string text = written(table, TableFormat::text), csv = written(table, TableFormat::csv);
  EXPECT_EQ(row_of(table, "SNGAN")[1], "");
  EXPECT_HAS(text,
             "[a] runs/c was not evaluated for this table: ./experiments/evaluate runs/c --metrics modes");
  EXPECT_HAS(text, "\nMEG [b]  ");
  EXPECT_HAS(text, " 1.0 [c] ");
  EXPECT_HAS(text, "[c] measured: as MEG\n");
  EXPECT_HAS(text, "[e] measured: as VERA\n");
  EXPECT_EQ(text.find("runs/d"), std::string::npos) << "of other data";
  EXPECT_HAS(csv,
             "\nMEG,1.0,1000 ± 0.0,0.500,0.042 ± 0.004,\"MEG: 1 run, 500 iterations; ± over its repeats; "
             "Modes↑, KL↓: measured: as MEG\"\n");
}

TEST(PaperTableTest, DetectionNamesTheSplit) {
  const auto detected = [](const char* name, double auroc) {
    return MeasuredMetric{.name = name, .protocol = name, .iteration = 1, .values = {{"auroc", {auroc}}}};
  };
  std::vector<ReportedRun> runs{{.method = "meg",
                                 .data = "cifar10",
                                 .metrics = {detected("ood_svhn", 0.25), detected("ood_svhn_train", 0.5)}}};
  EXPECT_EQ(row_of(paper_table(4, runs), "MEG")[1], "0.500");
  runs[0].metrics.push_back(detected("ood_svhn_test", 0.75));
  EXPECT_EQ(row_of(paper_table(4, runs), "MEG")[1], "0.750");
  runs[0].metrics.resize(1);
  EXPECT_EQ(row_of(paper_table(4, runs), "MEG")[1], "0.250") << "of an older program";
}

TEST(PaperTableTest, EachHasItsColumns) {
  for (const int64_t number : {1, 2, 3, 4, 5}) {
    const Table table = paper_table(number, {});
    EXPECT_GE(table.rows.size(), 5u);
    for (const auto& row : table.rows) EXPECT_EQ(row.size(), table.header.size()) << number;
  }
  EXPECT_HAS(error_of([] { (void)paper_table(6, {}); }), "table 6 is not made here; give 1 to 5");
}

MeasuredMetric distance(const char* name, double value) {
  return {.name = name,
          .protocol = std::string("by ") + name,
          .iteration = 1234,
          .values = {{"distance", {value}}}};
}

TEST(PaperTableTest, DistancesByAClassifierAreNoFids) {
  const std::vector<ReportedRun> runs{
      {.method = "meg",
       .data = "cifar10",
       .metrics = {distance("fid", 50), distance("classifier_frechet", 7), distance("kid", 3)}},
      {.method = "meg", .data = "animeface", .metrics = {distance("fid", 60)}}};
  const Table fids = paper_table(3, runs);
  std::vector<std::string> found;
  for (const auto& row : fids.rows)
    if (row.front() == "MEG") found.push_back(row[3]);
  EXPECT_EQ(found, (std::vector<std::string>{"50.00", "60.00"})) << "a row for each data set";
  EXPECT_EQ(row_of(fids, "MEG")[4], "34.55 ± 1.145");
  EXPECT_EQ(written(fids, TableFormat::csv).find("7.0"), std::string::npos);

  const Table others = paper_table(3, runs, FeatureKind::classifier);
  const std::string text = written(others, TableFormat::text);
  EXPECT_EQ(row_of(others, "MEG")[2], "7.000");
  EXPECT_HAS(text, "classifier Frechet↓");
  EXPECT_HAS(text, "neither inception scores nor FIDs");
  for (const char* none : {"50.00", "34.55", "paper", "FID↓"})
    EXPECT_EQ(text.find(none), std::string::npos) << none;
}

TEST(PaperTableTest, AnisotropyByItselfGoesBeforeTheJacobians) {
  const auto anisotropy = [](const char* name, double value) {
    return MeasuredMetric{.name = name, .protocol = "", .iteration = 1, .values = {{"anisotropy", {value}}}};
  };
  std::vector<ReportedRun> runs{
      {.method = "meg", .data = "cifar10", .metrics = {anisotropy("jacobian", 0.5)}}};
  EXPECT_EQ(row_of(paper_table(2, runs), "MEG")[1], "0.5000");
  runs[0].metrics.push_back(anisotropy("anisotropy", 0.75));
  EXPECT_EQ(row_of(paper_table(2, runs), "MEG")[1], "0.7500");
}

TEST(PaperTableTest, TimesStandBesideThePapersHours) {
  const std::vector<ReportedRun> runs{{.method = "vera",
                                       .data = "cifar10",
                                       .iterations = 400,
                                       .time = {.seconds = 300, .images_per_second = 64},
                                       .device = "cpu"},
                                      {.method = "vera",
                                       .data = "cifar10",
                                       .iterations = 800,
                                       .time = {.seconds = 500, .images_per_second = 128},
                                       .device = "a GPU"},
                                      {.method = "meg", .data = "cifar10", .iterations = 800}};
  const Table table = paper_table(5, runs);
  EXPECT_EQ(row_of(table, "VERA"),
            (std::vector<std::string>{"VERA", "600", "200,000", "6:40", "10 h", "37 h", "96", "a GPU, cpu"}));
  EXPECT_EQ(row_of(table, "MEG")[3], "") << "of an older program, which told no time";
  EXPECT_HAS(written(table, TableFormat::text), "CIFAR-10 VERA: the mean of 2 runs");
}

}  // namespace
}  // namespace ebm::test
