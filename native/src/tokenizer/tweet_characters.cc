#include "tokenizer/tweet_characters.h"

#include <algorithm>
#include <iterator>

#include "tokenizer/unicode_tables.h"

namespace enc::tweet {
namespace {

/// Both ends belong to it.
struct Range {
  uint32_t first, last;
};

#include "tokenizer/tweet_characters.inc"

}  // namespace

bool is_other_space(char32_t c) {
  return unicode::properties(c).flags & unicode::kWhitespace;
}

bool is_other_word(char32_t c) {
  if (unicode::properties(c).flags & unicode::kWord) return true;
  const auto* const range =
      std::lower_bound(std::begin(kNewWordCharacters), std::end(kNewWordCharacters), uint32_t{c},
                       [](const Range& candidate, uint32_t value) { return candidate.last < value; });
  return range != std::end(kNewWordCharacters) && range->first <= c;
}

int other_digit_value(char32_t c) {
  const auto* const next = std::upper_bound(std::begin(kZeros), std::end(kZeros), uint32_t{c});
  if (next == std::begin(kZeros)) return -1;
  const uint32_t value = uint32_t{c} - *(next - 1);
  return value < 10 ? static_cast<int>(value) : -1;
}

}  // namespace enc::tweet
