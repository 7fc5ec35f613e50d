// From ids back to text, for tokenizers whose tokens are made of bytes.
#pragma once

#include <string>
#include <unordered_map>

#include "tokenizer/stages.h"

namespace enc {

class ByteDecoder {
 public:
  /// `root`: the whole tokenizer.json. Throws Error(tokenizer_unsupported) for another decoder than
  /// ByteLevel.
  explicit ByteDecoder(JsonValue root);

  /// What the decoder of Hugging Face's library gives for ids [begin, end), control tokens included: broken
  /// characters count as U+FFFD. An id without a token gives nothing.
  std::string decode(const int32_t* begin, const int32_t* end) const;

 private:
  void add(std::string_view token, JsonValue id);

  std::unordered_map<int32_t, std::string> bytes_;  // by id
};

}  // namespace enc
