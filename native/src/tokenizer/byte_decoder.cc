#include "tokenizer/byte_decoder.h"

#include "tokenizer/byte_level.h"
#include "tokenizer/utf8.h"

namespace enc {
ByteDecoder::ByteDecoder(JsonValue root) {
  const auto decoder = root.find("decoder");
  const std::string_view type =
      !decoder || decoder->is_null() ? std::string_view("null") : decoder->at("type").as_string();
  if (type != "ByteLevel") fail_unsupported("decoder of a model that ranks lists", type, "ByteLevel");
  root.at("model").at("vocab").for_each_member([&](std::string_view token, JsonValue id) { add(token, id); });
  root.at("added_tokens").for_each_item([&](JsonValue entry) {
    add(entry.at("content").as_string(), entry.at("id"));
  });
}

void ByteDecoder::add(std::string_view token, JsonValue id) {
  std::string& bytes = bytes_[static_cast<int32_t>(id.as_integer(0, kMaxTokenId))];
  // A token with a character that stands for no byte is text itself.
  if (!read_byte_characters(token, bytes)) bytes = token;
}

std::string ByteDecoder::decode(const int32_t* begin, const int32_t* end) const {
  std::string joined, buffer;
  for (const int32_t* id = begin; id != end; ++id) {
    const auto found = bytes_.find(*id);
    if (found != bytes_.end()) joined += found->second;
  }
  return std::string(utf8::sanitize(joined, buffer));
}

}  // namespace enc
