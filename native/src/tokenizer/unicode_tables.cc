// Look-ups in the generated tables: two stages for properties, binary search for replacements.
#include "tokenizer/unicode_tables.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace enc::unicode {
namespace {

#include "tokenizer/unicode_tables.inc"

constexpr char32_t kHangulFirst = 0xAC00;
constexpr char32_t kHangulLast = 0xD7A3;
constexpr char32_t kLFirst = 0x1100;
constexpr char32_t kVFirst = 0x1161;
constexpr char32_t kTBase = 0x11A7;  // one before the first trailing consonant
constexpr char32_t kNumL = 19;
constexpr char32_t kNumV = 21;
constexpr char32_t kNumT = 28;

/// The generator promises a replacement for each `c` it flagged; anything else stays as it is.
template <size_t kCount, int kCapacity>
int replace(char32_t c, const uint32_t (&from)[kCount], const uint16_t (&offsets)[kCount + 1],
            const uint32_t* pool, char32_t (&out)[kCapacity]) {
  const uint32_t* const at = std::lower_bound(std::begin(from), std::end(from), static_cast<uint32_t>(c));
  if (at == std::end(from) || *at != c) {
    out[0] = c;
    return 1;
  }
  const size_t index = static_cast<size_t>(at - from);
  const int count = std::min<int>(offsets[index + 1] - offsets[index], kCapacity);
  std::copy_n(pool + offsets[index], count, out);
  return count;
}

/// Unicode 16, section 3.12.2. `out` has room for three.
int decompose_hangul(char32_t c, char32_t* out) {
  const char32_t index = c - kHangulFirst;
  out[0] = kLFirst + index / (kNumV * kNumT);
  out[1] = kVFirst + index % (kNumV * kNumT) / kNumT;
  if (index % kNumT == 0) return 2;
  out[2] = kTBase + index % kNumT;
  return 3;
}

}  // namespace

Properties properties(char32_t c) {
  const uint8_t record = kBlocks[kBlockIndex[c >> 7]][c & 127];
  return {kRecordFlags[record], kRecordClasses[record], static_cast<Cluster>(kRecordClusters[record])};
}

int decompose(char32_t c, char32_t (&out)[kMaxDecomposition]) {
  if (c >= kHangulFirst && c <= kHangulLast) return decompose_hangul(c, out);
  return replace(c, kNfdFrom, kNfdOffsets, kNfdPool, out);
}

int decompose_compatibly(char32_t c, char32_t (&out)[kMaxCompatibilityMapping]) {
  const uint32_t flags = properties(c).flags;
  if (flags & kHasCompatibilityMapping) return replace(c, kNfkdFrom, kNfkdOffsets, kNfkdPool, out);
  if (c >= kHangulFirst && c <= kHangulLast) return decompose_hangul(c, out);
  return replace(c, kNfdFrom, kNfdOffsets, kNfdPool, out);
}

char32_t compose(char32_t first, char32_t second) {
  if (first >= kLFirst && first < kLFirst + kNumL && second >= kVFirst && second < kVFirst + kNumV)
    return kHangulFirst + ((first - kLFirst) * kNumV + (second - kVFirst)) * kNumT;
  if (first >= kHangulFirst && first <= kHangulLast && (first - kHangulFirst) % kNumT == 0 &&
      second > kTBase && second < kTBase + kNumT)
    return first + (second - kTBase);
  if (!(properties(second).flags & kComposes)) return 0;
  const uint64_t pair = uint64_t{first} << 32 | second;
  const uint64_t* const at = std::lower_bound(std::begin(kComposeFrom), std::end(kComposeFrom), pair);
  if (at == std::end(kComposeFrom) || *at != pair) return 0;
  return kComposeTo[at - kComposeFrom];
}

int lower_case(char32_t c, char32_t (&out)[kMaxLowerCase]) {
  return replace(c, kLowerFrom, kLowerOffsets, kLowerPool, out);
}

}  // namespace enc::unicode
