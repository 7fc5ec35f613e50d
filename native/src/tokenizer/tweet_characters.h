// Classes of characters as Python's package `regex` has them where case is ignored, which the words of tweets
// are found with. It follows later versions of Unicode than the library behind unicode_tables.h.
#pragma once

#include <cstdint>

namespace enc::tweet {

/// The three below of characters beyond ASCII.
bool is_other_space(char32_t c);
bool is_other_word(char32_t c);
int other_digit_value(char32_t c);

/// \s
inline bool is_space(char32_t c) {
  return c < 0x80 ? c == ' ' || (c >= '\t' && c <= '\r') : is_other_space(c);
}

/// What the decimal digit `c` (\d) stands for, or -1. Python's int() knows it likewise where its version of
/// Unicode has it.
inline int digit_value(char32_t c) {
  if (c < 0x80) return c >= '0' && c <= '9' ? static_cast<int>(c - '0') : -1;
  return other_digit_value(c);
}

inline bool is_digit(char32_t c) {
  return digit_value(c) >= 0;
}

/// \w; a surrogate is none.
inline bool is_word(char32_t c) {
  if (c >= 0x80) return is_other_word(c);
  return c == '_' || is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
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
