// SPDX-License-Identifier: MIT
// Tables of configurations: which points a table stands for, their names, and what is refused.
#include "io/grid_table.h"

#include "io/atomic_file.h"
#include "io_fixture.h"

namespace ebm::test {
namespace {

class GridTableTest : public IoTest {
 protected:
  GridTable read(const std::string& text) {
    write_file(*this / "t.toml", text);
    return read_grid_table(*this / "t.toml");
  }
  std::string error(const std::string& text) {
    return error_of([&] { (void)read(text); });
  }
  static std::string text_of(const GridPoint& point) {
    std::string text = point.name + ":";
    for (const OptionValue& option : point.options)
      text += " " + option.name + "=" + value_text(option.value);
    return text;
  }
};

const std::string head = "program = 'toy_bb'\nseeds = [11, 12]\n";

TEST_F(GridTableTest, ListsAreGridsWhoseLastGoesFastest) {
  const GridTable table = read(head +
                               "[common]\nbatch = 10\nhinge = [0.5, 1]\nbound = 's1'\n"
                               "[[configuration]]\nname = 'x'\nbound = ['b', 'a']\n"
                               "[[configuration]]\nhinge = 2\nfast = true\nfile = 'a/b c'\n");
  EXPECT_EQ(table.program, "toy_bb");
  EXPECT_EQ(table.seeds, (std::vector<int64_t>{11, 12}));
  std::vector<std::string> points;
  for (const GridPoint& point : table.points) points.push_back(text_of(point));
  EXPECT_EQ(points,
            (std::vector<std::string>{
                "x,hinge=0.5,bound=b: batch=10 hinge=0.5 bound=b",
                "x,hinge=0.5,bound=a: batch=10 hinge=0.5 bound=a",
                "x,hinge=1,bound=b: batch=10 hinge=1 bound=b", "x,hinge=1,bound=a: batch=10 hinge=1 bound=a",
                "hinge=2,fast=true,file=a_b_c: batch=10 bound=s1 hinge=2 fast=true file=a/b c"}));
}

TEST_F(GridTableTest, CommonAloneIsOneConfiguration) {
  EXPECT_EQ(read(head).points.at(0).name, "base");
  EXPECT_EQ(read(head + "[common]\nd = [1, 2]\n").points.at(1).name, "d=2");
}

TEST_F(GridTableTest, WhatMakesNoSenseIsOneLineWithItsPlace) {
  const std::string at = (*this / "t.toml").string() + ":";
  struct Case {
    std::string text, message;
  };
  const std::string one = head + "[[configuration]]\n";
  for (const Case& wrong :
       {Case{"seeds = [1]\n", "1: program is missing"}, Case{"program = 'a'\n", "1: seeds are missing"},
        Case{"program = 'a'\nseeds = []\n", "2: seeds are"},
        Case{"program = 'a'\nseeds = [1, 1]\n", "2: seeds"},
        Case{"program = 'a'\nseeds = [1.5]\n", "2: seeds"}, Case{head + "x = 1\n", "3: 'x' is not for here"},
        Case{head + "common = 1\n", "3: 'common' is not for here"},
        Case{head + "[configuration]\nx = 1\n", "3: 'configuration' is not for here"},
        Case{one + "x = []\n", "4: x is an empty list"}, Case{one + "x = [[1]]\n", "4: x is no integer"},
        Case{one + "x-y = 1\n", "4: 'x-y' is no option"},
        Case{one + "seed = 1\n", "4: seed is the sweep's own"},
        Case{one + "name = '../x'\n", "4: a name has letters"}, Case{one + "name = ''\n", "4: a name has"},
        Case{one + "name = 'a'\n[[configuration]]\nname = 'a'\n", "5: 'a' is the name of two"},
        Case{one + "x = ['a b', 'a_b']\n", "3: 'x=a_b' is the name of two"},
        Case{one + "x = ['" + std::string(300, 'a') + "']\n", "3: the options make a name of more"},
        Case{head + "x = \n", "3: "}}) {
    EXPECT_HAS(error(wrong.text), at + wrong.message) << wrong.text;
  }
}

}  // namespace
}  // namespace ebm::test
