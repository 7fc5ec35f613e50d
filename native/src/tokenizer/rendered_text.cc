#include "tokenizer/rendered_text.h"

#include "enc/error.h"
#include "tokenizer/utf8.h"

namespace enc {

void render_prefixed(std::string_view prefix, std::string_view text, size_t max_bytes, RenderedText& out) {
  std::string buffer;
  const std::string_view valid = utf8::sanitize(text, buffer);
  const size_t size = prefix.size() + valid.size();
  if (size > max_bytes)
    throw Error(ErrorCode::limit_exceeded, "a text has " + std::to_string(size) +
                                               " bytes with the model's prefix, more than " +
                                               std::to_string(max_bytes) + "; split it");
  const auto begin = static_cast<uint32_t>(prefix.size()), end = static_cast<uint32_t>(size);
  out.text = prefix;
  out.text += valid;
  out.callers.clear();
  if (begin < end) out.callers.push_back({begin, end});
  out.ends = {end};
}

}  // namespace enc
