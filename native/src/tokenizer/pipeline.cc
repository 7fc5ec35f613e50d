#include "tokenizer/pipeline.h"

#include "enc/error.h"
#include "tokenizer/utf8.h"

namespace enc {
namespace {

void split_at(const AddedTokenMatcher& matcher, std::string_view text, SpecialTokens mode,
              const std::vector<Span>* callers, std::vector<Piece>& pieces) {
  pieces.clear();
  if (callers != nullptr || matcher.is_needed(mode))
    matcher.split(text, mode, callers, pieces);
  else
    pieces.push_back({{0, static_cast<uint32_t>(text.size())}, -1});
}

std::string_view part(std::string_view text, Span span) {
  return text.substr(span.begin, span.end - span.begin);
}

}  // namespace

Pipeline::Pipeline(JsonValue root)
    : normalizer_(make_normalizer(root.at("normalizer"))),
      pre_tokenizer_(make_pre_tokenizer(root.at("pre_tokenizer"))),
      model_(make_model(root.at("model"))),
      added_tokens_(root.at("added_tokens"), *model_, *normalizer_) {
  model_->set_control_ids(added_tokens_.special_ids());
}

void Pipeline::tokenize(std::string_view text, SpecialTokens mode, size_t limit, PipelineScratch& scratch,
                        std::vector<int32_t>& ids) const {
  ids.clear();
  append_tokens(text, mode, limit, scratch, ids, nullptr);
}

void Pipeline::tokenize(const RenderedText& rendered, SpecialTokens mode, size_t limit,
                        PipelineScratch& scratch, std::vector<int32_t>& ids) const {
  ids.clear();
  auto caller = rendered.callers.begin();
  uint32_t begin = 0;
  for (const uint32_t end : rendered.ends) {
    scratch.callers.clear();
    for (; caller != rendered.callers.end() && caller->end <= end; ++caller)
      scratch.callers.push_back({caller->begin - begin, caller->end - begin});
    append_tokens(part(rendered.text, {begin, end}), mode, limit, scratch, ids, &scratch.callers);
    begin = end;
  }
}

/// Until there are `limit` ids or more. `callers`: as for split().
void Pipeline::append_tokens(std::string_view text, SpecialTokens mode, size_t limit,
                             PipelineScratch& scratch, std::vector<int32_t>& ids,
                             const std::vector<Span>* callers) const {
  if (text.size() > kMaxTextBytes)
    throw Error(ErrorCode::limit_exceeded, "a text has " + std::to_string(text.size()) +
                                               " bytes, more than " + std::to_string(kMaxTextBytes) +
                                               "; split it");
  const std::string_view valid = utf8::sanitize(text, scratch.sanitized);
  split_at(added_tokens_.before_normalizer(), valid, mode, callers, scratch.raw_pieces);
  for (const Piece& piece : scratch.raw_pieces) {
    if (ids.size() >= limit) return;
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      continue;
    }
    scratch.normalized.clear();
    const bool keeps_start = normalizer_->normalize(part(valid, piece.span), scratch.normalized);
    check_growth(piece.span.end - piece.span.begin, scratch.normalized.size());
    tokenize_normalized(mode, keeps_start && piece.span.begin == 0, limit, scratch, ids);
  }
}

/// `at_start`: scratch.normalized begins where the text begins.
void Pipeline::tokenize_normalized(SpecialTokens mode, bool at_start, size_t limit, PipelineScratch& scratch,
                                   std::vector<int32_t>& ids) const {
  const bool allow_control = mode != SpecialTokens::kText;
  split_at(added_tokens_.after_normalizer(), scratch.normalized, mode, nullptr, scratch.pieces);
  for (const Piece& piece : scratch.pieces) {
    if (piece.id >= 0) {
      ids.push_back(piece.id);
      continue;
    }
    Words& words = scratch.words;
    if (scratch.pieces.size() == 1)
      words.text.swap(scratch.normalized);
    else
      words.text = part(scratch.normalized, piece.span);
    words.at_start = at_start && piece.span.begin == 0;
    words.spans.clear();
    if (!words.text.empty()) words.spans.push_back({0, static_cast<uint32_t>(words.text.size())});
    pre_tokenizer_->split(words);
    for (const Span& word : words.spans) {
      if (ids.size() >= limit) return;
      model_->tokenize(words[word], allow_control, ids);
    }
  }
}

}  // namespace enc
