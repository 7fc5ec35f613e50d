// Classes of characters as Python's package `regex` has them where case is ignored, which the words of tweets
// are found with. It follows later versions of Unicode than the library behind unicode_tables.h.
#pragma once

#include <cstdint>

namespace enc::tweet {

/// \s
bool is_space(char32_t c);

/// \w; a surrogate is none.
bool is_word(char32_t c);

/// What the decimal digit `c` (\d) stands for, or -1.
int digit_value(char32_t c);

inline bool is_digit(char32_t c) {
  return digit_value(c) >= 0;
}

/// [^\W\d_]
inline bool is_letter(char32_t c) {
  return c != '_' && is_word(c) && !is_digit(c);
}

/// [a-z]: with the long s, the sign for kelvin, and the dotted I, whose other cases are Latin letters.
inline bool is_latin(char32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == 0x130 || c == 0x17F || c == 0x212A;
}

/// [a-z0-9]
inline bool is_latin_or_digit(char32_t c) {
  return is_latin(c) || (c >= '0' && c <= '9');
}

}  // namespace enc::tweet
