// UTF-8 in and out. Only the first two take bytes from outside; everything behind them relies on valid UTF-8.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace enc::utf8 {

/// `text` itself when it is valid UTF-8, else a copy in `buffer` with U+FFFD for every maximal broken part,
/// as Rust's from_utf8_lossy, Python's errors="replace" and browsers do.
std::string_view sanitize(std::string_view text, std::string& buffer);

bool is_valid(std::string_view text);

inline bool is_continuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// The code point at `p`, which moves past it. `p` must stand on a lead byte of valid UTF-8.
inline char32_t decode(const char*& p) {
  const auto byte = [&](int i) { return static_cast<char32_t>(static_cast<unsigned char>(p[i])); };
  const char32_t lead = byte(0);
  char32_t c = lead;
  int size = 1;
  if (lead >= 0xF0) {
    c = (lead & 0x07) << 18 | (byte(1) & 0x3F) << 12 | (byte(2) & 0x3F) << 6 | (byte(3) & 0x3F);
    size = 4;
  } else if (lead >= 0xE0) {
    c = (lead & 0x0F) << 12 | (byte(1) & 0x3F) << 6 | (byte(2) & 0x3F);
    size = 3;
  } else if (lead >= 0x80) {
    c = (lead & 0x1F) << 6 | (byte(1) & 0x3F);
    size = 2;
  }
  p += size;
  return c;
}

/// The byte position where the character that ends at `end` begins; `end` > 0.
inline size_t previous(std::string_view text, size_t end) {
  do {
    end--;
  } while (is_continuation(text[end]));
  return end;
}

inline void append(std::string& out, char32_t c) {
  if (c < 0x80) {
    out.push_back(static_cast<char>(c));
    return;
  }
  char bytes[4];
  size_t size = 0;
  if (c < 0x800) {
    bytes[size++] = static_cast<char>(0xC0 | c >> 6);
  } else if (c < 0x10000) {
    bytes[size++] = static_cast<char>(0xE0 | c >> 12);
    bytes[size++] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
  } else {
    bytes[size++] = static_cast<char>(0xF0 | c >> 18);
    bytes[size++] = static_cast<char>(0x80 | (c >> 12 & 0x3F));
    bytes[size++] = static_cast<char>(0x80 | (c >> 6 & 0x3F));
  }
  bytes[size++] = static_cast<char>(0x80 | (c & 0x3F));
  out.append(bytes, size);
}

/// Number of code points.
inline size_t length(std::string_view text) {
  size_t count = 0;
  for (const char byte : text) count += !is_continuation(byte);
  return count;
}

}  // namespace enc::utf8
