// Tokens that are looked for in the text before the model sees it: control tokens such as [SEP], and words
// that a user added to the vocabulary. Those with "normalized" are looked for after the normalizer, the
// others before it.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "enc/tokenizer.h"
#include "tokenizer/byte_trie.h"
#include "tokenizer/stages.h"

namespace enc {

/// A stretch of a text: ordinary text when `id` is negative, else the added token found there.
struct Piece {
  Span span;
  int32_t id;
};

struct AddedToken {
  std::string content;
  int32_t id;
  bool single_word;  // not where a word character stands beside it
  bool lstrip;       // takes the white space before it along
  bool rstrip;       // and after it
  bool normalized;
  bool special;
};

/// An entry of the list "added_tokens".
AddedToken read_added_token(JsonValue entry);

/// Finds the tokens of one kind (normalized or not) in a text.
class AddedTokenMatcher {
 public:
  AddedTokenMatcher();

  /// `content`: what to look for, not empty. The first of two tokens with the same content counts.
  void add(AddedToken token, std::string_view content);

  /// False when a text can be passed on as one piece without looking; of a text that is the caller's.
  bool is_needed(SpecialTokens mode) const {
    return mode == SpecialTokens::kText ? has_ordinary_ : !tokens_.empty();
  }
  bool has_special() const { return has_special_; }

  /// Appends the pieces of `text` in order: at each place the longest token, leftmost first. Throws
  /// Error(input_invalid) when `mode` is kError and a special token is found. `mode` is for special tokens
  /// that overlap the bytes `callers`, all of the text where it is null; others are taken.
  void split(std::string_view text, SpecialTokens mode, const std::vector<Span>* callers,
             std::vector<Piece>& pieces) const;

 private:
  struct Match {
    size_t begin, end;
    const AddedToken* token;  // null: no more
  };
  Match find(std::string_view text, size_t from) const;

  std::vector<AddedToken> tokens_;
  ByteTrie trie_;  // values are indices of tokens_
  ByteTrie::Node root_;
  std::array<bool, 256> starts_{};  // bytes with which a content begins
  bool has_ordinary_ = false;
  bool has_special_ = false;
};

class AddedTokens {
 public:
  /// Reads the list "added_tokens" and checks each id against the one that Hugging Face's library would give
  /// it.
  AddedTokens(JsonValue list, const Model& model, const Normalizer& normalizer);

  const AddedTokenMatcher& before_normalizer() const { return raw_; }
  const AddedTokenMatcher& after_normalizer() const { return normalized_; }
  /// Ids of the special ones.
  const std::vector<int32_t>& special_ids() const { return special_ids_; }
  /// Largest id, or -1.
  int32_t max_id() const { return max_id_; }

 private:
  AddedTokenMatcher raw_;
  AddedTokenMatcher normalized_;
  std::vector<int32_t> special_ids_;
  int32_t max_id_ = -1;
};

}  // namespace enc
