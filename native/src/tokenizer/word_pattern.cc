// Hand-written scanners. Each function below is one alternative of the expressions: it returns where the
// match that begins at `p` ends, or null. Backtracking is worked out in advance; no character is looked at
// more than a few times.
#include "tokenizer/word_pattern.h"

#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

using unicode::kLetter;
using unicode::kLower;
using unicode::kMark;
using unicode::kNumber;
using unicode::kUpper;
using unicode::kWhitespace;

/// A character, its classes, and where the next one begins.
struct Character {
  char32_t c;
  uint32_t flags;
  const char* next;
};

Character read(const char* p) {
  const char* next = p;
  const char32_t c = utf8::decode(next);
  return {c, unicode::properties(c).flags, next};
}

/// End of the longest run at `p` of characters for which `contains(c, flags)`.
template <typename Class>
const char* run(const char* p, const char* end, Class contains) {
  while (p < end) {
    const Character at = read(p);
    if (!contains(at.c, at.flags)) break;
    p = at.next;
  }
  return p;
}

bool is_line_break(char32_t c) {
  return c == '\r' || c == '\n';
}

/// 's|'t|'re|'ve|'m|'ll|'d, in lower case or, with `any_case`, in every case. U+017F is an s in another case.
const char* contraction(const char* p, const char* end, bool any_case) {
  if (p == end || *p != '\'') return nullptr;
  const auto letter = [&](size_t i) -> char {
    if (end - p <= static_cast<ptrdiff_t>(i)) return 0;
    const char c = p[i];
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  };
  const char first = letter(1);
  const char second = first ? letter(2) : 0;
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return p + 2;
  if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l'))
    return p + 3;
  if (any_case && first == '\xC5' && second == '\xBF') return p + 3;
  return nullptr;
}

/// \s+(?!\S)|\s+ where a white space character stands at `p`: all of the run, but its last character when
/// something follows and something remains.
const char* white(const char* p, const char* end) {
  const char* last = p;
  const char* q = p;
  while (q < end) {
    const Character at = read(q);
    if (!(at.flags & kWhitespace)) break;
    last = q;
    q = at.next;
  }
  return q == end || last == p ? q : last;
}

/// \s*[\r\n]+
const char* white_to_line_break(const char* p, const char* end) {
  const char* found = nullptr;
  while (p < end) {
    const Character at = read(p);
    if (!(at.flags & kWhitespace)) break;
    p = at.next;
    if (is_line_break(at.c)) found = p;
  }
  return found;
}

class Gpt2Words : public Pattern {
 public:
  Match find(std::string_view text, size_t from) const override {
    if (from >= text.size()) return {text.size(), text.size()};
    const char* const start = text.data();
    return {from, static_cast<size_t>(match_end(start + from, start + text.size()) - start)};
  }

 private:
  static const char* match_end(const char* p, const char* end) {
    if (const char* const to = contraction(p, end, false)) return to;
    const char* const word = *p == ' ' && p + 1 < end ? p + 1 : p;
    const Character first = read(word);
    if (first.flags & kWhitespace) return white(p, end);
    const uint32_t kind = first.flags & (kLetter | kNumber);
    if (kind == 0)
      return run(first.next, end,
                 [](char32_t, uint32_t flags) { return !(flags & (kLetter | kNumber | kWhitespace)); });
    return run(first.next, end, [=](char32_t, uint32_t flags) { return flags & kind; });
  }
};

/// What tells the expressions of GPT-4 and its descendants apart.
struct Dialect {
  std::string_view regex;
  int max_digits;           // \p{N}{1,max_digits}
  bool marks_are_letters;   // [\p{L}\p{M}] in place of \p{L}
  bool parts_cases;         // a word is upper case, then lower case
  bool contraction_first;   // contractions are words of their own
  bool contraction_last;    // contractions end a word
  bool signs_take_slashes;  // [\r\n/]* after signs in place of [\r\n]*
};

constexpr Dialect kDialects[] = {
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     3, false, false, true, false, false},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     1, false, false, true, false, false},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
     3, false, false, true, false, false},
    {R"('(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+)",
     3, false, false, true, false, false},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     1, true, false, true, false, false},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     3, false, true, false, true, true},
    {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)",
     1, false, true, false, false, true},
};

class DialectWords : public Pattern {
 public:
  explicit DialectWords(const Dialect& dialect) : dialect_(dialect) {}

  Match find(std::string_view text, size_t from) const override {
    if (from >= text.size()) return {text.size(), text.size()};
    const char* const start = text.data();
    return {from, static_cast<size_t>(match_end(start + from, start + text.size()) - start)};
  }

 private:
  const char* match_end(const char* p, const char* end) const {
    if (dialect_.contraction_first)
      if (const char* const to = contraction(p, end, true)) return to;
    const Character first = read(p);
    const char* const word = dialect_.parts_cases ? cased_word(first, p, end) : plain_word(first, p, end);
    if (word) return word;
    if (first.flags & kNumber) {
      int left = dialect_.max_digits;
      return run(p, end, [&](char32_t, uint32_t flags) { return flags & kNumber && left-- > 0; });
    }
    if (const char* const to = signs(first, p, end)) return to;
    if (const char* const to = white_to_line_break(p, end)) return to;
    return white(p, end);
  }

  bool is_letter(uint32_t flags) const {
    return flags & (dialect_.marks_are_letters ? kLetter | kMark : uint32_t{kLetter});
  }

  static bool may_lead(const Character& first) {
    return !is_line_break(first.c) && !(first.flags & (kLetter | kNumber));
  }

  /// [^\r\n\p{L}\p{N}]?\p{L}+
  const char* plain_word(const Character& first, const char* p, const char* end) const {
    const auto letters = [this](char32_t, uint32_t flags) { return is_letter(flags); };
    if (may_lead(first)) {
      const char* const to = run(first.next, end, letters);
      if (to != first.next) return to;
    }
    return is_letter(first.flags) ? run(p, end, letters) : nullptr;
  }

  /// Not lower case: [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}].
  static bool is_raised(uint32_t flags) { return flags & kMark || (flags & kLetter && !(flags & kLower)); }
  /// Not upper case: [\p{Ll}\p{Lm}\p{Lo}\p{M}].
  static bool is_lowered(uint32_t flags) { return flags & kMark || (flags & kLetter && !(flags & kUpper)); }

  const char* cased_word(const Character& first, const char* p, const char* end) const {
    const char* to = may_lead(first) ? ends_lowered(first.next, end) : nullptr;
    if (!to) to = ends_lowered(p, end);
    if (!to && may_lead(first)) to = raised(first.next, end);
    if (!to) to = raised(p, end);
    if (!to || !dialect_.contraction_last) return to;
    const char* const with_contraction = contraction(to, end, true);
    return with_contraction ? with_contraction : to;
  }

  /// raised*lowered+. When the raised run is not followed by a lower-case letter, it gives back characters
  /// until one that is both can stand for the lowered part.
  static const char* ends_lowered(const char* p, const char* end) {
    const char* both_end = nullptr;
    while (p < end) {
      const Character at = read(p);
      if (!is_raised(at.flags)) break;
      if (is_lowered(at.flags)) both_end = at.next;
      p = at.next;
    }
    const char* const to = run(p, end, [](char32_t, uint32_t flags) { return is_lowered(flags); });
    return to != p ? to : both_end;
  }

  /// raised+; a lowered part cannot follow, for then ends_lowered() would have matched.
  static const char* raised(const char* p, const char* end) {
    const char* const to = run(p, end, [](char32_t, uint32_t flags) { return is_raised(flags); });
    return to != p ? to : nullptr;
  }

  ///  ?[^\s\p{L}\p{N}]+[\r\n]*
  const char* signs(const Character& first, const char* p, const char* end) const {
    const uint32_t others = kWhitespace | kLetter | kNumber | (dialect_.marks_are_letters ? kMark : 0u);
    const char* const begin = first.c == ' ' ? first.next : p;
    const char* const to = run(begin, end, [=](char32_t, uint32_t flags) { return !(flags & others); });
    if (to == begin) return nullptr;
    const bool slashes = dialect_.signs_take_slashes;
    return run(to, end, [=](char32_t c, uint32_t) { return is_line_break(c) || (slashes && c == '/'); });
  }

  const Dialect& dialect_;
};

}  // namespace

std::unique_ptr<const Pattern> make_word_pattern(std::string_view regex) {
  if (regex == kGpt2Regex) return std::make_unique<Gpt2Words>();
  for (const Dialect& dialect : kDialects)
    if (regex == dialect.regex) return std::make_unique<DialectWords>(dialect);
  return nullptr;
}

}  // namespace enc
