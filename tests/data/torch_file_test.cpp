// SPDX-License-Identifier: MIT
// Files of torch.save (tests/golden/make_torch_files.py makes them with PyTorch) without Python.
#include "data/torch_file.h"

#include <array>
#include <cmath>

#include "data/pickle.h"
#include "io/atomic_file.h"
#include "io/io_fixture.h"
#include "io/sha256.h"
#include "support/files.h"

namespace ebm::test {
namespace {

std::filesystem::path golden(const std::string& name) {
  return golden_folder() / "torch" / name;
}

using Shape = std::vector<int64_t>;
using Values = std::vector<float>;

class TorchFileTest : public testing::TestWithParam<std::string> {};

TEST_P(TorchFileTest, HasTheNumbersOfEachArray) {
  const TorchFile file(golden(GetParam()));
  EXPECT_EQ(file.names(), (std::vector<std::string>{"count", "every_other", "half", "large",
                                                    "network.with_a_long_name.0.weight", "none", "parameter",
                                                    "plain", "repeated", "transposed"}));
  Values plain, transposed, every_other;
  for (int i = 0; i < 24; ++i) plain.push_back(static_cast<float>(i) / 4 - 1);
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 4; ++j) transposed.push_back(static_cast<float>(6 * j + i) / 4 - 1);
  }
  for (int i = 1; i < 4; ++i) {
    for (int j = 0; j < 6; j += 2) every_other.push_back(static_cast<float>(6 * i + j) / 4 - 1);
  }
  const auto expect = [&](const std::string& name, const Shape& shape, const Values& values) {
    EXPECT_TRUE(file.has(name));
    EXPECT_EQ(file.shape(name), shape) << name;
    EXPECT_EQ(file.values(name), values) << name;
  };
  expect("plain", {2, 3, 4}, plain);
  expect("transposed", {6, 4}, transposed);
  expect("every_other", {3, 3}, every_other);
  expect("repeated", {2, 2}, {3.5, 3.5, 3.5, 3.5});
  expect("half", {5}, {1.5f, -2, 65504, std::ldexp(1.0f, -24), 0.0999755859375f});
  expect("count", {}, {-3});
  expect("large", {2}, {std::ldexp(1.0f, 40), 5});
  expect("none", {0, 3}, {});
  expect("parameter", {1, 2}, {0.25f, 4});
  expect("network.with_a_long_name.0.weight", {1, 2}, {2, 2});
  EXPECT_FALSE(file.has("plane"));
  EXPECT_HAS(error_of([&] { (void)file.values("plane"); }), "it has no 'plane'; get the file again");
}

/// Every beginning of the file but the whole one is refused, in one line.
TEST_P(TorchFileTest, ACutFileIsRefused) {
  const std::vector<uint8_t> bytes = read_file(golden(GetParam()));
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string error = error_of([&] {
      TorchFile("cut.pth", {bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(size)});
    });
    EXPECT_TRUE(error.starts_with("cannot use 'cut.pth': it")) << size << ": " << error;
    EXPECT_TRUE(error.ends_with("; get the file again, or name the right one")) << size << ": " << error;
  }
}

/// A byte that is another one is seen, or changes some numbers or names, or nothing; it never does anything
/// else.
TEST_P(TorchFileTest, ADamagedFileDoesNoHarm) {
  const std::vector<uint8_t> bytes = read_file(golden(GetParam()));
  int64_t refused = 0;
  constexpr std::array<uint8_t, 3> flips{0x01, 0x80, 0xFF};
  for (size_t at = 0; at < bytes.size(); ++at) {
    std::vector<uint8_t> damaged = bytes;
    damaged[at] ^= flips[at % flips.size()];
    const std::string error = error_of([&] {
      const TorchFile file("damaged.pth", damaged);
      for (const std::string& name : file.names()) (void)file.values(name);
    });
    if (error != "(no Error)") ++refused;
  }
  EXPECT_GT(refused, std::ssize(bytes) / 4);
}

INSTANTIATE_TEST_SUITE_P(Formats, TorchFileTest, testing::Values("zip.pth", "old.pth"),
                         [](const auto& info) { return info.param.substr(0, 3); });

TEST(TorchFileRefusalTest, NamesWhatNoStateDictHas) {
  const auto expect = [](const std::string& name, const std::string& why) {
    EXPECT_HAS(error_of([&] { TorchFile{golden(name)}; }), name + "': " + why + "; get the file again");
  };
  expect("code.pth", "it names 'posix system', which no file of weights needs (nothing of it was run)");
  EXPECT_FALSE(std::filesystem::exists("torch_file_was_run"));
  expect("double.pth",
         "it names 'torch DoubleStorage', which no file of weights needs (nothing of it was run)");
  expect("list.pth", "it holds no dictionary of arrays, as a state_dict is one");
  expect("checkpoint.pth", "'epoch' in it is no array as torch.save writes one");
  expect("protocol.pth", "its pickle has protocol 4, not 2, which torch.save writes");
  EXPECT_HAS(error_of([] { TorchFile{golden_folder() / "iterations.txt"}; }),
             "it is no file that torch.save wrote");
  EXPECT_HAS(error_of([] { TorchFile{golden("nothing.pth")}; }), "cannot read");
}

class PickleTest : public testing::Test {
 protected:
  static std::string error(std::string_view operations) {
    constexpr std::array<std::string_view, 1> known{"collections OrderedDict"};
    const auto* const first = reinterpret_cast<const uint8_t*>(operations.data());
    return error_of([&] { Pickle({first, operations.size()}, known); });
  }
};

TEST_F(PickleTest, TakesNoMoreThanThereIs) {
  using namespace std::string_view_literals;
  EXPECT_EQ(error("\x80\x02}."), "(no Error)");
  EXPECT_EQ(error("\x80\x02"
                  "ccollections\nOrderedDict\n)R}b."sv),
            "(no Error)");
  for (const std::string_view bad : {"."sv,
                                     "t."sv,
                                     "\x85."sv,
                                     "a."sv,
                                     "e."sv,
                                     "(e."sv,
                                     "]e."sv,
                                     "NNs."sv,
                                     "}Ns."sv,
                                     "}(Nu."sv,
                                     "R."sv,
                                     "N)R."sv,
                                     "NNR."sv,
                                     "Q."sv,
                                     "b."sv,
                                     "NNb."sv,
                                     "q\x01."sv,
                                     "h\x01."sv,
                                     "(Q."sv,
                                     "N(\x85."sv,
                                     "}(s."sv,
                                     "N(a."sv,
                                     "\x8a\x09.........."sv,
                                     "X\xff\xff\xff\xff."sv})
    EXPECT_HAS(error(bad), "its pickle is damaged: ") << bad;
  EXPECT_HAS(error("\x93"), "its pickle has operation 0x93, which no file of weights needs");
  EXPECT_HAS(error("c__builtin__\neval\n."), "it names '__builtin__ eval'");
}

TEST(Sha256Test, IsThatOfTheStandard) {
  const auto of = [](const std::string& text) {
    return sha256({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
  };
  // FIPS 180-4's examples; and every length around the ends of blocks, by Python's hashlib.
  EXPECT_EQ(of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  std::string joined;
  for (size_t count = 50; count < 135; ++count) joined += of(std::string(count, 'a'));
  EXPECT_EQ(of(joined), "ffec13d793ce51bec65e52c870b9a749316b042d280bc0f7e2174659fdddd9c3");
}

}  // namespace
}  // namespace ebm::test
