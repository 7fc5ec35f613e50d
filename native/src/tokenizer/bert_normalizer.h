// BertNormalizer: clean text, spaces around Chinese characters, strip accents, lower case, in this order.
#pragma once

#include <array>

#include "tokenizer/stages.h"

namespace enc {

class BertNormalizer : public Normalizer {
 public:
  /// Reads clean_text, handle_chinese_chars, lowercase and strip_accents (null or absent: as lowercase).
  explicit BertNormalizer(JsonValue block);

  bool normalize(std::string_view text, std::string& out) const override;

 private:
  class Writer;

  void append_ascii(std::string_view run, std::string& out) const;
  bool drops_first(std::string_view text) const;

  bool clean_text_;
  bool handle_chinese_chars_;
  bool strip_accents_;
  bool lowercase_;
  std::array<char, 128> ascii_;  // what becomes of each ASCII character; kDropped for none
};

}  // namespace enc
