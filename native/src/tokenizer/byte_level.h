// ByteLevel: every byte becomes a printable character, so that a vocabulary of characters covers all text.
#pragma once

#include <memory>

#include "tokenizer/pattern.h"
#include "tokenizer/stages.h"

namespace enc {

/// Appends `bytes` with the character that stands for each byte: itself where it is printable in Latin-1,
/// else one from U+0100 on.
void append_byte_characters(std::string_view bytes, std::string& out);

/// The bytes that the characters of valid UTF-8 stand for; false where one stands for none.
bool read_byte_characters(std::string_view characters, std::string& bytes);

class ByteLevel : public PreTokenizer {
 public:
  /// Reads add_prefix_space and use_regex (absent: true). trim_offsets concerns offsets only.
  explicit ByteLevel(JsonValue block);

  void split(Words& words) const override;

 private:
  bool add_prefix_space_;
  std::unique_ptr<const Pattern> pattern_;  // null: words stay whole
};

/// The normalizer of the same name.
class ByteLevelNormalizer : public Normalizer {
 public:
  bool normalize(std::string_view text, std::string& out) const override {
    append_byte_characters(text, out);
    return true;
  }
};

}  // namespace enc
