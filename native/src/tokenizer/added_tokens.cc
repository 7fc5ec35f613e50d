// Follows added_vocabulary.rs of Hugging Face's `tokenizers`, whose ids depend on the order of these checks.
#include "tokenizer/added_tokens.h"

#include <algorithm>
#include <map>
#include <utility>

#include "enc/error.h"
#include "tokenizer/pair_template.h"
#include "tokenizer/unicode_tables.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

// Each position of a text may be compared with this many bytes, so it bounds the work per byte. The longest
// published content (a run of 31 line feeds or a sentence-like control token) stays below 100 bytes.
constexpr size_t kMaxContentBytes = 256;

bool is_white(char32_t c) {
  return unicode::properties(c).flags & unicode::kWhitespace;
}

bool is_word(char32_t c) {
  return unicode::properties(c).flags & unicode::kWord;
}

char32_t char_at(std::string_view text, size_t position) {
  const char* p = text.data() + position;
  return utf8::decode(p);
}

bool stands_alone(std::string_view text, size_t begin, size_t end) {
  return (begin == 0 || !is_word(char_at(text, utf8::previous(text, begin)))) &&
         (end == text.size() || !is_word(char_at(text, end)));
}

/// Where the white space before `begin` begins, not looking further back than `bound`.
size_t white_begin(std::string_view text, size_t begin, size_t bound) {
  while (begin > bound) {
    const size_t previous = utf8::previous(text, begin);
    if (!is_white(char_at(text, previous))) break;
    begin = previous;
  }
  return begin;
}

size_t white_end(std::string_view text, size_t end) {
  while (end < text.size()) {
    const char* p = text.data() + end;
    if (!is_white(utf8::decode(p))) break;
    end = static_cast<size_t>(p - text.data());
  }
  return end;
}

/// Of a byte of a text with a template around it, counted in the caller's own text.
size_t place_in_text(const std::vector<Span>* callers, size_t byte) {
  size_t begin = 0;
  if (callers == nullptr) return byte;
  for (const Span& own : *callers) {
    if (own.begin <= byte) begin = own.begin;
  }
  return byte - begin;
}

}  // namespace

AddedToken read_added_token(JsonValue entry) {
  return {std::string(entry.at("content").as_string()),
          static_cast<int32_t>(entry.at("id").as_integer(0, kMaxTokenId)),
          entry.at("single_word").as_bool(),
          entry.at("lstrip").as_bool(),
          entry.at("rstrip").as_bool(),
          entry.at("normalized").as_bool(),
          entry.at("special").as_bool()};
}

AddedTokenMatcher::AddedTokenMatcher() : root_(trie_.add_root()) {}

void AddedTokenMatcher::add(AddedToken token, std::string_view content) {
  // Of tokens that the normalizer makes equal the library takes one at random; here it is the file's first.
  if (!trie_.insert(root_, content, static_cast<int32_t>(tokens_.size()))) return;
  starts_[static_cast<unsigned char>(content[0])] = true;
  (token.special ? has_special_ : has_ordinary_) = true;
  tokens_.push_back(std::move(token));
}

AddedTokenMatcher::Match AddedTokenMatcher::find(std::string_view text, size_t from) const {
  for (size_t begin = from; begin < text.size(); begin++) {
    if (!starts_[static_cast<unsigned char>(text[begin])]) continue;
    Match match{begin, begin, nullptr};
    ByteTrie::Node node = root_;
    for (size_t i = begin; i < text.size(); i++) {
      node = trie_.child(node, static_cast<unsigned char>(text[i]));
      if (node == ByteTrie::kNone) break;
      const int32_t index = trie_.value(node);
      if (index == ByteTrie::kNoValue) continue;
      match = {begin, i + 1, &tokens_[static_cast<size_t>(index)]};
    }
    if (match.token) return match;
  }
  return {text.size(), text.size(), nullptr};
}

void AddedTokenMatcher::split(std::string_view text, SpecialTokens mode, const std::vector<Span>* callers,
                              std::vector<Piece>& pieces) const {
  const auto add = [&](size_t begin, size_t end, int32_t id) {
    pieces.push_back({{static_cast<uint32_t>(begin), static_cast<uint32_t>(end)}, id});
  };
  size_t done = 0;             // text before this has its piece
  size_t white_run_begin = 0;  // the last run that rstrip passed, so that no run is walked twice
  size_t white_run_end = 0;
  size_t next = 0;
  for (Match match = find(text, 0); match.token; match = find(text, next)) {
    const AddedToken& token = *match.token;
    const bool is_callers = callers == nullptr || overlaps(*callers, match.begin, match.end);
    next = match.end;
    if (token.special && is_callers && mode == SpecialTokens::kText) {
      // One of the template's own may begin inside what is no token.
      if (callers != nullptr) next = match.begin + 1;
      continue;
    }
    if (token.single_word && !stands_alone(text, match.begin, match.end)) continue;
    if (token.special && is_callers && mode == SpecialTokens::kError)
      throw Error(ErrorCode::input_invalid,
                  "the text contains the control token \"" + token.content + "\" at byte " +
                      std::to_string(place_in_text(callers, match.begin)) +
                      "; remove it, or choose by specialTokens how such tokens are treated");
    size_t begin = match.begin;
    size_t end = match.end;
    if (token.lstrip && done < begin) begin = white_begin(text, begin, done);
    if (token.rstrip) {
      if (end < white_run_begin || end > white_run_end) {
        white_run_begin = end;
        white_run_end = white_end(text, end);
      }
      end = white_run_end;
    }
    if (done < begin) add(done, begin, -1);
    add(begin, end, token.id);
    done = end;
  }
  if (done < text.size()) add(done, text.size(), -1);
}

AddedTokens::AddedTokens(JsonValue list, const Model& model, const Normalizer& normalizer) {
  std::map<std::string, bool, std::less<>> seen;
  list.for_each_item([&](JsonValue entry) {
    AddedToken token = read_added_token(entry);
    if (token.content.empty()) return;  // Hugging Face ignores it as well
    if (token.content.size() > kMaxContentBytes)
      entry.fail("has a content of more than " + std::to_string(kMaxContentBytes) + " bytes");
    if (!seen.emplace(token.content, true).second) entry.fail("has the content of an earlier added token");

    // The library gives out ids itself and only warns when the file says otherwise.
    int64_t id = model.token_to_id(token.content);
    if (id < 0) id = std::max<int64_t>(static_cast<int64_t>(model.num_tokens()), int64_t{max_id_} + 1);
    if (token.id != id)
      entry.fail("has the id " + std::to_string(token.id) + " where the vocabulary asks for " +
                 std::to_string(id));
    max_id_ = std::max(max_id_, token.id);
    if (token.special) special_ids_.push_back(token.id);

    std::string content;
    if (token.normalized)
      normalizer.normalize(token.content, content);
    else
      content = token.content;
    if (content.empty()) entry.fail("has a content of which the normalizer leaves nothing");
    AddedTokenMatcher& matcher = token.normalized ? normalized_ : raw_;
    matcher.add(std::move(token), content);
  });
}

}  // namespace enc
