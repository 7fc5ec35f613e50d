// Finds broken UTF-8, and replaces it. Well-formed sequences: Unicode 16, table 3-7.
#include "tokenizer/utf8.h"

#include <cstdint>
#include <cstring>

namespace enc::utf8 {
namespace {

struct Part {
  size_t size;  // bytes; of a broken part: the longest beginning of a well-formed sequence, at least 1
  bool valid;
};

/// The sequence at `p`, of which `available` > 0 bytes exist and whose first byte is not ASCII.
Part next_part(const char* p, size_t available) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(p[i]); };
  const unsigned char lead = byte(0);
  size_t size = 0;
  unsigned char low = 0x80;
  unsigned char high = 0xBF;
  if (lead >= 0xC2 && lead <= 0xDF) {
    size = 2;
  } else if (lead >= 0xE0 && lead <= 0xEF) {
    size = 3;
    if (lead == 0xE0) low = 0xA0;   // shorter forms exist
    if (lead == 0xED) high = 0x9F;  // surrogates
  } else if (lead >= 0xF0 && lead <= 0xF4) {
    size = 4;
    if (lead == 0xF0) low = 0x90;
    if (lead == 0xF4) high = 0x8F;  // beyond U+10FFFF
  } else {
    return {1, false};
  }
  for (size_t i = 1; i < size; i++) {
    if (i >= available || byte(i) < low || byte(i) > high) return {i, false};
    low = 0x80;
    high = 0xBF;
  }
  return {size, true};
}

/// Length of the ASCII run at `begin`.
size_t ascii_run(const char* begin, const char* end) {
  const char* p = begin;
  for (; end - p >= 8; p += 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    if (word & 0x8080808080808080u) break;
  }
  while (p < end && static_cast<unsigned char>(*p) < 0x80) p++;
  return static_cast<size_t>(p - begin);
}

}  // namespace

std::string_view sanitize(std::string_view text, std::string& buffer) {
  const char* const end = text.data() + text.size();
  const char* p = text.data();
  const char* copied = nullptr;  // up to here `text` lies in `buffer`; null while nothing was broken
  while (p < end) {
    p += ascii_run(p, end);
    if (p == end) break;
    const Part part = next_part(p, static_cast<size_t>(end - p));
    if (!part.valid) {
      if (!copied) {
        buffer.clear();
        copied = text.data();
      }
      buffer.append(copied, p);
      buffer.append("\xEF\xBF\xBD");
      copied = p + part.size;
    }
    p += part.size;
  }
  if (!copied) return text;
  buffer.append(copied, end);
  return buffer;
}

bool is_valid(std::string_view text) {
  const char* const end = text.data() + text.size();
  for (const char* p = text.data();;) {
    p += ascii_run(p, end);
    if (p == end) return true;
    const Part part = next_part(p, static_cast<size_t>(end - p));
    if (!part.valid) return false;
    p += part.size;
  }
}

}  // namespace enc::utf8
