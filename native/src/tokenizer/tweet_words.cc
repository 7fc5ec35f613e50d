// Hand-written scanners. Each function below is one alternative of the expression: it returns where the match
// that begins at `at` ends, or kNone. Nothing is given back but the end of a run.
#include "tokenizer/tweet_words.h"

#include "tokenizer/tweet_characters.h"
#include "tokenizer/utf8.h"

namespace enc::tweet {

class Words::Cursor {
 public:
  Cursor(std::string_view text, size_t at) : text_(text), at_(at) {}

  size_t at() const { return at_; }
  bool is_end() const { return at_ >= text_.size(); }

  /// The character here, or 0 at the end, which no class but that of any character has.
  char32_t peek(size_t& next) const {
    next = at_;
    if (is_end()) return 0;
    const char* p = text_.data() + at_;
    const char32_t c = utf8::decode(p);
    next = static_cast<size_t>(p - text_.data());
    return c;
  }
  /// Takes one character of a class, if it is there.
  template <typename Class>
  bool take(Class contains) {
    size_t next;
    const char32_t c = peek(next);
    if (is_end() || !contains(c)) return false;
    at_ = next;
    return true;
  }
  bool take_one_of(std::string_view characters) {
    if (is_end()) return false;
    for (const char character : characters) {
      if (character != text_[at_]) continue;
      at_++;
      return true;
    }
    return false;
  }
  template <typename Class>
  size_t take_all(Class contains) {
    size_t count = 0;
    while (take(contains)) count++;
    return count;
  }
  template <typename Class>
  bool take_exactly(size_t count, Class contains) {
    while (count > 0 && take(contains)) count--;
    return count == 0;
  }

 private:
  std::string_view text_;
  size_t at_;
};

namespace {

constexpr std::string_view kEyes = ":;=8";
constexpr std::string_view kNoses = "-oO*'";
constexpr std::string_view kMouths = ")]([dDpP/:}{@|\\";

}  // namespace

std::string_view Words::next() {
  Cursor white(text_, at_);
  white.take_all(is_space);
  if (white.is_end()) return {};
  const size_t begin = white.at();
  at_ = word_end(begin);
  return text_.substr(begin, at_ - begin);
}

size_t Words::word_end(size_t at) {
  if (const size_t to = addresses_.url(at); to != kNone) return to;
  if (const size_t to = addresses_.domain(at); to != kNone) return to;
  if (const size_t to = phone_number(at); to != kNone) return to;
  if (const size_t to = emoticon(at); to != kNone) return to;
  if (const size_t to = tag(at); to != kNone) return to;
  if (const size_t to = arrow(at); to != kNone) return to;
  if (const size_t to = name(at); to != kNone) return to;
  if (const size_t to = hashtag(at); to != kNone) return to;
  if (const size_t to = addresses_.email(at); to != kNone) return to;
  if (const size_t to = compound(at); to != kNone) return to;
  if (const size_t to = number(at); to != kNone) return to;
  Cursor cursor(text_, at);
  if (cursor.take_all(is_word) > 0) return cursor.at();
  if (const size_t to = ellipsis(at); to != kNone) return to;
  cursor.take([](char32_t) { return true; });
  return cursor.at();
}

/// A country's code, an area's, three digits and four, signs between them; either code may be absent.
size_t Words::phone_number(size_t at) const {
  const auto take_signs = [](Cursor& cursor) {
    while (cursor.take_one_of(" *-.)")) {
    }
  };
  const auto take_digits = [&](Cursor& cursor) {
    if (!cursor.take_exactly(3, is_digit)) return false;
    take_signs(cursor);
    return true;
  };
  for (const bool has_country : {true, false}) {
    Cursor area(text_, at);
    if (has_country) {
      area.take_one_of("+");
      if (!area.take_one_of("01")) continue;
      take_signs(area);
    }
    for (const bool has_area : {true, false}) {
      Cursor cursor = area;
      if (has_area) {
        cursor.take_one_of("(");
        if (!take_digits(cursor)) continue;
      }
      if (take_digits(cursor) && cursor.take_exactly(4, is_digit)) return cursor.at();
    }
  }
  return kNone;
}

/// Eyes, a nose or none, and a mouth, upright or upside down, the brow at the side of the eyes; or a heart.
size_t Words::emoticon(size_t at) const {
  Cursor upright(text_, at);
  upright.take_one_of("<>");
  if (upright.take_one_of(kEyes)) {
    upright.take_one_of(kNoses);
    if (upright.take_one_of(kMouths)) return upright.at();
  }
  Cursor turned(text_, at);
  if (turned.take_one_of(kMouths)) {
    turned.take_one_of(kNoses);
    if (turned.take_one_of(kEyes)) {
      turned.take_one_of("<>");
      return turned.at();
    }
  }
  Cursor heart(text_, at);
  return heart.take_one_of("<") && heart.take_one_of("3") ? heart.at() : kNone;
}

/// <...>, of HTML.
size_t Words::tag(size_t at) {
  if (text_[at] != '<') return kNone;
  const size_t from = at + 1;
  if (from < tag_begin_ || from > tag_end_) {
    Cursor inside(text_, from);
    inside.take_all([](char32_t c) { return c != '>' && !is_space(c); });
    tag_begin_ = from;
    tag_end_ = inside.at();
  }
  return tag_end_ > from && tag_end_ < text_.size() && text_[tag_end_] == '>' ? tag_end_ + 1 : kNone;
}

size_t Words::arrow(size_t at) const {
  Cursor right(text_, at);
  const auto is_dash = [](char32_t c) { return c == '-'; };
  if (right.take_all(is_dash) > 0) return right.take_one_of(">") ? right.at() : kNone;
  Cursor left(text_, at);
  return left.take_one_of("<") && left.take_all(is_dash) > 0 ? left.at() : kNone;
}

/// @ and a user's name.
size_t Words::name(size_t at) const {
  Cursor cursor(text_, at);
  return cursor.take_one_of("@") && cursor.take_all(is_word) > 0 ? cursor.at() : kNone;
}

/// Begins and ends with a character of words, which are not one and the same.
size_t Words::hashtag(size_t at) const {
  Cursor cursor(text_, at);
  while (cursor.take_one_of("#")) {
  }
  if (cursor.at() == at || !cursor.take(is_word)) return kNone;
  size_t end = kNone;
  do {
    if (cursor.take_all(is_word) > 0) end = cursor.at();
  } while (cursor.take_one_of("'-"));
  return end;
}

/// A word that may have apostrophes, dashes and underscores in it, of three characters or more.
size_t Words::compound(size_t at) const {
  Cursor cursor(text_, at);
  if (!cursor.take(is_letter)) return kNone;
  size_t end = kNone;
  bool is_first = true;
  for (;; is_first = false) {
    const bool is_letter_here = cursor.take(is_letter);
    if (!is_letter_here && !cursor.take_one_of("'-_")) return end;
    if (is_letter_here && !is_first) end = cursor.at();
  }
}

/// Two groups of digits with a sign between them.
size_t Words::number(size_t at) const {
  Cursor cursor(text_, at);
  cursor.take_one_of("+-");
  if (cursor.take_all(is_digit) == 0 || !cursor.take_one_of(",/.:-") || cursor.take_all(is_digit) == 0)
    return kNone;
  cursor.take_one_of("+-");
  return cursor.at();
}

/// Two dots or more, also with white space between them.
size_t Words::ellipsis(size_t at) const {
  size_t end = at;
  size_t count = 0;
  for (Cursor cursor(text_, at); cursor.take_one_of("."); cursor.take_all(is_space)) {
    end = cursor.at();
    count++;
  }
  return count >= 2 ? end : kNone;
}

}  // namespace enc::tweet
