// WordPiece: the longest token that begins the word, then the longest that continues it, and so on.
#pragma once

#include "tokenizer/byte_trie.h"
#include "tokenizer/stages.h"

namespace enc {

class WordPiece : public Model {
 public:
  /// Reads unk_token, continuing_subword_prefix, max_input_chars_per_word and vocab.
  explicit WordPiece(JsonValue block);

  void tokenize(std::string_view word, bool allow_control, std::vector<int32_t>& ids) const override;
  int32_t token_to_id(std::string_view token) const override { return trie_.find(first_, token); }
  size_t num_tokens() const override { return num_tokens_; }
  int32_t max_id() const override { return max_id_; }
  void set_control_ids(const std::vector<int32_t>& ids) override;

 private:
  ByteTrie trie_;
  ByteTrie::Node first_;     // all tokens as they are written
  ByteTrie::Node continue_;  // tokens that begin with the prefix, without it
  int32_t unk_id_;
  size_t max_chars_;  // a longer word is unknown as a whole
  size_t num_tokens_ = 0;
  int32_t max_id_ = 0;
  std::vector<int32_t> control_ids_;  // sorted
};

}  // namespace enc
