#include "tokenizer/bert_pre_tokenizer.h"

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {

BertPreTokenizer::BertPreTokenizer() {
  for (char32_t c = 0; c < 128; c++)
    ascii_[c] = unicode::properties(c).flags & (unicode::kWhitespace | unicode::kPunctuation);
}

void BertPreTokenizer::split(Words& words) const {
  std::vector<Span>& out = words.next_spans;
  out.clear();
  const char* const start = words.text.data();
  const auto position = [&](const char* p) { return static_cast<uint32_t>(p - start); };
  for (const Span& span : words.spans) {
    const char* const end = start + span.end;
    const char* word = start + span.begin;
    for (const char* p = word; p < end;) {
      const char* const at = p;
      const auto lead = static_cast<unsigned char>(*p);
      const unsigned kind = lead < 0x80 ? (p++, ascii_[lead]) : unicode::properties(utf8::decode(p)).flags;
      if (!(kind & (unicode::kWhitespace | unicode::kPunctuation))) continue;
      if (word < at) out.push_back({position(word), position(at)});
      if (kind & unicode::kPunctuation) out.push_back({position(at), position(p)});
      word = p;
    }
    if (word < end) out.push_back({position(word), position(end)});
  }
  words.spans.swap(out);
}

}  // namespace enc
