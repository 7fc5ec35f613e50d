#include "tokenizer/rendered_text.h"

#include "enc/error.h"
#include "tokenizer/utf8.h"

namespace enc {

TextWriter::TextWriter(RenderedText& out, size_t max_bytes, const char* what, const char* advice)
    : out_(out), max_bytes_(max_bytes), what_(what), advice_(advice) {
  out.text.clear();
  out.callers.clear();
  out.ends.clear();
}

void TextWriter::append(std::string_view part, bool is_callers) {
  const size_t begin = out_.text.size(), end = begin + part.size();
  if (end > max_bytes_)
    throw Error(ErrorCode::limit_exceeded, std::string(what_) + " have more than " +
                                               std::to_string(max_bytes_) + " bytes together; " + advice_);
  if (is_callers && !part.empty())
    out_.callers.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
  out_.text += part;
}

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

void take_written_out(std::string_view text, const WrittenOut& parts, RenderedText& out) {
  uint32_t end = 0;
  bool fits = text.size() <= UINT32_MAX && utf8::is_valid(text) && parts.end <= text.size();
  out.callers.clear();
  for (const WrittenOut::Part& part : parts.callers) {
    fits = fits && end <= part.begin && part.begin < part.end && part.end <= text.size();
    end = part.end;
    out.callers.push_back({part.begin, part.end});
  }
  if (!fits) throw Error(ErrorCode::input_invalid, "the parts of a text with control tokens are not its own");
  out.text = text;
  out.ends = {static_cast<uint32_t>(text.size())};
}

}  // namespace enc
