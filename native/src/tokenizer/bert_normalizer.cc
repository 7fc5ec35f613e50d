// All four steps in one pass: each looks at single characters, except for the reordering that NFD asks for.
#include "tokenizer/bert_normalizer.h"

#include <algorithm>

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

constexpr char kDropped = '\xFF';

}  // namespace

/// Takes decomposed characters and writes them in canonical order, lower-cased if asked.
class BertNormalizer::Writer {
 public:
  Writer(std::string& out, bool lowercase) : out_(out), lowercase_(lowercase) {}
  ~Writer() { flush(); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  /// A character that stays where it is, and past which no mark moves.
  void put(char32_t c, uint32_t flags) {
    flush();
    write(c, flags);
  }

  /// NFD of one character without its nonspacing marks. A dropped mark of class 0 still parts the marks
  /// around it, for they are ordered before any is dropped.
  void put_stripped(char32_t c, unicode::Properties properties) {
    if (!(properties.flags & unicode::kHasDecomposition)) return put_part(c, properties);
    char32_t parts[unicode::kMaxDecomposition];
    const int count = unicode::decompose(c, parts);
    for (int i = 0; i < count; i++) put_part(parts[i], unicode::properties(parts[i]));
  }

  void flush() {
    if (marks_.empty()) return;
    if (marks_.size() > 1)
      std::stable_sort(marks_.begin(), marks_.end(), [](const Mark& a, const Mark& b) {
        return a.properties.combining_class < b.properties.combining_class;
      });
    for (const Mark& mark : marks_) write(mark.c, mark.properties.flags);
    marks_.clear();
  }

 private:
  struct Mark {
    char32_t c;
    unicode::Properties properties;
  };

  void put_part(char32_t c, unicode::Properties properties) {
    if (properties.combining_class == 0) flush();
    if (properties.flags & unicode::kNonspacingMark) return;
    if (properties.combining_class == 0)
      write(c, properties.flags);
    else
      marks_.push_back({c, properties});
  }

  void write(char32_t c, uint32_t flags) {
    if (!lowercase_ || !(flags & unicode::kHasLowerCase)) {
      utf8::append(out_, c);
      return;
    }
    char32_t lower[unicode::kMaxLowerCase];
    const int count = unicode::lower_case(c, lower);
    for (int i = 0; i < count; i++) utf8::append(out_, lower[i]);
  }

  std::string& out_;
  const bool lowercase_;
  std::vector<Mark> marks_;
};

BertNormalizer::BertNormalizer(JsonValue block)
    : clean_text_(block.at("clean_text").as_bool()),
      handle_chinese_chars_(block.at("handle_chinese_chars").as_bool()),
      lowercase_(block.at("lowercase").as_bool()) {
  const auto strip_accents = block.find("strip_accents");
  strip_accents_ = strip_accents && !strip_accents->is_null() ? strip_accents->as_bool() : lowercase_;
  for (char32_t c = 0; c < 128; c++) {
    const uint32_t flags = unicode::properties(c).flags;
    char32_t lower[unicode::kMaxLowerCase] = {c};
    if (lowercase_) unicode::lower_case(c, lower);
    ascii_[c] = static_cast<char>(lower[0]);
    if (clean_text_ && flags & unicode::kToSpace) ascii_[c] = ' ';
    if (clean_text_ && flags & unicode::kRemoved) ascii_[c] = kDropped;
  }
}

void BertNormalizer::append_ascii(std::string_view run, std::string& out) const {
  const size_t start = out.size();
  out.resize(start + run.size());
  char* p = out.data() + start;
  for (const char c : run) {
    *p = ascii_[static_cast<unsigned char>(c)];
    p += *p != kDropped;
  }
  out.resize(static_cast<size_t>(p - out.data()));
}

bool BertNormalizer::normalize(std::string_view text, std::string& out) const {
  Writer writer(out, lowercase_);
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    if (static_cast<unsigned char>(*p) < 0x80) {
      const char* const start = p;
      while (p < end && static_cast<unsigned char>(*p) < 0x80) p++;
      // ASCII that is dropped must not part the marks around it; the rest of the run does.
      const bool all_dropped =
          std::all_of(start, p, [&](char c) { return ascii_[static_cast<unsigned char>(c)] == kDropped; });
      if (all_dropped) continue;
      writer.flush();
      append_ascii({start, static_cast<size_t>(p - start)}, out);
      continue;
    }
    const char32_t c = utf8::decode(p);
    const unicode::Properties properties = unicode::properties(c);
    const uint32_t flags = properties.flags;
    if (clean_text_ && flags & unicode::kRemoved) continue;
    if (clean_text_ && flags & unicode::kToSpace) {
      writer.put(' ', 0);
      continue;
    }
    const bool spaced = handle_chinese_chars_ && flags & unicode::kCjk;
    if (spaced) writer.put(' ', 0);
    if (strip_accents_)
      writer.put_stripped(c, properties);
    else
      writer.put(c, flags);
    if (spaced) writer.put(' ', 0);
  }
  return text.empty() || !drops_first(text);
}

bool BertNormalizer::drops_first(std::string_view text) const {
  const char* p = text.data();
  const char32_t c = utf8::decode(p);
  const unicode::Properties properties = unicode::properties(c);
  if (clean_text_ && properties.flags & unicode::kRemoved) return true;
  if (!strip_accents_ || (clean_text_ && properties.flags & unicode::kToSpace)) return false;
  if (!(properties.flags & unicode::kHasDecomposition)) return properties.flags & unicode::kNonspacingMark;
  char32_t parts[unicode::kMaxDecomposition];
  unicode::decompose(c, parts);
  return unicode::properties(parts[0]).flags & unicode::kNonspacingMark;
}

}  // namespace enc
