// The vocabulary as two tries with common storage; time is linear in the word, for no token that can match is
// longer than max_input_chars_per_word.
#include "tokenizer/word_piece.h"

#include <algorithm>

#include "tokenizer/utf8.h"

namespace enc {
namespace {

// Every start in a word may look this far ahead, so it bounds the work per character. Published files say
// 100.
constexpr int64_t kMaxCharsPerWord = 1000;

}  // namespace

WordPiece::WordPiece(JsonValue block) : first_(trie_.add_root()), continue_(trie_.add_root()) {
  const std::string_view prefix = block.at("continuing_subword_prefix").as_string();
  const JsonValue max_chars = block.at("max_input_chars_per_word");
  max_chars_ = static_cast<size_t>(max_chars.as_integer(0, kMaxCharsPerWord));
  block.at("vocab").for_each_member([&](std::string_view token, JsonValue value) {
    const auto id = static_cast<int32_t>(value.as_integer(0, kMaxTokenId));
    if (!trie_.insert(first_, token, id)) value.fail("occurs twice in the vocabulary");
    if (token.size() > prefix.size() && token.substr(0, prefix.size()) == prefix)
      trie_.insert(continue_, token.substr(prefix.size()), id);
    num_tokens_++;
    max_id_ = std::max(max_id_, id);
  });
  const JsonValue unk = block.at("unk_token");
  unk_id_ = token_to_id(unk.as_string());
  if (unk_id_ < 0) unk.fail("names a token that the vocabulary lacks");
}

void WordPiece::set_control_ids(const std::vector<int32_t>& ids) {
  control_ids_ = ids;
  std::sort(control_ids_.begin(), control_ids_.end());
}

void WordPiece::tokenize(std::string_view word, bool allow_control, std::vector<int32_t>& ids) const {
  const size_t num_ids_before = ids.size();
  bool unknown = word.size() > max_chars_ && utf8::length(word) > max_chars_;
  for (size_t start = 0; start < word.size() && !unknown;) {
    int32_t id = ByteTrie::kNoValue;
    size_t end = start;
    ByteTrie::Node node = start == 0 ? first_ : continue_;
    for (size_t i = start; i < word.size(); i++) {
      node = trie_.child(node, static_cast<unsigned char>(word[i]));
      if (node == ByteTrie::kNone) break;
      const int32_t candidate = trie_.value(node);
      if (candidate == ByteTrie::kNoValue) continue;
      if (!allow_control && std::binary_search(control_ids_.begin(), control_ids_.end(), candidate)) continue;
      id = candidate;
      end = i + 1;
    }
    unknown = id == ByteTrie::kNoValue;
    ids.push_back(id);
    start = end;
  }
  if (unknown) {
    ids.resize(num_ids_before);
    ids.push_back(unk_id_);
  }
}

}  // namespace enc
