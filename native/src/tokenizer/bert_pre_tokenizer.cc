#include "tokenizer/bert_pre_tokenizer.h"

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {

BertPreTokenizer::BertPreTokenizer() {
  for (char32_t c = 0; c < 128; c++)
    ascii_[c] = unicode::properties(c).flags & (unicode::kWhitespace | unicode::kPunctuation);
}

void BertPreTokenizer::split(std::string& text, std::vector<Span>& words) const {
  words.clear();
  const char* const start = text.data();
  const char* const end = start + text.size();
  const char* word = start;
  const auto position = [&](const char* p) { return static_cast<uint32_t>(p - start); };
  for (const char* p = start; p < end;) {
    const char* const at = p;
    const auto lead = static_cast<unsigned char>(*p);
    const unsigned kind = lead < 0x80 ? (p++, ascii_[lead]) : unicode::properties(utf8::decode(p)).flags;
    if (!(kind & (unicode::kWhitespace | unicode::kPunctuation))) continue;
    if (word < at) words.push_back({position(word), position(at)});
    if (kind & unicode::kPunctuation) words.push_back({position(at), position(p)});
    word = p;
  }
  if (word < end) words.push_back({position(word), position(end)});
}

}  // namespace enc
