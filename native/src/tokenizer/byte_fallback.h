// What a vocabulary with byte_fallback spells characters with that no token covers: the tokens <0x00> to
// <0xFF>.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace enc {

class ByteFallback {
 public:
  /// `find(token)`: the token's id, or -1.
  template <typename Find>
  explicit ByteFallback(const Find& find) {
    for (unsigned byte = 0; byte < ids_.size(); byte++) {
      char token[8];
      std::snprintf(token, sizeof token, "<0x%02X>", byte);
      ids_[byte] = find(std::string_view(token));
    }
  }

  /// Calls `add(id)` for each byte of `text`; false, and it is not called, where one has no token.
  template <typename Add>
  bool spell(std::string_view text, const Add& add) const {
    const auto id_of = [this](char byte) { return ids_[static_cast<unsigned char>(byte)]; };
    if (std::any_of(text.begin(), text.end(), [&](char byte) { return id_of(byte) < 0; })) return false;
    for (const char byte : text) add(id_of(byte));
    return true;
  }

 private:
  std::array<int32_t, 256> ids_;
};

}  // namespace enc
