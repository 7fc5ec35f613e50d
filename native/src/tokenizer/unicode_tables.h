// What `tokenizers` 0.23.2 thinks of each code point. It mixes Unicode 8, 9 and 16, so no Unicode library
// agrees; scripts/make-unicode-tables.py asked it about all of them.
#pragma once

#include <cstdint>

namespace enc::unicode {

/// Bits of Properties::flags; the generated tables use the same numbers.
enum Flag : uint16_t {
  kRemoved = 1,         ///< BertNormalizer's clean_text drops it
  kToSpace = 2,         ///< clean_text makes it U+0020
  kCjk = 4,             ///< handle_chinese_chars puts spaces around it
  kNonspacingMark = 8,  ///< strip_accents drops it
  kWhitespace = 16,     ///< separates words; also \s of added tokens
  kPunctuation = 32,    ///< a word of its own for BertPreTokenizer
  kWord = 64,           ///< \w of single_word added tokens
  kHasDecomposition = 128,
  kHasLowerCase = 256,
};

struct Properties {
  uint16_t flags;
  uint8_t combining_class;  ///< 0 for marks that the oracle's normalisation does not know
};

/// `c`: any scalar value, 0..0x10FFFF.
Properties properties(char32_t c);

constexpr int kMaxDecomposition = 4;
constexpr int kMaxLowerCase = 2;

/// Full canonical decomposition of `c` (NFD without reordering); returns how many code points `out` holds, 1
/// for `c` itself.
int decompose(char32_t c, char32_t (&out)[kMaxDecomposition]);

/// Lower case of `c` without regard to its neighbours, as Rust's char::to_lowercase; returns the count as
/// above.
int lower_case(char32_t c, char32_t (&out)[kMaxLowerCase]);

}  // namespace enc::unicode
