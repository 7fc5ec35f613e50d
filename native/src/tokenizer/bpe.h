// Byte pair encoding: a word's characters, of which pairs are joined in the order of the list of merges.
//
// Each symbol of a word is a token, but for a subword-nmt vocabulary (continuing_subword_suffix): there words
// are merged first and looked for after that. The merges tell a symbol that ends its word by
// end_of_word_suffix, the vocabulary one that does not by continuing_subword_suffix; what it lacks is
// unknown.
#pragma once

#include <optional>
#include <string>

#include "tokenizer/byte_fallback.h"
#include "tokenizer/hash_tables.h"
#include "tokenizer/stages.h"

namespace enc {

class Bpe : public Model {
 public:
  /// Reads vocab, merges, unk_token, fuse_unk, byte_fallback, ignore_merges, continuing_subword_prefix,
  /// end_of_word_suffix and continuing_subword_suffix. Throws Error(tokenizer_unsupported) for a dropout,
  /// which would make ids random.
  explicit Bpe(JsonValue block);

  void tokenize(std::string_view word, bool allow_control, std::vector<int32_t>& ids) const override;
  int32_t token_to_id(std::string_view token) const override { return vocabulary_.find(token); }
  size_t num_tokens() const override { return vocabulary_.size(); }
  int32_t max_id() const override { return max_id_; }
  void set_control_ids(const std::vector<int32_t>& ids) override;

 private:
  class Word;
  static constexpr int32_t kNoToken = -1, kUnknownSymbol = 0;

  void read_symbols(JsonValue vocabulary, std::string_view continuing_suffix);
  void read_merges(JsonValue merges);
  void add_merge(JsonValue entry, std::string_view left, std::string_view right, uint32_t rank);
  void split_characters(std::string_view text, bool allow_control, Word& word) const;
  int32_t find_symbol(std::string_view text) const;
  int32_t find_or_add_symbol(std::string_view text);
  int32_t add_symbol(std::string_view text, int32_t token);
  /// kNoToken for a symbol that the vocabulary lacks.
  int32_t token_of(int32_t symbol) const {
    return tokens_of_.empty() ? symbol : tokens_of_[static_cast<size_t>(symbol)];
  }
  bool is_allowed(int32_t symbol, bool allow_control) const;

  TokenTable vocabulary_;
  TokenTable symbols_;              // of a subword-nmt vocabulary
  std::vector<int32_t> tokens_of_;  // by symbol; empty: symbols are tokens
  MergeTable merges_;
  std::string prefix_;  // of characters that do not begin the word
  std::string suffix_;  // of the character that ends it
  std::optional<int32_t> unk_id_;
  bool fuse_unk_;
  bool ignore_merges_;
  std::optional<ByteFallback> bytes_;
  int32_t max_id_ = -1;
  std::vector<int32_t> control_ids_;  // sorted
};

}  // namespace enc
