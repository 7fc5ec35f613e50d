// Follows BertweetTokenizer.normalizeTweet of transformers, with the emoji that the file brings along.
#include "tokenizer/tweet_normalizer.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "tokenizer/tweet_characters.h"
#include "tokenizer/tweet_words.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

constexpr size_t kMaxNameBytes = 64;
constexpr size_t kMostRepeated = 3;
constexpr uint32_t kMaxCodePoint = 0x10FFFF;

/// A numeric entity may name a surrogate, which no vocabulary has; this stands for it in what comes out.
constexpr std::string_view kNoCharacter = "\xEF\xBF\xBF";

/// Windows-1252 from 0x80 on; 0 where it has nothing.
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178};

/// In this order, each in all of the text. `mark` is a part of `from` that is rare, and so is found fast to
/// be absent.
struct Replacement {
  std::string_view from, to, mark;
};
constexpr Replacement kContractions[] = {
    {"cannot ", "can not ", "cannot "}, {"n't ", " n't ", "'t"},
    {"n 't ", " n't ", "'t"},           {"ca n't", "can't", "'t"},
    {"ai n't", "ain't", "'t"},          {"'m ", " 'm ", "'m "},
    {"'re ", " 're ", "'re "},          {"'s ", " 's ", "'s "},
    {"'ll ", " 'll ", "'ll "},          {"'d ", " 'd ", "'d "},
    {"'ve ", " 've ", "'ve "},          {" p . m .", "  p.m.", ". m"},
    {" p . m ", " p.m ", ". m"},        {" a . m .", " a.m.", ". m"},
    {" a . m ", " a.m ", ". m"},
};
constexpr std::pair<std::string_view, std::string_view> kPunctuation[] = {
    {"\xE2\x80\x99", "'"},    // U+2019
    {"\xE2\x80\xA6", "..."},  // U+2026
};

/// White space to Python: with four control characters that are none to `regex`.
bool is_white(char32_t c) {
  return (c >= 0x1C && c <= 0x1F) || tweet::is_space(c);
}

bool is_surrogate(char32_t c) {
  return c >= 0xD800 && c <= 0xDFFF;
}

void replace_all(std::string& text, std::string_view from, std::string_view to, std::string& buffer) {
  size_t at = text.find(from);
  if (at == std::string::npos) return;
  buffer.clear();
  size_t done = 0;
  for (; at != std::string::npos; at = text.find(from, done)) {
    buffer.append(text, done, at - done).append(to);
    done = at + from.size();
  }
  buffer.append(text, done);
  text.swap(buffer);
}

/// Of a run of one character that is neither Latin letter nor ASCII digit, kMostRepeated are kept.
void shorten_runs(std::string& text) {
  char32_t last = kMaxCodePoint + 1;
  size_t count = 0;
  char* out = text.data();
  const char* const end = text.data() + text.size();
  for (const char* p = text.data(); p < end;) {
    const char* const at = p;
    const char32_t c = utf8::decode(p);
    count = c == last ? count + 1 : 1;
    last = c;
    if (count <= kMostRepeated || (c < 0x80 && tweet::is_latin_or_digit(c))) out = std::copy(at, p, out);
  }
  text.resize(static_cast<size_t>(out - text.data()));
}

/// A numeral as Python's int() reads it: a sign, digits of any script and single underscores between them.
/// Hexadecimal ones may have a prefix.
class Numeral {
 public:
  Numeral(std::string_view text, bool is_hex) : p_(text.data()), end_(p_ + text.size()), is_hex_(is_hex) {}

  /// Whether it is a character's number.
  bool read(char32_t& number) {
    const bool is_negative = take('-');
    if (!is_negative) take('+');
    if (is_hex_) take_prefix();
    uint32_t value = 0;
    size_t count = 0;
    for (int found = digit(); found >= 0; found = digit()) {
      value = std::min(value * (is_hex_ ? 16u : 10u) + static_cast<uint32_t>(found), kMaxCodePoint + 1);
      count++;
      utf8::decode(p_);
      const char* const sign = p_;
      if (take('_') && digit() < 0) p_ = sign;
    }
    if (count == 0 || p_ < end_ || (count > kMostDigits && !is_hex_)) return false;
    number = value;
    return value <= kMaxCodePoint && !(is_negative && value > 0);
  }

 private:
  static constexpr size_t kMostDigits = 4300;  // of a decimal number; Python reads no longer ones

  bool take(char c) {
    if (p_ == end_ || *p_ != c) return false;
    p_++;
    return true;
  }
  /// 0x, the zero of any script.
  void take_prefix() {
    if (digit() != 0) return;
    const char* p = p_;
    utf8::decode(p);
    if (p == end_ || (*p != 'x' && *p != 'X')) return;
    p_ = p + 1;
    take('_');
  }
  int digit() const {
    if (p_ == end_) return -1;
    const char* p = p_;
    const char32_t c = utf8::decode(p);
    if (is_hex_ && c >= 'a' && c <= 'f') return static_cast<int>(c - 'a') + 10;
    if (is_hex_ && c >= 'A' && c <= 'F') return static_cast<int>(c - 'A') + 10;
    return tweet::digit_value(c);
  }

  const char* p_;
  const char* const end_;
  const bool is_hex_;
};

/// The words between white space, with one space between them.
void append_split(std::string_view text, std::string& out) {
  const char* const end = text.data() + text.size();
  bool is_first = true;
  bool in_word = false;
  for (const char* p = text.data(); p < end;) {
    const char* const at = p;
    const char32_t c = utf8::decode(p);
    const bool was_in_word = in_word;
    in_word = !is_white(c);
    if (!in_word) continue;
    if (!was_in_word && !is_first) out += ' ';
    is_first = false;
    if (is_surrogate(c))
      out += kNoCharacter;
    else
      out.append(at, p);
  }
}

/// Whether it begins so in any case.
bool begins_with(std::string_view word, std::string_view lower) {
  if (word.size() < lower.size()) return false;
  return std::equal(lower.begin(), lower.end(), word.begin(), [](char wanted, char c) {
    return wanted == c || (c >= 'A' && c <= 'Z' && wanted == c + ('a' - 'A'));
  });
}

}  // namespace

TweetNormalizer::TweetNormalizer(JsonValue block) : emoji_(trie_.add_root()), entities_(trie_.add_root()) {
  block.at("emoji").for_each_member([&](std::string_view character, JsonValue value) {
    if (utf8::length(character) != 1) value.fail("stands for more or less than one character");
    const std::string_view name = value.as_string();
    if (name.size() > kMaxNameBytes) value.fail("has more than " + std::to_string(kMaxNameBytes) + " bytes");
    if (!trie_.insert(emoji_, character, static_cast<int32_t>(names_.size()))) value.fail("is there twice");
    names_.emplace_back(name);
  });
  block.at("entities").for_each_member([&](std::string_view name, JsonValue value) {
    if (!trie_.insert(entities_, name, static_cast<int32_t>(value.as_integer(0, kMaxCodePoint))))
      value.fail("is there twice");
  });
}

/// What stands between & and ;: a character by its name or number, or nothing. An x makes a number of it
/// without the # too.
void TweetNormalizer::append_entity(std::string_view body, std::string& out) const {
  const size_t x = body.front() == '#' && body.size() > 1 ? 1 : 0;
  const bool is_hex = body[x] == 'x' && body.size() > x + 1;
  if (x == 0 && !is_hex) {
    const int32_t entity = trie_.find(entities_, body);
    if (entity >= 0) utf8::append(out, static_cast<char32_t>(entity));
    return;
  }
  char32_t c;
  if (!Numeral(body.substr(is_hex ? x + 1 : x), is_hex).read(c)) return;
  if (c >= 0x80 && c <= 0x9F) {
    c = kWindows1252[c - 0x80];
    if (c == 0) return;
  }
  utf8::append(out, c);
}

/// &...; becomes its character, or nothing.
void TweetNormalizer::replace_entities(std::string& text) const {
  size_t at = text.find('&');
  if (at == std::string::npos) return;
  std::string out;
  out.reserve(text.size());
  size_t done = 0;
  for (; at != std::string::npos; at = text.find('&', at)) {
    const char* p = text.data() + at + 1;
    const char* body = p;
    const char* const end = text.data() + text.size();
    while (p < end && *p != '&' && *p != ';') {
      const char* next = p;
      if (tweet::is_space(utf8::decode(next))) break;
      p = next;
    }
    const auto to = static_cast<size_t>(p - text.data());
    if (p == body || p == end || *p != ';') {
      at = to;
      continue;
    }
    out.append(text, done, at - done);
    append_entity({body, p}, out);
    done = at = to + 1;
  }
  text = std::move(out.append(text, done));
}

void TweetNormalizer::append_word(std::string_view word, std::string& out) const {
  if (word[0] == '@') {
    out += "@USER";
  } else if (begins_with(word, "http") || begins_with(word, "www")) {
    out += "HTTPURL";
  } else {
    const int32_t name = trie_.find(emoji_, word);
    out += name < 0 ? word : names_[static_cast<size_t>(name)];
  }
}

bool TweetNormalizer::normalize(std::string_view text, std::string& out) const {
  std::string buffer;
  std::string joined;
  bool is_first = true;
  {
    std::string plain(text);
    for (const auto& [from, to] : kPunctuation) replace_all(plain, from, to, buffer);
    replace_entities(plain);
    shorten_runs(plain);
    tweet::Words words(plain);
    for (std::string_view word = words.next(); !word.empty(); word = words.next()) {
      if (!is_first) joined += ' ';
      is_first = false;
      for (const auto& [from, to] : kPunctuation)
        if (word == from) word = to;
      append_word(word, joined);
      check_growth(text.size(), joined.size());
    }
  }
  for (const auto& [from, to, mark] : kContractions)
    if (joined.find(mark) != std::string::npos) replace_all(joined, from, to, buffer);
  append_split(joined, out);
  return true;
}

}  // namespace enc
