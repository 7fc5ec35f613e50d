#include "tokenizer/pattern.h"

#include <cstdint>
#include <utility>

#include "tokenizer/stages.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"
#include "tokenizer/word_pattern.h"

namespace enc {
namespace {

constexpr size_t kMaxShownPattern = 200;  // bytes of an expression in a message
// Each position may be compared with this many bytes.
constexpr size_t kMaxLiteralBytes = 256;

class Literal : public Pattern {
 public:
  explicit Literal(std::string text) : text_(std::move(text)) {}

  Match find(std::string_view text, size_t from) const override {
    const size_t at = text.find(text_, from);
    if (at == std::string_view::npos) return {text.size(), text.size()};
    return {at, at + text_.size()};
  }

 private:
  std::string text_;
};

/// A run of characters of a class. A run shorter than `least` is no match, save that each of its characters
/// among `single` is one.
class Run : public Pattern {
 public:
  using Class = bool (*)(char32_t);
  Run(Class contains, size_t least, size_t most, Class single = nullptr)
      : contains_(contains), least_(least), most_(most), single_(single) {}

  Match find(std::string_view text, size_t from) const override {
    const char* const start = text.data();
    const char* const end = start + text.size();
    for (const char* p = start + from; p < end;) {
      const char* const begin = p;
      size_t count = 0;
      while (p < end && count < most_) {
        const char* next = p;
        if (!contains_(utf8::decode(next))) break;
        p = next;
        count++;
      }
      const auto match = [&](const char* to) {
        return Match{static_cast<size_t>(begin - start), static_cast<size_t>(to - start)};
      };
      if (count >= least_) return match(p);
      // Too short: the next match begins one character on.
      p = begin;
      if (single_ && single_(utf8::decode(p))) return match(p);
      if (!single_) utf8::decode(p);
    }
    return {text.size(), text.size()};
  }

 private:
  Class contains_;
  size_t least_, most_;
  Class single_;
};

class CharacterClass : public Pattern {
 public:
  explicit CharacterClass(uint32_t flags) : flags_(flags) {}

  Match find(std::string_view text, size_t from) const override {
    const char* const start = text.data();
    const char* const end = start + text.size();
    for (const char* p = start + from; p < end;) {
      const char* const begin = p;
      if (unicode::properties(utf8::decode(p)).flags & flags_)
        return {static_cast<size_t>(begin - start), static_cast<size_t>(p - start)};
    }
    return {text.size(), text.size()};
  }

 private:
  uint32_t flags_;
};

/// \w and [^\w\s] as Oniguruma has them, which reads the expressions of tokenizer.json: joiners are signs,
/// and numbers of Latin-1 that are no digits are both. Whitespace is an expression of Rust's own library.
bool is_onig_sign(char32_t c, uint32_t flags) {
  return !(flags & (unicode::kWord | unicode::kWhitespace)) || c == 0x200C || c == 0x200D;
}

bool is_onig_word(char32_t c, uint32_t flags) {
  return (c <= 0xFF && flags & unicode::kNumber) || (flags & unicode::kWord && !is_onig_sign(c, flags));
}

class WordsAndSigns : public Pattern {
 public:
  explicit WordsAndSigns(bool is_onig) : is_onig_(is_onig) {}

  Match find(std::string_view text, size_t from) const override {
    const char* const start = text.data();
    const char* const end = start + text.size();
    const char* begin = nullptr;
    bool in_word = false;
    for (const char* p = start + from; p < end;) {
      const char* const at = p;
      const char32_t c = utf8::decode(p);
      const uint32_t flags = unicode::properties(c).flags;
      const bool word = is_onig_ ? is_onig_word(c, flags) : (flags & unicode::kWord) != 0;
      const bool sign =
          is_onig_ ? is_onig_sign(c, flags) : !(flags & (unicode::kWord | unicode::kWhitespace));
      if (begin && !(in_word ? word : sign))
        return {static_cast<size_t>(begin - start), static_cast<size_t>(at - start)};
      if (!begin && (word || sign)) {
        begin = at;
        in_word = word;
      }
    }
    if (!begin) return {text.size(), text.size()};
    return {static_cast<size_t>(begin - start), text.size()};
  }

 private:
  bool is_onig_;
};

/// Words as Python's \S+\n? finds them, to which four control characters are white space too.
class WordsWithLineBreak : public Pattern {
 public:
  Match find(std::string_view text, size_t from) const override {
    const char* const start = text.data();
    const char* const end = start + text.size();
    const char* begin = nullptr;
    const auto match = [&](const char* to) {
      return Match{static_cast<size_t>(begin - start), static_cast<size_t>(to - start)};
    };
    for (const char* p = start + from; p < end;) {
      const char* const at = p;
      const char32_t c = utf8::decode(p);
      const bool white = (c >= 0x1C && c <= 0x1F) || unicode::properties(c).flags & unicode::kWhitespace;
      if (begin && white) return match(c == '\n' ? p : at);
      if (!begin && !white) begin = at;
    }
    return begin ? match(end) : Match{text.size(), text.size()};
  }
};

bool is_white(char32_t c) {
  return unicode::properties(c).flags & unicode::kWhitespace;
}

bool is_space(char32_t c) {
  return c == ' ';
}

bool is_line_break_or_tab(char32_t c) {
  return c == '\n' || c == '\r' || c == '\t';
}

bool is_ascii_digit(char32_t c) {
  return c >= '0' && c <= '9';
}

std::unique_ptr<const Pattern> find_regex(std::string_view regex) {
  const auto is = [&](const char* text) { return regex == text; };
  if (is("\\s+")) return std::make_unique<Run>(is_white, 1, SIZE_MAX);
  if (is("\\s")) return std::make_unique<Run>(is_white, 1, 1);
  if (is(" +")) return std::make_unique<Run>(is_space, 1, SIZE_MAX);
  if (is(" {2,}")) return std::make_unique<Run>(is_space, 2, SIZE_MAX);
  if (is("\\s{2,}")) return std::make_unique<Run>(is_white, 2, SIZE_MAX);
  if (is("\\s{2,}|[\\n\\r\\t]")) return std::make_unique<Run>(is_white, 2, SIZE_MAX, is_line_break_or_tab);
  if (is("[\\n\\r\\t]")) return std::make_unique<Run>(is_line_break_or_tab, 1, 1);
  if (is("\\n")) return make_literal("\n");
  if (is("[0-9][0-9][0-9]")) return std::make_unique<Run>(is_ascii_digit, 3, 3);
  if (is("\\p{N}")) return make_character_class(unicode::kNumber);
  if (is("\\w+|[^\\w\\s]+")) return std::make_unique<WordsAndSigns>(true);
  if (is("[^\\s\\x1c-\\x1f]+\\n?")) return std::make_unique<WordsWithLineBreak>();
  return make_word_pattern(regex);
}

}  // namespace

std::unique_ptr<const Pattern> make_literal(std::string text) {
  return std::make_unique<Literal>(std::move(text));
}

std::unique_ptr<const Pattern> make_character_class(uint32_t flags) {
  return std::make_unique<CharacterClass>(flags);
}

std::unique_ptr<const Pattern> make_words_and_signs() {
  return std::make_unique<WordsAndSigns>(false);
}

std::unique_ptr<const Pattern> make_gpt2_words() {
  return make_word_pattern(kGpt2Regex);
}

std::unique_ptr<const Pattern> make_pattern(JsonValue block, const std::string& stage) {
  if (const auto literal = block.find("String")) {
    const std::string_view text = literal->as_string();
    if (text.empty() || text.size() > kMaxLiteralBytes)
      literal->fail("must have 1 to " + std::to_string(kMaxLiteralBytes) + " bytes");
    return make_literal(std::string(text));
  }
  const std::string_view regex = block.at("Regex").as_string();
  if (auto pattern = find_regex(regex)) return pattern;
  fail_unsupported(stage + " with the regular expression", regex.substr(0, kMaxShownPattern),
                   "those of GPT-2, GPT-4, GPT-4o, Llama 3, Qwen and Mistral tokenizers");
}

}  // namespace enc
