// What `tokenizers` 0.23.2 thinks of each code point. It mixes Unicode 8, 9 and 16, so no Unicode library
// agrees; scripts/make-unicode-tables.py asked it about all of them.
#pragma once

#include <cstdint>

namespace enc::unicode {

/// Bits of Properties::flags; the generated tables use the same numbers.
enum Flag : uint32_t {
  kRemoved = 1,         ///< BertNormalizer's clean_text drops it
  kToSpace = 2,         ///< clean_text makes it U+0020
  kCjk = 4,             ///< handle_chinese_chars puts spaces around it
  kNonspacingMark = 8,  ///< BertNormalizer's strip_accents drops it
  kWhitespace = 16,     ///< separates words; also \s of every regular expression
  kPunctuation = 32,    ///< a word of its own for BertPreTokenizer and Punctuation
  kWord = 64,           ///< \w of single_word added tokens and of Whitespace
  kHasDecomposition = 128,
  kHasLowerCase = 256,
  kLetter = 512,         ///< \p{L}; this and the next four as Split's regular expressions see them
  kNumber = 1024,        ///< \p{N}
  kUpper = 2048,         ///< \p{Lu} or \p{Lt}
  kLower = 4096,         ///< \p{Ll}
  kMark = 8192,          ///< \p{M}
  kCombining = 1 << 14,  ///< the normalizer StripAccents drops it
  kHasCompatibilityMapping = 1 << 15,  ///< NFKD differs from NFD
  kDigit = 1 << 16,                    ///< the pre-tokenizer Digits splits at it
  kSymbol = 1 << 17,                   ///< \p{P} or \p{S}
  kComposes = 1 << 18,                 ///< second half of a pair that NFC joins; Hangul aside
};

/// What Unicode's rules for grapheme clusters ask of a character (UAX 29, table 2), and the classes of its
/// emoji and conjunct rules.
enum class Cluster : uint8_t {
  kOther,
  kCr,
  kLf,
  kControl,
  kExtend,
  kZwj,
  kRegionalIndicator,
  kPrepend,
  kSpacingMark,
  kL,
  kV,
  kT,
  kLv,
  kLvt,
  kPictographic,
  kExtendLinker,    // Extend, and a conjunct linker
  kExtendConjunct,  // Extend, and allowed inside a conjunct
  kConsonant,       // of a script with conjuncts
};

struct Properties {
  uint32_t flags;
  uint8_t combining_class;  ///< 0 for marks that the oracle's normalisation does not know
  Cluster cluster;
};

/// `c`: any scalar value, 0..0x10FFFF.
Properties properties(char32_t c);

constexpr int kMaxDecomposition = 4;
constexpr int kMaxCompatibilityMapping = 18;
constexpr int kMaxLowerCase = 2;

/// Full canonical decomposition of `c` (NFD without reordering); returns how many code points `out` holds, 1
/// for `c` itself.
int decompose(char32_t c, char32_t (&out)[kMaxDecomposition]);

/// The same for compatibility decompositions (NFKD).
int decompose_compatibly(char32_t c, char32_t (&out)[kMaxCompatibilityMapping]);

/// The character that NFC makes of `first` and `second`, or 0.
char32_t compose(char32_t first, char32_t second);

/// Lower case of `c` without regard to its neighbours, as Rust's char::to_lowercase; returns the count as
/// above.
int lower_case(char32_t c, char32_t (&out)[kMaxLowerCase]);

}  // namespace enc::unicode
