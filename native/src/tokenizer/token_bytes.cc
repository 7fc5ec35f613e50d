#include "tokenizer/token_bytes.h"

#include <string>

#include "enc/error.h"
#include "tokenizer/byte_level.h"

namespace enc {

TokenBytes::TokenBytes(JsonValue root) {
  const JsonValue model = root.at("model");
  if (const std::string_view type = model.at("type").as_string(); type != "BPE")
    fail_unsupported("model of a tokenizer whose labels are text", type, "BPE");
  std::string bytes;
  model.at("vocab").for_each_member([&](std::string_view token, JsonValue id) {
    // Any other stands for no bytes, unless it is an added token.
    if (read_byte_characters(token, bytes)) set(id, bytes.size());
  });
  root.at("added_tokens").for_each_item([&](JsonValue entry) {
    set(entry.at("id"), entry.at("content").as_string().size());
  });
}

void TokenBytes::set(JsonValue id, size_t bytes) {
  const auto place = static_cast<size_t>(id.as_integer(0, kMaxTokenId));
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
