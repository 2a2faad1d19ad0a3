// SPDX-License-Identifier: MIT
// JPEG as Pillow reads it. Expected values with "Pillow" are those of its convert("RGB").
#include "data/decode_image.h"
#include "data/encoded_pictures.h"
#include "data/pictures.h"

namespace ebm::test {
namespace {

Bytes rgb_of(const Bytes& jpeg) {
  return decode_image(jpeg, "a.jpg").rgb;
}

std::string error_of_jpeg(const Bytes& jpeg) {
  return error_of([&] { (void)decode_image(jpeg, "a.jpg"); });
}

Bytes inserted(Bytes into, std::ptrdiff_t at, const Bytes& what) {
  into.insert(into.begin() + at, what.begin(), what.end());
  return into;
}

const Bytes start_of_scan{0xFF, 0xDA};

/// The first byte of the scan's data: SOS, its length, and as many bytes as that says.
std::ptrdiff_t place_of_data(const Bytes& jpeg) {
  const std::ptrdiff_t scan = place_of(jpeg, start_of_scan);
  return scan + 2 + jpeg[static_cast<size_t>(scan + 3)];
}

/// 5 x 4 blocks, a restart marker after every third.
Bytes with_restarts() {
  return encode_jpeg(smooth_image(40, 32, 1), 95, false, 3);
}

TEST(DecodeJpegTest, HasPillowsValues) {
  const Bytes expected{101, 79, 4, 172, 150, 75, 17, 16, 143, 42, 20, 0, 147, 125, 50, 241, 240, 255};
  EXPECT_EQ(rgb_of(from_hex(rgb_jpeg)), expected);
  EXPECT_EQ(rgb_of(from_hex(progressive_jpeg)), expected);
}

TEST(DecodeJpegTest, InksBecomeRgbAsPillowHasThem) {
  const Bytes cmyk = from_hex(cmyk_jpeg);
  const Bytes expected{255, 255, 255, 0, 255, 255, 255, 0, 255, 127, 127, 0, 187, 42, 126, 0, 0, 0};
  EXPECT_EQ(rgb_of(cmyk), expected);
  // Adobe's marker is 16 bytes long and says by its last that the inks are YCCK.
  constexpr std::ptrdiff_t marker = 2, transform = 17;
  Bytes ycck = cmyk;
  ycck[transform] = 2;
  EXPECT_EQ(rgb_of(ycck), (Bytes{0, 134, 0, 77, 255, 30, 0, 47, 227, 89, 0, 0, 0, 8, 106, 0, 0, 0}));
  Bytes bare = cmyk;
  bare.erase(bare.begin() + marker, bare.begin() + transform + 1);
  EXPECT_EQ(rgb_of(bare), expected);
}

TEST(DecodeJpegTest, OddHeadersThatLoseNothingAreRead) {
  const Bytes jpeg = encode_jpeg(smooth_image(40, 32, 1));
  const Bytes expected = rgb_of(jpeg);
  // FF E0, length (2), "JFIF" 0, revision (2).
  const std::ptrdiff_t revision = place_of(jpeg, {'J', 'F', 'I', 'F', 0}) + 5;
  for (const auto& [major, minor] : {std::pair<uint8_t, uint8_t>{0, 0}, {1, 0}, {1, 9}, {2, 1}, {99, 99}}) {
    Bytes odd = jpeg;
    odd[static_cast<size_t>(revision)] = major;
    odd[static_cast<size_t>(revision + 1)] = minor;
    EXPECT_EQ(rgb_of(odd), expected) << int{major} << '.' << int{minor};
  }
  // A scan's header ends in Ss, Se, Ah and Al.
  const auto data = static_cast<size_t>(place_of_data(jpeg));
  for (const auto& [at, value] : {std::pair<size_t, uint8_t>{data - 2, 0}, {data - 3, 5}, {data - 1, 0x11}}) {
    Bytes odd = jpeg;
    odd[at] = value;
    EXPECT_EQ(rgb_of(odd), expected) << data - at;
  }
  // Adobe's marker in the place of JFIF's, with a transform that nobody knows.
  Bytes adobe{0xFF, 0xD8, 0xFF, 0xEE, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 7};
  append(adobe, {jpeg.begin() + 20, jpeg.end()});
  EXPECT_EQ(rgb_of(adobe), expected);
}

TEST(DecodeJpegTest, BytesBeforeAMarkerArePassedOver) {
  const Bytes jpeg = with_restarts(), rubbish{1, 2, 0xFF, 0, 3};
  const Bytes expected = rgb_of(jpeg);
  const Bytes tables{0xFF, 0xDB}, frame{0xFF, 0xC0}, codes{0xFF, 0xC4}, restart{0xFF, 0xD0}, end{0xFF, 0xD9};
  for (const Bytes& marker : {tables, frame, codes, start_of_scan, restart, end}) {
    const std::ptrdiff_t at = place_of(jpeg, marker);
    EXPECT_EQ(rgb_of(inserted(jpeg, at, rubbish)), expected) << int{marker[1]};
    EXPECT_EQ(rgb_of(inserted(jpeg, at, {0xFF, 0xFF})), expected) << int{marker[1]};
  }
  EXPECT_EQ(rgb_of(inserted(jpeg, std::ssize(jpeg), rubbish)), expected);
}

TEST(DecodeJpegTest, LostPixelsAreErrors) {
  const Bytes jpeg = with_restarts();
  const std::ptrdiff_t data = place_of_data(jpeg);
  const auto cut = [&](std::ptrdiff_t kept) { return Bytes(jpeg.begin(), jpeg.begin() + kept); };
  const std::ptrdiff_t half = (data + std::ssize(jpeg)) / 2;
  EXPECT_HAS(error_of_jpeg(cut(half)), "'a.jpg': Premature end of JPEG file; get it again or leave it out");
  EXPECT_HAS(error_of_jpeg(cut(std::ssize(jpeg) - 2)), "Premature end of JPEG file");
  EXPECT_HAS(error_of_jpeg(cut(20)), "Premature end of JPEG file");
  // All blocks are there, but something else follows them and no end.
  Bytes endless = cut(std::ssize(jpeg) - 2);
  append(endless, Bytes(100, 1));
  EXPECT_HAS(error_of_jpeg(endless), "Premature end of JPEG file");
  // Cut, and ended by somebody.
  Bytes ended = encode_jpeg(smooth_image(40, 32, 1));
  ended.erase(ended.begin() + place_of_data(ended) + 40, ended.end() - 2);
  EXPECT_HAS(error_of_jpeg(ended), "premature end of data segment");
  // No code is all ones.
  Bytes ones = jpeg;
  const Bytes stuffed{0xFF, 0, 0xFF, 0, 0xFF, 0};
  std::copy(stuffed.begin(), stuffed.end(), ones.begin() + data);
  EXPECT_HAS(error_of_jpeg(ones), "bad Huffman code");
  Bytes lost = jpeg;
  const std::ptrdiff_t restart = place_of(jpeg, {0xFF, 0xD1});
  lost.erase(lost.begin() + restart, lost.begin() + restart + 2);
  EXPECT_HAS(error_of_jpeg(lost), "found marker 0xd2 instead of RST1");
  // The last scans of a progressive picture.
  Bytes progressive = from_hex(progressive_jpeg);
  progressive.resize(progressive.size() - 60);
  EXPECT_HAS(error_of_jpeg(progressive), "Premature end of JPEG file");
  // A refinement of bits that no scan has brought: the high half of a scan's last byte is the bit before.
  Bytes inconsistent = from_hex(progressive_jpeg);
  inconsistent[static_cast<size_t>(place_of_data(inconsistent)) - 1] = 0;
  EXPECT_HAS(error_of_jpeg(inconsistent), "Inconsistent progression sequence");
}

TEST(DecodeJpegTest, SurvivesChangedBytes) {
  for (const auto& [jpeg, frame] : {std::pair{with_restarts(), Bytes{0xFF, 0xC0}},
                                    {from_hex(cmyk_jpeg), {0xFF, 0xC0}},
                                    {from_hex(progressive_jpeg), {0xFF, 0xC2}}}) {
    const std::ptrdiff_t sizes = place_of(jpeg, frame) + 5;
    expect_to_survive_changes(jpeg, sizes, sizes + 4);
  }
}

TEST(DecodeJpegTest, OtherNumbersOfChannelsAreErrors) {
  Bytes two = encode_jpeg(smooth_image(16, 16, 1), 95, true);
  // FF C0, length (2), precision, sizes (4), channels, then 3 bytes a channel.
  const std::ptrdiff_t frame = place_of(two, {0xFF, 0xC0});
  two[static_cast<size_t>(frame + 3)] += 3;
  two[static_cast<size_t>(frame + 9)] = 2;
  two = inserted(two, frame + 13, {2, 0x11, 0});
  EXPECT_HAS(error_of_jpeg(two), "'a.jpg': Unsupported color conversion request");
}

}  // namespace
}  // namespace ebm::test
