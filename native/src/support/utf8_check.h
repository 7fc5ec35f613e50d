// Strict UTF-8 validation for text that comes from files.
#pragma once

#include <cstdint>
#include <string_view>

namespace enc {

/// True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
inline bool is_valid_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const unsigned char*>(text.data());
  const auto* const end = at + text.size();
  while (at < end) {
    const unsigned lead = *at++;
    if (lead < 0x80) continue;
    const int extra = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || end - at < extra) return false;
    uint32_t code_point = lead & (0x3Fu >> extra);
    for (int i = 0; i < extra; i++, at++) {
      if ((*at & 0xC0) != 0x80) return false;
      code_point = code_point << 6 | (*at & 0x3Fu);
    }
    const bool overlong = (extra == 2 && code_point < 0x800) || (extra == 3 && code_point < 0x10000);
    if (overlong || (code_point >= 0xD800 && code_point <= 0xDFFF) || code_point > 0x10FFFF) return false;
  }
  return true;
}

}  // namespace enc
