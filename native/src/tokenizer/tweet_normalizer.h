// What BERTweet makes of a text: names and addresses become @USER and HTTPURL, emoji their names, and words
// stand apart.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tokenizer/byte_trie.h"
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
  void append_entity(std::string_view body, std::string& out) const;
  void append_word(std::string_view word, std::string& out) const;

  ByteTrie trie_;
  ByteTrie::Node emoji_;     // character -> index of names_
  ByteTrie::Node entities_;  // name -> code point
  std::vector<std::string> names_;
};

}  // namespace enc
