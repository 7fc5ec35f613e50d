// What BERTweet makes of a text: names and addresses become @USER and HTTPURL, emoji their names, and words
// stand apart.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tokenizer/stages.h"

namespace enc {

class TweetNormalizer : public Normalizer {
 public:
  /// Reads `emoji`, what stands for characters that are words by themselves, and `entities`, the characters
  /// that HTML has names for.
  explicit TweetNormalizer(JsonValue block);

  bool normalize(std::string_view text, std::string& out) const override;

 private:
  void replace_entities(std::string& text) const;
  bool append_entity(std::string_view body, std::string& out) const;
  void append_word(std::string_view word, std::string& out) const;

  std::vector<std::pair<char32_t, std::string>> emoji_;  // in order
  std::map<std::string, char32_t, std::less<>> entities_;
};

}  // namespace enc
