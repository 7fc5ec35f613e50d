#include "tokenizer/token_bytes.h"

#include "enc/error.h"
#include "tokenizer/added_tokens.h"
#include "tokenizer/byte_level.h"

namespace enc {

TokenBytes::TokenBytes(JsonValue root) {
  const JsonValue model = root.at("model");
  if (const std::string_view type = model.at("type").as_string(); type != "BPE")
    fail_unsupported("model of a tokenizer whose labels are text", type, "BPE");
  std::string bytes;
  model.at("vocab").for_each_member([&](std::string_view token, JsonValue id) {
    // Any other stands for no bytes, unless it is an added token.
    if (read_byte_characters(token, bytes))
      set(static_cast<int32_t>(id.as_integer(0, kMaxTokenId)), bytes.size());
  });
  root.at("added_tokens").for_each_item([&](JsonValue entry) {
    const AddedToken token = read_added_token(entry);
    set(token.id, token.content.size());
    if (!token.lstrip && !token.rstrip) return;
    if (!token.special)
      fail_unsupported("added token of a tokenizer whose labels are text", token.content,
                       "one that leaves spaces");
    with_spaces_.emplace(token.id, token.content);
  });
}

void TokenBytes::set(int32_t id, size_t bytes) {
  const auto place = static_cast<size_t>(id);
  if (place >= bytes_.size()) bytes_.resize(place + 1);
  uint32_t& known = bytes_[place];
  if (known != 0 && known != bytes)
    fail_unsupported("added token of a tokenizer whose labels are text", std::to_string(place),
                     "one that takes as many bytes of a text as the token of the vocabulary");
  known = static_cast<uint32_t>(bytes);
}

void TokenBytes::find_ends(const std::vector<int32_t>& ids, bool are_all, size_t size,
                           std::vector<uint32_t>& ends) const {
  ends.clear();
  size_t end = 0;
  for (const int32_t id : ids) {
    if (const auto found = with_spaces_.find(id); found != with_spaces_.end())
      throw Error(ErrorCode::input_invalid,
                  "the control token " + found->second +
                      " takes in the spaces beside it, so that it is not known which "
                      "tokens hold the labels; leave it out, or have it read as text");
    const auto place = static_cast<size_t>(id);
    end += place < bytes_.size() ? bytes_[place] : 0;
    ends.push_back(static_cast<uint32_t>(end));
  }
  if (end > size || (are_all && end < size))
    throw Error(ErrorCode::tokenizer_unsupported, "the tokens of a text take " + std::to_string(end) +
                                                      " bytes of its " + std::to_string(size) +
                                                      ", so that its labels are not found in it");
}

}  // namespace enc
