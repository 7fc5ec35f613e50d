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

}  // namespace

Properties properties(char32_t c) {
  const uint8_t record = kBlocks[kBlockIndex[c >> 7]][c & 127];
  return {kRecordFlags[record], kRecordClasses[record]};
}

int decompose(char32_t c, char32_t (&out)[kMaxDecomposition]) {
  if (c >= kHangulFirst && c <= kHangulLast) {  // Unicode 16, section 3.12.2
    const char32_t index = c - kHangulFirst;
    out[0] = 0x1100 + index / 588;
    out[1] = 0x1161 + index % 588 / 28;
    if (index % 28 == 0) return 2;
    out[2] = 0x11A7 + index % 28;
    return 3;
  }
  return replace(c, kNfdFrom, kNfdOffsets, kNfdPool, out);
}

int lower_case(char32_t c, char32_t (&out)[kMaxLowerCase]) {
  return replace(c, kLowerFrom, kLowerOffsets, kLowerPool, out);
}

}  // namespace enc::unicode
