// The published expression for URLs tries exponentially many ways to part a path. They come down to few:
//
// - A path is a sequence of runs (no white space, no brackets) and of groups in parentheses, and ends with a
//   group or with a character that is no punctuation (kLast below).
// - Of a run, either all is taken, and a group follows, or it is the last one and is taken up to its last
//   character that may end a path: what is given back can only be taken again as the same run.
// - A group that begins at a place is `nested`, whose parentheses leave one way to match, or it ends at a ')'
//   before white space: the first one that the rest of a path can follow, else the first one.
// - Whether a rest can follow can be told without going its way (has_rest()), so the way that leads to the
//   end is gone once.
#include "tokenizer/tweet_addresses.h"

#include "tokenizer/tweet_characters.h"
#include "tokenizer/utf8.h"

namespace enc::tweet {
namespace {

constexpr size_t kLeastSuffix = 2;  // letters of a top-level domain
constexpr size_t kMostSuffix = 13;

bool is_bracket(char32_t c) {
  return c == '(' || c == ')' || c == '[' || c == ']' || c == '{' || c == '}' || c == '<' || c == '>';
}

/// In a run of a path.
bool is_path(char32_t c) {
  return !is_bracket(c) && !is_space(c);
}

/// May end a path, given that it is in a run of one.
bool is_last(char32_t c) {
  switch (c) {
    case '`':
    case '!':
    case ';':
    case ':':
    case '\'':
    case '"':
    case '.':
    case ',':
    case '?':
    case 0xAB:
    case 0xBB:
    case 0x2018:
    case 0x2019:
    case 0x201C:
    case 0x201D:
      return false;
    default:
      return true;
  }
}

bool is_host(char32_t c) {
  return c == '.' || c == '-' || is_latin_or_digit(c);
}

bool is_domain_word(char32_t c) {
  return c == '-' || is_word(c);
}

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

}  // namespace

char32_t Addresses::read(size_t at, size_t& next) const {
  const char* p = text_.data() + at;
  const char32_t c = utf8::decode(p);
  next = static_cast<size_t>(p - text_.data());
  return c;
}

template <typename Class>
size_t Addresses::run_end(size_t at, Class contains) const {
  for (size_t next = at; at < text_.size(); at = next) {
    if (!contains(read(at, next))) break;
  }
  return at;
}

bool Addresses::is_domain_letter_run(size_t begin, size_t end) const {
  size_t count = 0;
  for (size_t next = begin; begin < end; begin = next) {
    if (!is_latin(read(begin, next)) || ++count > kMostSuffix) return false;
  }
  return count >= kLeastSuffix;
}

/// Behind "http:" or "https:".
size_t Addresses::scheme_end(size_t at) const {
  if (text_.size() - at < 5) return kNone;
  for (size_t i = 0; i < 4; i++)
    if (lower(text_[at + i]) != "http"[i]) return kNone;
  at += 4;
  if (lower(text_[at]) == 's')
    at++;
  else if (text_.substr(at, 2) == "\xC5\xBF")  // U+017F, an s in another case
    at += 2;
  return is_at(at, ':') ? at + 1 : kNone;
}

size_t Addresses::url(size_t at) {
  if (const size_t scheme = scheme_end(at); scheme != kNone) {
    size_t slashes = 0;
    while (slashes < 3 && is_at(scheme + slashes, '/')) slashes++;
    for (size_t p = scheme + slashes; p > scheme; p--)
      if (const size_t to = path(p); to != kNone) return to;
    size_t next = scheme;
    if (scheme < text_.size()) {
      const char32_t c = read(scheme, next);
      if (c == '%' || is_latin_or_digit(c))
        if (const size_t to = path(next); to != kNone) return to;
    }
  }
  if (!host_.holds(at)) read_host(at);
  return host_dot_ != kNone && at < host_dot_ ? host_url_ : kNone;
}

/// The run of host's characters at `at`, and what it begins; no run leaves an empty one.
void Addresses::read_host(size_t at) {
  host_ = {at, run_end(at, is_host)};
  host_dot_ = host_url_ = kNone;
  if (host_.end == at || !is_at(host_.end, '/')) return;
  const size_t dot = text_.substr(at, host_.end - at).rfind('.');
  // Something stands before the dot; else no place of the run begins a URL, and the path, which may be long,
  // is not looked at.
  if (dot == kNone || dot == 0 || !is_domain_letter_run(at + dot + 1, host_.end)) return;
  host_dot_ = at + dot;
  host_url_ = path(host_.end + 1);
}

size_t Addresses::domain(size_t at) {
  if (at > 0 && text_[at - 1] == '@') return kNone;
  if (!chain_.holds(at)) read_domain(at);
  size_t next = at;
  if (!chain_.holds(at) || chain_dot_ == kNone || at > chain_dot_) return kNone;
  return is_latin_or_digit(read(at, next)) ? chain_end_ : kNone;
}

/// The chain of parts at `at`; no part leaves an empty one.
void Addresses::read_domain(size_t at) {
  chain_ = {at, run_end(at, is_latin_or_digit)};
  chain_dot_ = chain_end_ = kNone;
  while (chain_.end > at && (is_at(chain_.end, '.') || is_at(chain_.end, '-'))) {
    const size_t separator = chain_.end;
    const size_t end = run_end(separator + 1, is_latin_or_digit);
    if (end == separator + 1) return;
    chain_.end = end;
    size_t next = end;
    const bool is_word_end = end == text_.size() || !is_word(read(end, next));
    if (text_[separator] != '.' || !is_word_end || is_at(end, '@') ||
        !is_domain_letter_run(separator + 1, end))
      continue;
    chain_dot_ = separator;
    chain_end_ = is_at(end, '/') && !is_at(end + 1, '@') ? end + 1 : end;
  }
}

size_t Addresses::email(size_t at) {
  if (local_.holds(at)) return local_email_;
  local_ = {at, run_end(at, [](char32_t c) { return c == '.' || c == '+' || is_domain_word(c); })};
  local_email_ = kNone;
  if (local_.end == at || !is_at(local_.end, '@')) return kNone;
  const size_t dot = run_end(local_.end + 1, is_domain_word);
  if (dot == local_.end + 1 || !is_at(dot, '.')) return kNone;
  // Characters of words, each with a dot behind it or not; at least two.
  size_t count = 0;
  size_t last = dot;
  for (size_t p = dot + 1, next = p; p < text_.size() && is_domain_word(read(p, next));) {
    count++;
    last = next;
    p = is_at(next, '.') ? next + 1 : next;
  }
  if (count >= 2) local_email_ = last;
  return local_email_;
}

/// Where the last character that may end a path ends in the run at `at`, kNone without one, and where the run
/// does.
size_t Addresses::behind_run(size_t at, size_t& run_end) const {
  size_t last = kNone;
  for (size_t next = at; at < text_.size(); at = next) {
    const char32_t c = read(at, next);
    if (!is_path(c)) break;
    if (is_last(c)) last = next;
  }
  run_end = at;
  return last;
}

/// A path of more than its end.
size_t Addresses::path(size_t at) {
  if (at >= text_.size()) return kNone;
  if (text_[at] == '(') {
    const size_t to = nested(at);
    if (to != kNone && has_rest(to)) return rest(to);
    const size_t from = least_close(at);
    const size_t closing = from == kNone ? kNone : close_with_rest(from);
    return closing == kNone ? kNone : rest(closing + 1);
  }
  size_t next = at;
  if (!is_path(read(at, next))) return kNone;
  size_t end = next;
  const size_t last = behind_run(next, end);
  return is_at(end, '(') && close(end) != kNone ? rest(end) : last;
}

/// What follows a part of a path, to its end; has_rest(at) is true.
size_t Addresses::rest(size_t at) {
  for (;;) {
    if (text_[at] != '(') {
      size_t end = at;
      const size_t last = behind_run(at, end);
      if (!is_at(end, '(') || close(end) == kNone) return last;
      at = end;
    }
    const size_t to = nested(at);
    if (to != kNone && has_rest(to)) {
      at = to;
      continue;
    }
    const size_t closing = close_with_rest(least_close(at));
    if (closing == kNone) return to != kNone ? to : close(at) + 1;
    at = closing + 1;
  }
}

bool Addresses::has_rest(size_t at) {
  for (size_t next = at; at < text_.size(); at = next) {
    const char32_t c = read(at, next);
    if (c == '(') return close(at) != kNone;
    if (!is_path(c)) return false;
    if (is_last(c)) return true;
  }
  return false;
}

/// (...(...)...) at the '(' at `at`, with something in the inner ones and no white space.
size_t Addresses::nested(size_t at) const {
  const auto skip = [&](size_t from) {
    return run_end(from, [](char32_t c) { return c != '(' && c != ')' && !is_space(c); });
  };
  const size_t open = skip(at + 1);
  if (!is_at(open, '(')) return kNone;
  const size_t inner = skip(open + 1);
  if (inner == open + 1 || !is_at(inner, ')')) return kNone;
  const size_t outer = skip(inner + 1);
  return is_at(outer, ')') ? outer + 1 : kNone;
}

/// The first byte where a group may be closed that the '(' at `at` opens: something is in it.
size_t Addresses::least_close(size_t at) const {
  if (at + 1 >= text_.size()) return kNone;
  size_t next = at + 1;
  return is_space(read(at + 1, next)) ? kNone : next;
}

/// The first ')' that may close what the '(' at `at` opens.
size_t Addresses::close(size_t at) {
  const size_t from = least_close(at);
  if (from == kNone) return kNone;
  if (!close_.holds(from)) {
    const size_t end = run_end(from, [](char32_t c) { return c != ')' && !is_space(c); });
    close_ = {from, end, is_at(end, ')') ? end : kNone};
  }
  return close_.found;
}

/// The first ')' at `at` or later, before white space, that the rest of a path can follow.
size_t Addresses::close_with_rest(size_t at) {
  if (close_with_rest_.holds(at)) return close_with_rest_.found;
  size_t end = at;
  size_t found = kNone;
  for (size_t next = at; end < text_.size(); end = next) {
    const char32_t c = read(end, next);
    if (is_space(c)) break;
    if (c != ')' || !has_rest(next)) continue;
    found = end;
    break;
  }
  close_with_rest_ = {at, end, found};
  return found;
}

}  // namespace enc::tweet
