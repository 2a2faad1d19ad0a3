// SPDX-License-Identifier: MIT
#include "io/text_columns.h"

#include <gtest/gtest.h>

namespace ebm {
namespace {

TEST(TextColumnsTest, PlainTextIsCutAtItsBytes) {
  EXPECT_EQ(first_columns("abc", 2), "ab");
  EXPECT_EQ(first_columns("abc", 3), "abc");
  EXPECT_EQ(first_columns("abc", 100), "abc");
  EXPECT_EQ(first_columns("abc", 0), "");
  EXPECT_EQ(first_columns("", 5), "");
}

TEST(TextColumnsTest, NoCharacterIsCutInTwo) {
  const std::string_view two = "\xC3\xA4\xC3\xB6";  // ä ö
  const std::string_view three = "\xE2\x82\xAC!";   // the euro sign
  EXPECT_EQ(first_columns(two, 1), "\xC3\xA4");
  EXPECT_EQ(first_columns(two, 2), two);
  EXPECT_EQ(first_columns(three, 1), "\xE2\x82\xAC");
  EXPECT_EQ(first_columns(three, 2), three);
}

TEST(TextColumnsTest, WideCharactersTakeTwoColumnsAndMarksNone) {
  const std::string_view cats = "\xE7\x8C\xAB\xE7\x8C\xAB";  // two CJK characters
  EXPECT_EQ(first_columns(cats, 1), "");
  EXPECT_EQ(first_columns(cats, 2), "\xE7\x8C\xAB");
  EXPECT_EQ(first_columns(cats, 3), "\xE7\x8C\xAB");
  EXPECT_EQ(first_columns(cats, 4), cats);
  const std::string_view pictograph = "\xF0\x9F\x90\xB1x";  // U+1F431
  EXPECT_EQ(first_columns(pictograph, 2), "\xF0\x9F\x90\xB1");
  const std::string_view marked = "a\xCC\x88z";  // a, U+0308
  EXPECT_EQ(first_columns(marked, 1), "a\xCC\x88") << "a mark stays with its letter";
  EXPECT_EQ(first_columns(marked, 2), marked);
}

TEST(TextColumnsTest, BytesThatAreNoUtf8CountOneByOne) {
  EXPECT_EQ(first_columns("\xFF\xFE\xFD", 2), "\xFF\xFE");
  EXPECT_EQ(first_columns("\xE2\x82", 1), "\xE2") << "cut short";
  EXPECT_EQ(first_columns("\xC3(x", 2), "\xC3(");
}

}  // namespace
}  // namespace ebm
