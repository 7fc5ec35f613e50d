// From texts to a model's input: what the pipeline gives goes through truncation and template.
#include "enc/tokenizer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "enc/error.h"
#include "enc/option_error.h"
#include "support/thread_scratch.h"
#include "tokenizer/byte_decoder.h"
#include "tokenizer/cut.h"
#include "tokenizer/label_template.h"
#include "tokenizer/list_template.h"
#include "tokenizer/pair_template.h"
#include "tokenizer/pipeline.h"
#include "tokenizer/template.h"
#include "tokenizer/token_bytes.h"
#include "tokenizer/truncation.h"

namespace enc {
namespace {

/// Buffers that a thread keeps from text to text.
struct Scratch {
  PipelineScratch pipeline;
  std::vector<int32_t> first;
  std::vector<int32_t> second;
  std::vector<int32_t> joined;
  std::vector<uint32_t> ends;
  std::vector<TokenSpan> spans;
  RenderedText rendered;
  Encoding document;

  /// Gives back what an unusually long text made large.
  void trim() noexcept {
    pipeline.trim();
    trim_buffer(first), trim_buffer(second), trim_buffer(joined), trim_buffer(ends);
    trim_buffer(rendered.text);
  }
};

/// The calling thread's buffers; trimmed when the text is done with, by an error too.
struct ScratchUse {
  Scratch& buffers = thread_scratch<Scratch>();
  ~ScratchUse() { buffers.trim(); }
};

class PipelineTokenizer : public Tokenizer {
 public:
  PipelineTokenizer(JsonValue root, TextTemplate texts)
      : pipeline_(root), template_(root.at("post_processor")), texts_(std::move(texts)) {
    if (const auto first = root.find("odd_token_first"); first && first->as_bool())
      odd_token_ = OddToken::kFirst;
    // Behind the normalizer nobody knows any more which bytes are the caller's.
    if (!std::holds_alternative<std::monostate>(texts_) && pipeline_.finds_control_tokens_late())
      throw Error(ErrorCode::tokenizer_unsupported,
                  "the tokenizer looks for control tokens behind its normalizer, which is not supported for "
                  "models that have a template, prefixes or labels in their texts");
    if (list_template_) byte_decoder_.emplace(root);
    if (label_template_ && !label_template_->marks_are_tokens) token_bytes_.emplace(root);
  }

  void encode(std::string_view text, std::optional<std::string_view> pair, const EncodeOptions& options,
              Encoding& out) const override;
  void encode_written_out(std::string_view text, const WrittenOut& parts, const EncodeOptions& options,
                          Encoding& out) const override;
  void encode_windows(std::string_view text, std::optional<std::string_view> pair,
                      const EncodeOptions& options, std::vector<Window>& out) const override;

  size_t vocab_size() const override {
    return static_cast<size_t>(std::max(pipeline_.max_id(), template_.max_id())) + 1;
  }
  size_t num_special_tokens(bool pair) const override { return template_.num_special_tokens(pair); }

 private:
  size_t text_budget(bool has_pair, const EncodeOptions& options) const;
  void refuse_control_tokens(Scratch& scratch) const;
  void encode_rendered(std::string_view text, std::optional<std::string_view> pair,
                       const EncodeOptions& options, Scratch& scratch, Encoding& out) const;
  void restore_end(const PairTemplate::Layout& layout, const EncodeOptions& options, Scratch& scratch,
                   std::vector<int32_t>& ids) const;
  size_t tokenize_labelled(std::string_view text, bool has_pair, const EncodeOptions& options, bool may_stop,
                           Scratch& scratch) const;
  size_t tokenize_listed(std::string_view text, const EncodeOptions& options, bool may_stop, size_t budget,
                         Scratch& scratch) const;
  void apply_labelled(Template::Ids text, Scratch& scratch, Encoding& out) const;
  void encode_labelled(std::string_view text, bool has_pair, const EncodeOptions& options, Scratch& scratch,
                       Encoding& out) const;
  void encode_labelled_windows(std::string_view text, bool has_pair, const EncodeOptions& options,
                               Scratch& scratch, std::vector<Window>& out) const;
  void encode_list(std::string_view query, std::vector<std::string> documents, const EncodeOptions& options,
                   Scratch& scratch, Encoding& out) const;
  void encode_interaction(std::string_view query, std::optional<std::string_view> document,
                          const EncodeOptions& options, Scratch& scratch, Encoding& out) const;
  void encode_side(const InteractionTemplate::Side& side, std::string_view text, size_t max_text,
                   const EncodeOptions& options, Scratch& scratch, Encoding& out) const;
  size_t cut_listed(size_t most, const EncodeOptions& options, Scratch& scratch, std::string& text) const;
  void tokenize(std::string_view text, SpecialTokens mode, size_t limit, Scratch& scratch,
                std::vector<int32_t>& ids) const {
    pipeline_.tokenize(text, mode, limit, scratch.pipeline, ids);
  }
  void tokenize_rendered(SpecialTokens mode, size_t limit, Scratch& scratch,
                         std::vector<int32_t>& ids) const {
    pipeline_.tokenize(scratch.rendered, mode, limit, scratch.pipeline, ids);
  }

  const Pipeline pipeline_;
  Template template_;
  const TextTemplate texts_;
  // The one that it holds; the others are null.
  const PairTemplate* const pair_template_ = std::get_if<PairTemplate>(&texts_);
  const LabelTemplate* const label_template_ = std::get_if<LabelTemplate>(&texts_);
  const ListTemplate* const list_template_ = std::get_if<ListTemplate>(&texts_);
  const InteractionTemplate* const interaction_ = std::get_if<InteractionTemplate>(&texts_);
  OddToken odd_token_ = OddToken::kLonger;
  std::optional<ByteDecoder> byte_decoder_;  // with a list template
  std::optional<TokenBytes> token_bytes_;    // with a label template whose marks are no tokens
};

/// Tokens of text that fit beside the template's own.
size_t PipelineTokenizer::text_budget(bool has_pair, const EncodeOptions& options) const {
  const size_t num_special = num_special_tokens(has_pair);
  if (options.max_length > num_special) return options.max_length - num_special;
  throw OptionError(ErrorCode::input_invalid, "maxLength",
                    "maxLength " + std::to_string(options.max_length) + " leaves no room for text beside " +
                        std::to_string(num_special) + " special tokens");
}

void PipelineTokenizer::encode(std::string_view text, std::optional<std::string_view> pair,
                               const EncodeOptions& options, Encoding& out) const {
  const ScratchUse use;
  Scratch& scratch = use.buffers;
  if (pair_template_) return encode_rendered(text, pair, options, scratch, out);
  if (interaction_) return encode_interaction(text, pair, options, scratch, out);
  const bool has_pair = pair.has_value();
  if (label_template_) return encode_labelled(text, has_pair, options, scratch, out);
  if (list_template_ && (has_pair || !options.labels.empty())) {
    if (has_pair && !options.labels.empty())
      throw Error(ErrorCode::input_invalid, "a query has either a document beside it or a list of them");
    const auto documents = has_pair ? std::vector<std::string>{std::string(*pair)} : options.labels;
    return encode_list(text, documents, options, scratch, out);
  }
  const size_t budget = text_budget(has_pair, options);
  const auto tokenize_both = [&](size_t limit) {
    tokenize(text, options.special_tokens, limit, scratch, scratch.first);
    scratch.second.clear();
    if (has_pair) tokenize(*pair, options.special_tokens, limit, scratch, scratch.second);
  };
  tokenize_both(id_limit(options, budget));
  // Only an odd token between two long texts asks which is the longer.
  if (stops_early(options, budget) && budget % 2 == 1 &&
      options.strategy == TruncationStrategy::kLongestFirst &&
      std::min(scratch.first.size(), scratch.second.size()) > budget)
    tokenize_both(SIZE_MAX);

  const Lengths lengths{std::min(scratch.first.size(), options.max_first),
                        std::min(scratch.second.size(), options.max_second)};
  const Lengths kept = truncate(lengths, has_pair, budget, options.strategy, odd_token_);
  const Template::Ids second = keep(scratch.second, kept.second, options.side);
  template_.apply(keep(scratch.first, kept.first, options.side), has_pair ? &second : nullptr, out);
  out.truncated = kept.first < scratch.first.size() || kept.second < scratch.second.size();
}

void PipelineTokenizer::encode_written_out(std::string_view text, const WrittenOut& parts,
                                           const EncodeOptions& options, Encoding& out) const {
  const ScratchUse use;
  Scratch& scratch = use.buffers;
  SpecialTokens mode = options.special_tokens;
  take_written_out(text, parts, scratch.rendered);
  if (mode == SpecialTokens::kText && pipeline_.finds_control_tokens_late()) {
    refuse_control_tokens(scratch);
    mode = SpecialTokens::kParse;
  }
  const size_t budget = std::min(options.max_length, options.max_first);
  std::vector<int32_t>& ids = scratch.first;
  tokenize_rendered(mode, id_limit(options, budget), scratch, ids);
  const Template::Ids kept = keep(ids, std::min(ids.size(), budget), options.side);
  out.ids.assign(kept.begin, kept.end);
  out.type_ids.assign(out.ids.size(), 0);
  out.truncated = out.ids.size() < ids.size();
  if (!out.truncated || options.side == TruncationSide::kLeft) return;
  tokenize(text.substr(parts.end), SpecialTokens::kParse, SIZE_MAX, scratch, scratch.second);
  overwrite_end(scratch.second, scratch.second.size(), out.ids);
}

/// For a tokenizer that finds them where nobody knows any more which bytes are the caller's.
void PipelineTokenizer::refuse_control_tokens(Scratch& scratch) const {
  for (const Span& part : scratch.rendered.callers) {
    const auto callers = std::string_view(scratch.rendered.text).substr(part.begin, part.end - part.begin);
    tokenize(callers, SpecialTokens::kError, SIZE_MAX, scratch, scratch.second);
  }
}

/// The rendered text is cut without regard to what it is made of.
void PipelineTokenizer::encode_rendered(std::string_view text, std::optional<std::string_view> pair,
                                        const EncodeOptions& options, Scratch& scratch, Encoding& out) const {
  if (!pair)
    throw Error(ErrorCode::input_invalid,
                "the model puts a pair of texts into a template; a text alone has no place in it");
  if (options.strategy != TruncationStrategy::kLongestFirst || options.max_first != SIZE_MAX ||
      options.max_second != SIZE_MAX)
    throw Error(ErrorCode::input_invalid,
                "the model's template is cut as a whole; the two texts cannot be cut differently");
  if (!options.prompt.empty() && !pair_template_->prompted)
    throw Error(ErrorCode::input_invalid, "the model's template has no place for a prompt");
  const PairTemplate::Layout& layout =
      options.prompt.empty() ? pair_template_->plain : *pair_template_->prompted;
  render_pair(layout, text, *pair, options.prompt, kMaxTextBytes, scratch.rendered);

  const size_t budget =
      pair_template_->adds_special_tokens ? text_budget(false, options) : options.max_length;
  std::vector<int32_t>& ids = scratch.first;
  tokenize_rendered(options.special_tokens, id_limit(options, budget), scratch, ids);
  out.truncated = ids.size() > budget;
  const Template::Ids kept = keep(ids, std::min(ids.size(), budget), options.side);
  if (pair_template_->adds_special_tokens) return template_.apply(kept, nullptr, out);
  out.ids.assign(kept.begin, kept.end);
  if (pair_template_->restores_end && ids.size() >= options.max_length)
    restore_end(layout, options, scratch, out.ids);
  out.type_ids.assign(out.ids.size(), 0);
}

/// Overwrites the end of `ids` with the template's: what two pairs without a common token end in alike.
void PipelineTokenizer::restore_end(const PairTemplate::Layout& layout, const EncodeOptions& options,
                                    Scratch& scratch, std::vector<int32_t>& ids) const {
  const auto tokenize_fillers = [&](std::string_view filler, std::vector<int32_t>& filled) {
    render_pair(layout, filler, filler, options.prompt, kMaxTextBytes, scratch.rendered);
    tokenize_rendered(options.special_tokens, SIZE_MAX, scratch, filled);
  };
  tokenize_fillers("0", scratch.first);
  tokenize_fillers("1 2 3 4", scratch.second);
  overwrite_end(scratch.first, common_end(scratch.first, scratch.second), ids);
}

Error no_room(size_t label_tokens, const EncodeOptions& options) {
  return {ErrorCode::input_too_long, "the labels take " + std::to_string(label_tokens) +
                                         " tokens, which leaves no room for the text within " +
                                         std::to_string(options.max_length)};
}

/// The labels' ids in scratch.second and the text's in scratch.first; returns how many of the latter fit
/// beside the former. `may_stop`: what is cut off is not asked for.
size_t PipelineTokenizer::tokenize_labelled(std::string_view text, bool has_pair,
                                            const EncodeOptions& options, bool may_stop,
                                            Scratch& scratch) const {
  if (has_pair || options.labels.empty())
    throw Error(ErrorCode::input_invalid, "the model reads labels and one text");
  const size_t budget = text_budget(false, options);
  if (token_bytes_) return tokenize_listed(text, options, may_stop, budget, scratch);
  RenderedText& rendered = scratch.rendered;
  std::vector<int32_t>& labels = scratch.second;
  std::vector<int32_t>& ids = scratch.first;
  render_labels(*label_template_, options.labels, {}, kMaxTextBytes, rendered);
  tokenize_rendered(options.special_tokens, SIZE_MAX, scratch, labels);
  if (labels.size() >= budget) throw no_room(labels.size(), options);
  const size_t room = budget - labels.size();
  // What stands beside the text tells how its beginning and end are normalized.
  render_labels(*label_template_, options.labels, text, kMaxTextBytes, rendered);
  const bool stops = may_stop && label_template_->labels_first;
  tokenize_rendered(options.special_tokens, stops ? id_limit(options, budget) : SIZE_MAX, scratch, ids);
  if (!take_labels(labels, label_template_->labels_first, ids))
    throw Error(ErrorCode::input_invalid, "an end of the text changes the token beside it");
  return room;
}

/// The same where a token may hold the beginning of the text and what stands before it: that is no token of
/// the text's that gives way. What the head reads is in scratch.spans.
size_t PipelineTokenizer::tokenize_listed(std::string_view text, const EncodeOptions& options, bool may_stop,
                                          size_t budget, Scratch& scratch) const {
  std::vector<int32_t>& ids = scratch.first;
  std::vector<uint32_t>& ends = scratch.ends;
  const auto tokenize_whole = [&](std::string_view own, size_t limit) {
    const LabelPlaces places =
        render_labels(*label_template_, options.labels, own, kMaxTextBytes, scratch.rendered);
    tokenize_rendered(options.special_tokens, limit, scratch, ids);
    token_bytes_->find_ends(ids, ids.size() < limit, scratch.rendered.text.size(), ends);
    return places;
  };
  const LabelPlaces places = tokenize_whole(text, may_stop ? id_limit(options, budget) : SIZE_MAX);
  const auto before = std::lower_bound(ends.begin(), ends.end(), places.text) - ends.begin() + 1;
  const auto own = std::min(static_cast<size_t>(before), ids.size());
  if (own >= budget) {
    tokenize_whole({}, SIZE_MAX);
    throw no_room(ids.size(), options);
  }
  scratch.spans = find_spans(places, ends);
  const auto end = ids.begin() + static_cast<std::ptrdiff_t>(own);
  scratch.second.assign(ids.begin(), end);
  ids.erase(ids.begin(), end);
  return budget - own;
}

void PipelineTokenizer::apply_labelled(Template::Ids text, Scratch& scratch, Encoding& out) const {
  const auto append = [&](const int32_t* begin, const int32_t* end) {
    scratch.joined.insert(scratch.joined.end(), begin, end);
  };
  const std::vector<int32_t>& labels = scratch.second;
  scratch.joined.clear();
  if (!label_template_->labels_first) append(text.begin, text.end);
  append(labels.data(), labels.data() + labels.size());
  if (label_template_->labels_first) append(text.begin, text.end);
  template_.apply({scratch.joined.data(), scratch.joined.data() + scratch.joined.size()}, nullptr, out);
  if (!token_bytes_) return;
  out.spans = scratch.spans;
  TokenSpan& read = out.spans.back();
  read.end = read.begin < read.end ? static_cast<int32_t>(scratch.joined.size()) : 0;
  for (TokenSpan& span : out.spans) {
    if (span.end == 0) continue;
    span.begin += static_cast<int32_t>(template_.num_before_text());
    span.end += static_cast<int32_t>(template_.num_before_text());
  }
}

void PipelineTokenizer::encode_labelled(std::string_view text, bool has_pair, const EncodeOptions& options,
                                        Scratch& scratch, Encoding& out) const {
  const size_t room = tokenize_labelled(text, has_pair, options, true, scratch);
  const size_t kept = std::min({scratch.first.size(), options.max_first, room});
  apply_labelled(keep(scratch.first, kept, options.side), scratch, out);
  out.truncated = kept < scratch.first.size();
}

void PipelineTokenizer::encode_labelled_windows(std::string_view text, bool has_pair,
                                                const EncodeOptions& options, Scratch& scratch,
                                                std::vector<Window>& out) const {
  const size_t room = tokenize_labelled(text, has_pair, options, false, scratch);
  const size_t length = std::min(scratch.first.size(), options.max_first);
  const WindowPlan plan = plan_windows(length, 0, room, options.overlap);
  cut_windows(scratch.first, length, plan, options.max_windows, false, out,
              [&](Template::Ids ids, Encoding& encoding) { apply_labelled(ids, scratch, encoding); });
}

/// Cuts `text` to `most` tokens, as text, and takes the marks out of it; returns how many tokens it had.
size_t PipelineTokenizer::cut_listed(size_t most, const EncodeOptions& options, Scratch& scratch,
                                     std::string& text) const {
  std::vector<int32_t>& ids = scratch.first;
  tokenize(text, options.special_tokens, id_limit(options, most), scratch, ids);
  if (ids.size() > most) {
    const Template::Ids kept = keep(ids, most, options.side);
    text = byte_decoder_->decode(kept.begin, kept.end);
  }
  text = without_marks(*list_template_, text);
  return ids.size();
}

/// The whole is tokenized as one text. Where it is too long only a document that is alone can give way.
void PipelineTokenizer::encode_list(std::string_view text, std::vector<std::string> documents,
                                    const EncodeOptions& options, Scratch& scratch, Encoding& out) const {
  const ListTemplate& layout = *list_template_;
  if (options.strategy != TruncationStrategy::kLongestFirst)
    throw Error(ErrorCode::input_invalid, "in a list every text is cut by itself");
  if (!options.prompt.empty() && !layout.prompted)
    throw Error(ErrorCode::input_invalid, "the model's list has no place for a prompt");
  out.truncated = false;
  const auto cut = [&](std::string& own, size_t asked, size_t fallback) {
    const size_t most = asked == SIZE_MAX ? fallback : asked;
    const size_t length = cut_listed(most, options, scratch, own);
    out.truncated = out.truncated || length > most;
    return std::min(length, most);
  };
  std::string query(text), prompt = without_marks(layout, options.prompt);
  cut(query, options.max_first, layout.max_query);
  size_t length = 0;  // of the last document
  for (std::string& document : documents) length = cut(document, options.max_second, layout.max_document);

  const size_t budget = text_budget(false, options);
  std::vector<int32_t>& ids = scratch.second;
  // What is cut is more each time: a text that is cut may get tokens that it had not.
  for (size_t round = 0;; round++) {
    render_list(layout, query, documents, prompt, kMaxTextBytes, scratch.rendered);
    tokenize_rendered(options.special_tokens, SIZE_MAX, scratch, ids);
    if (ids.size() <= budget) break;
    const size_t excess = (ids.size() - budget) << std::min<size_t>(round, 20);
    if (documents.size() > 1 || length <= excess)
      throw Error(ErrorCode::input_too_long, "a query with " + std::to_string(documents.size()) +
                                                 " documents takes " + std::to_string(ids.size()) +
                                                 " tokens, more than " + std::to_string(options.max_length) +
                                                 "; shorten the query, or pass fewer documents");
    length -= excess;
    cut_listed(length, options, scratch, documents.front());
    out.truncated = true;
  }
  template_.apply({ids.data(), ids.data() + ids.size()}, nullptr, out);
}

void PipelineTokenizer::encode_interaction(std::string_view query, std::optional<std::string_view> document,
                                           const EncodeOptions& options, Scratch& scratch,
                                           Encoding& out) const {
  const InteractionTemplate& rule = *interaction_;
  if (!document)
    throw Error(
        ErrorCode::input_invalid,
        "the model compares two texts: pass a query and a document, as CrossEncoder's rank and predict do");
  if (!options.prompt.empty() || options.strategy != TruncationStrategy::kLongestFirst)
    throw Error(
        ErrorCode::input_invalid,
        "the model reads query and document each by itself: there is no place for a prompt, and each of "
        "them is cut by itself");
  Encoding& other = scratch.document;
  encode_side(rule.query, query, options.max_first, options, scratch, out);
  encode_side(rule.document, *document, options.max_second, options, scratch, other);
  const size_t own = out.ids.size();
  out.query_tokens = std::max(own, rule.expansion_length);
  // Where there is nothing else they see each other.
  out.query_keys = rule.expansion_is_seen || own == 0 ? out.query_tokens : own;
  out.ids.resize(out.query_tokens, rule.expansion_id);
  out.type_ids.resize(out.query_tokens, 0);
  out.ids.insert(out.ids.end(), other.ids.begin(), other.ids.end());
  out.type_ids.insert(out.type_ids.end(), other.type_ids.begin(), other.type_ids.end());
  out.truncated = out.truncated || other.truncated;
}

/// A query or a document; of its own tokens, those of the prefix not counted, at most `max_text`, which
/// stands for the model's own limit. What is cut is never the prefix.
void PipelineTokenizer::encode_side(const InteractionTemplate::Side& side, std::string_view text,
                                    size_t max_text, const EncodeOptions& options, Scratch& scratch,
                                    Encoding& out) const {
  const auto prefix_tokens = [&] {
    render_prefixed(side.prefix, {}, kMaxTextBytes, scratch.rendered);
    tokenize_rendered(options.special_tokens, SIZE_MAX, scratch, scratch.second);
    return scratch.second.size();
  };
  EncodeOptions own = options;
  if (max_text == SIZE_MAX) own.max_length = std::min(options.max_length, side.max_length);
  size_t budget = text_budget(false, own);
  if (max_text < budget) budget = std::min(budget, prefix_tokens() + max_text);

  render_prefixed(side.prefix, text, kMaxTextBytes, scratch.rendered);
  std::vector<int32_t>& ids = scratch.first;
  tokenize_rendered(options.special_tokens, id_limit(options, budget), scratch, ids);
  out.truncated = ids.size() > budget;
  if (out.truncated && options.side == TruncationSide::kLeft) {
    if (const size_t prefix = prefix_tokens(); prefix < budget) {
      const auto behind = ids.begin() + static_cast<std::ptrdiff_t>(prefix);
      ids.erase(behind, behind + static_cast<std::ptrdiff_t>(ids.size() - budget));
    }
  }
  template_.apply(keep(ids, std::min(ids.size(), budget), options.side), nullptr, out);
}

void PipelineTokenizer::encode_windows(std::string_view text, std::optional<std::string_view> pair,
                                       const EncodeOptions& options, std::vector<Window>& out) const {
  if (interaction_)
    throw Error(ErrorCode::input_invalid, "a model for late interaction reads no texts in windows");
  if (list_template_) throw Error(ErrorCode::input_invalid, "documents of a list cannot be read in windows");
  if (pair_template_) throw Error(ErrorCode::input_invalid, "a pair in a template cannot be read in windows");
  const ScratchUse use;
  Scratch& scratch = use.buffers;
  const bool has_pair = pair.has_value();
  if (label_template_) return encode_labelled_windows(text, has_pair, options, scratch, out);
  const size_t budget = text_budget(has_pair, options);
  tokenize(text, options.special_tokens, SIZE_MAX, scratch, scratch.first);
  scratch.second.clear();
  if (has_pair) tokenize(*pair, options.special_tokens, SIZE_MAX, scratch, scratch.second);

  const bool over_second = has_pair && options.windows == WindowedText::kSecond;
  const std::vector<int32_t>& windowed = over_second ? scratch.second : scratch.first;
  const std::vector<int32_t>& other = over_second ? scratch.first : scratch.second;
  const size_t length = std::min(windowed.size(), over_second ? options.max_second : options.max_first);
  const size_t other_limit = over_second ? options.max_first : options.max_second;
  const WindowPlan plan = plan_windows(length, std::min(other.size(), other_limit), budget, options.overlap);
  const Template::Ids beside = keep(other, plan.other, options.side);

  cut_windows(windowed, length, plan, options.max_windows, plan.other < other.size(), out,
              [&](Template::Ids own, Encoding& encoding) {
                if (has_pair)
                  template_.apply(over_second ? beside : own, over_second ? &own : &beside, encoding);
                else
                  template_.apply(own, nullptr, encoding);
              });
}

}  // namespace

std::unique_ptr<const Tokenizer> Tokenizer::from_json(std::string_view json, TextTemplate texts) {
  const JsonDocument document(json);
  const JsonValue root = document.root();
  if (const auto version = root.find("version"); version && version->as_string() != "1.0")
    fail_unsupported("version", version->as_string(), "1.0");
  return std::make_unique<PipelineTokenizer>(root, std::move(texts));
}

}  // namespace enc
