// Unigram: of all ways to part a word into tokens, the one whose scores have the largest sum.
#pragma once

#include <optional>

#include "tokenizer/byte_fallback.h"
#include "tokenizer/byte_trie.h"
#include "tokenizer/stages.h"

namespace enc {

class Unigram : public Model {
 public:
  /// Reads vocab (tokens and scores, the place is the id), unk_id and byte_fallback.
  explicit Unigram(JsonValue block);

  void tokenize(std::string_view word, bool allow_control, std::vector<int32_t>& ids) const override;
  int32_t token_to_id(std::string_view token) const override { return trie_.find(root_, token); }
  size_t num_tokens() const override { return num_distinct_; }
  int32_t max_id() const override { return static_cast<int32_t>(scores_.size()) - 1; }
  void set_control_ids(const std::vector<int32_t>& ids) override;

 private:
  void append(std::string_view piece, bool allow_control, std::vector<int32_t>& ids) const;

  ByteTrie trie_;
  ByteTrie::Node root_;
  std::vector<double> scores_;    // by id
  std::vector<bool> is_control_;  // by id
  size_t num_distinct_ = 0;
  std::optional<int32_t> unk_id_;
  double unk_score_;  // of a character that no token covers
  std::optional<ByteFallback> bytes_;
};

}  // namespace enc
