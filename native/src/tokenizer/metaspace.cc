#include "tokenizer/metaspace.h"

#include "tokenizer/split.h"
#include "tokenizer/utf8.h"

namespace enc {

Metaspace::Metaspace(JsonValue block) : prepend_(read_prepend(block)) {
  const JsonValue replacement = block.at("replacement");
  mark_ = replacement.as_string();
  if (utf8::length(mark_) != 1) replacement.fail("must be one character");
  const auto split = block.find("split");
  if (!split || split->is_null() || split->as_bool()) pattern_ = make_literal(mark_);
}

Metaspace::Prepend Metaspace::read_prepend(JsonValue block) {
  Prepend prepend = Prepend::kAlways;
  if (const auto scheme = block.find("prepend_scheme")) {
    const std::string_view name = scheme->as_string();
    if (name == "first")
      prepend = Prepend::kFirst;
    else if (name == "never")
      prepend = Prepend::kNever;
    else if (name != "always")
      scheme->fail("is no scheme that is known");
  }
  const auto add = block.find("add_prefix_space");
  if (!add || add->is_null() || add->as_bool()) return prepend;
  if (prepend == Prepend::kFirst) add->fail("contradicts prepend_scheme");
  return Prepend::kNever;
}

void Metaspace::split(Words& words) const {
  std::string& out = words.next_text;
  out.clear();
  for (Span& span : words.spans) {
    const auto begin = static_cast<uint32_t>(out.size());
    const std::string_view word = words[span];
    const bool wanted =
        prepend_ == Prepend::kAlways || (prepend_ == Prepend::kFirst && words.at_start && span.begin == 0);
    if (wanted && word[0] != ' ' && word.substr(0, mark_.size()) != mark_) out += mark_;
    for (size_t done = 0; done < word.size();) {
      const size_t space = word.find(' ', done);
      out += word.substr(done, space - done);
      if (space == std::string_view::npos) break;
      out += mark_;
      done = space + 1;
    }
    span = {begin, static_cast<uint32_t>(out.size())};
  }
  words.text.swap(out);
  if (pattern_) split_words(*pattern_, MatchBehavior::kMergedWithNext, false, words);
}

}  // namespace enc
