#include "tokenizer/text_normalizers.h"

#include <algorithm>

#include "tokenizer/pattern.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

// One match may become this many bytes, so it bounds how a text may grow.
constexpr size_t kMaxContentBytes = 64;

std::string read_content(JsonValue value) {
  if (value.as_string().size() > kMaxContentBytes)
    value.fail("has more than " + std::to_string(kMaxContentBytes) + " bytes");
  return std::string(value.as_string());
}

class Lowercase : public Normalizer {
 public:
  bool normalize(std::string_view text, std::string& out) const override {
    const char* const end = text.data() + text.size();
    for (const char* p = text.data(); p < end;) {
      const char* const at = p;
      const char32_t c = utf8::decode(p);
      if (!(unicode::properties(c).flags & unicode::kHasLowerCase)) {
        out.append(at, p);
        continue;
      }
      char32_t lower[unicode::kMaxLowerCase];
      const int count = unicode::lower_case(c, lower);
      for (int i = 0; i < count; i++) utf8::append(out, lower[i]);
    }
    return true;
  }
};

class StripAccents : public Normalizer {
 public:
  bool normalize(std::string_view text, std::string& out) const override {
    const char* const end = text.data() + text.size();
    for (const char* p = text.data(); p < end;) {
      const char* const at = p;
      if (!(unicode::properties(utf8::decode(p)).flags & unicode::kCombining)) out.append(at, p);
    }
    const char* first = text.data();
    return text.empty() || !(unicode::properties(utf8::decode(first)).flags & unicode::kCombining);
  }
};

class Strip : public Normalizer {
 public:
  explicit Strip(JsonValue block)
      : left_(block.at("strip_left").as_bool()), right_(block.at("strip_right").as_bool()) {}

  bool normalize(std::string_view text, std::string& out) const override {
    const auto is_white = [](const char* p) {
      return unicode::properties(utf8::decode(p)).flags & unicode::kWhitespace;
    };
    size_t begin = 0;
    size_t end = text.size();
    while (left_ && begin < end && is_white(text.data() + begin)) {
      const char* next = text.data() + begin;
      utf8::decode(next);
      begin = static_cast<size_t>(next - text.data());
    }
    while (right_ && end > begin) {
      const size_t last = utf8::previous(text, end);
      if (!is_white(text.data() + last)) break;
      end = last;
    }
    out += text.substr(begin, end - begin);
    return begin == 0;
  }

 private:
  bool left_;
  bool right_;
};

/// SentencePiece's clean-up of control characters and odd spaces.
class Nmt : public Normalizer {
 public:
  bool normalize(std::string_view text, std::string& out) const override {
    const char* const end = text.data() + text.size();
    for (const char* p = text.data(); p < end;) {
      const char* const at = p;
      const char32_t c = utf8::decode(p);
      if (is_removed(c)) continue;
      if (becomes_space(c))
        out += ' ';
      else
        out.append(at, p);
    }
    const char* first = text.data();
    return text.empty() || !is_removed(utf8::decode(first));
  }

 private:
  static bool is_removed(char32_t c) {
    return (c >= 0x01 && c <= 0x08) || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F || c == 0x8F ||
           c == 0x9F;
  }
  static bool becomes_space(char32_t c) {
    return c == 0x09 || c == 0x0A || c == 0x0C || c == 0x0D || c == 0x1680 || (c >= 0x200B && c <= 0x200F) ||
           c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xFEFF || c == 0xFFFD;
  }
};

class Replace : public Normalizer {
 public:
  explicit Replace(JsonValue block)
      : pattern_(make_pattern(block.at("pattern"), "normalizer Replace")),
        content_(read_content(block.at("content"))) {}

  bool normalize(std::string_view text, std::string& out) const override {
    const size_t start = out.size();
    bool keeps_start = true;
    for (size_t done = 0; done < text.size();) {
      const Pattern::Match match = pattern_->find(text, done);
      out += text.substr(done, match.begin - done);
      if (match.begin < match.end) out += content_;
      // The library takes what stands for a match to begin where its last character does.
      if (match.begin == 0 && match.end > 0)
        keeps_start = !content_.empty() && utf8::previous(text, match.end) == 0;
      check_growth(text.size(), out.size() - start);
      done = std::max(match.begin, match.end);
    }
    return keeps_start;
  }

 private:
  std::unique_ptr<const Pattern> pattern_;
  std::string content_;
};

class Prepend : public Normalizer {
 public:
  explicit Prepend(JsonValue block) : content_(read_content(block.at("prepend"))) {}

  bool normalize(std::string_view text, std::string& out) const override {
    if (!text.empty()) out.append(content_).append(text);
    return true;
  }

 private:
  std::string content_;
};

}  // namespace

std::unique_ptr<const Normalizer> make_text_normalizer(std::string_view type, JsonValue block) {
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "StripAccents") return std::make_unique<StripAccents>();
  if (type == "Strip") return std::make_unique<Strip>(block);
  if (type == "Nmt") return std::make_unique<Nmt>();
  if (type == "Replace") return std::make_unique<Replace>(block);
  if (type == "Prepend") return std::make_unique<Prepend>(block);
  return nullptr;
}

bool NormalizerSequence::normalize(std::string_view text, std::string& out) const {
  if (parts_.empty()) {
    out += text;
    return true;
  }
  bool keeps_start = true;
  std::string before, after;
  for (size_t i = 0; i < parts_.size(); i++) {
    const std::string_view input = i == 0 ? text : std::string_view(before);
    if (i + 1 == parts_.size()) {
      keeps_start &= parts_[i]->normalize(input, out);
      return keeps_start;
    }
    after.clear();
    keeps_start &= parts_[i]->normalize(input, after);
    check_growth(text.size(), after.size());
    before.swap(after);
  }
  return keeps_start;
}

}  // namespace enc
