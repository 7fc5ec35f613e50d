#include "model/text_layout.h"

#include <algorithm>
#include <utility>

#include "enc/error.h"
#include "model/chat_template.h"
#include "model/late_interaction.h"
#include "model/list_template.h"

namespace enc {
namespace {

std::optional<LabelTemplate> read_label_template(const GgufFile& file, const Hparams& hparams) {
  if (!hparams.label_head.exists()) return std::nullopt;
  const std::string prefix = "ggml_encoder.labels.";
  const MarkRule& marks = hparams.label_head.marks;
  LabelTemplate layout;
  layout.mark = file.string(prefix + "mark");
  layout.separator = file.string(prefix + "separator");
  layout.labels_first = marks.labels_first;
  if (marks.tokens != LabelTokens::kHeld) return layout;
  layout.marks_are_tokens = false;
  layout.opening = file.string(prefix + "opening");
  layout.label_end = file.string(prefix + "label_end");
  return layout;
}

/// A head that reads the end of a text needs one in every text, cut or not: the tokenizer's template has to
/// add it, to single texts and to pairs.
void require_eos(const GgufFile& file, const Tokenizer& tokenizer, int32_t eos) {
  for (const auto& pair : {std::optional<std::string_view>(), std::optional<std::string_view>("")}) {
    Encoding encoding;
    tokenizer.encode("", pair, EncodeOptions(), encoding);
    if (std::find(encoding.ids.begin(), encoding.ids.end(), eos) != encoding.ids.end()) continue;
    file.malformed("its head reads the token " + std::to_string(eos) +
                   ", which its tokenizer does not add to " + (pair ? "pairs" : "texts"));
  }
}

/// The tokenizer has to find a mark before each label, and the separator behind them.
void require_marks(const GgufFile& file, const Tokenizer& tokenizer, const MarkRule& marks) {
  EncodeOptions options;
  options.labels = {"a", "b"};
  Encoding encoding;
  tokenizer.encode("c", std::nullopt, options, encoding);
  const auto count = [&](int32_t id) { return std::count(encoding.ids.begin(), encoding.ids.end(), id); };
  if (count(marks.token_id) != 2 || count(marks.separator_id) != 1)
    file.malformed("its tokenizer does not find the tokens that its labels stand between");
}

/// Of a tokenizer that has tokens for which the embedding has no row, as those that were added to a
/// vocabulary when its model was not made larger: texts without them are what the model was trained with.
class BoundedTokenizer : public Tokenizer {
 public:
  BoundedTokenizer(std::unique_ptr<const Tokenizer> whole, uint32_t rows)
      : whole_(std::move(whole)), rows_(rows) {}

  void encode(std::string_view text, std::optional<std::string_view> pair, const EncodeOptions& options,
              Encoding& out) const override {
    whole_->encode(text, pair, options, out);
    check(out);
  }
  void encode_written_out(std::string_view text, const WrittenOut& parts, const EncodeOptions& options,
                          Encoding& out) const override {
    whole_->encode_written_out(text, parts, options, out);
    check(out);
  }
  void encode_windows(std::string_view text, std::optional<std::string_view> pair,
                      const EncodeOptions& options, std::vector<Window>& out) const override {
    whole_->encode_windows(text, pair, options, out);
    for (const Window& window : out) check(window.encoding);
  }
  size_t vocab_size() const override { return rows_; }
  size_t num_special_tokens(bool pair) const override { return whole_->num_special_tokens(pair); }

 private:
  void check(const Encoding& encoding) const {
    for (const int32_t id : encoding.ids) {
      if (uint32_t(id) < rows_) continue;
      throw Error(ErrorCode::input_invalid, "a text has the token " + std::to_string(id) +
                                                ", for which the model's embedding of " +
                                                std::to_string(rows_) + " rows has none");
    }
  }

  const std::unique_ptr<const Tokenizer> whole_;
  const uint32_t rows_;
};

}  // namespace

TextLayout read_text_layout(const GgufFile& file, const Hparams& hparams) {
  if (!file.has("tokenizer.huggingface.json")) {
    throw Error(ErrorCode::tokenizer_missing,
                "'" + file.path() +
                    "' carries no tokenizer (tokenizer.huggingface.json); convert the checkpoint again");
  }
  const std::optional<LabelTemplate> labels = read_label_template(file, hparams);
  const std::optional<PairTemplate> pair = read_chat_template(file);
  if (pair && labels) file.malformed("it has both a chat template and labels in its texts");
  if (pair && hparams.pooling == Pooling::kEos)
    file.malformed("its head reads the token that ends a text, which its chat template does not add");
  const std::optional<ListTemplate> list = read_list_template(file);
  if (list && (pair || labels)) file.malformed("it has both lists and another kind of text");
  if (list.has_value() != (hparams.pooling == Pooling::kMarks))
    file.malformed("its head and its text contradict each other: one of them is for lists");
  const std::optional<LateInteraction> interaction = read_late_interaction(file, hparams);
  if (interaction && (pair || labels || list))
    file.malformed("its head compares tokens of two texts, and its text is another kind of one");
  if (labels) return {*labels, std::nullopt};
  if (pair) return {*pair, std::nullopt};
  if (list) return {*list, std::nullopt};
  if (interaction) return {interaction->texts, interaction->rule};
  return {};
}

std::unique_ptr<const Tokenizer> read_tokenizer(const GgufFile& file, const Hparams& hparams,
                                                const TextLayout& layout) {
  std::unique_ptr<const Tokenizer> tokenizer =
      Tokenizer::from_json(file.string("tokenizer.huggingface.json"), layout.texts);
  if (tokenizer->vocab_size() > hparams.vocab_size)
    tokenizer = std::make_unique<BoundedTokenizer>(std::move(tokenizer), hparams.vocab_size);
  if (hparams.pooling == Pooling::kEos) require_eos(file, *tokenizer, hparams.eos_token_id);
  return tokenizer;
}

std::optional<MarkRule> find_marks(const GgufFile& file, const Hparams& hparams, const TextLayout& layout,
                                   const Tokenizer& tokenizer) {
  if (const auto* list = std::get_if<ListTemplate>(&layout.texts))
    return find_list_marks(file, tokenizer, *list);
  if (!std::holds_alternative<LabelTemplate>(layout.texts)) return std::nullopt;
  if (hparams.label_head.marks.tokens != LabelTokens::kHeld)
    require_marks(file, tokenizer, hparams.label_head.marks);
  return hparams.label_head.marks;
}

void describe_text_layout(const GgufFile& file, const TextLayout& layout, ModelInfo& info) {
  if (const auto* pair = std::get_if<PairTemplate>(&layout.texts))
    info.chat_template = pair->prompted ? "prompted" : "pairs";
  if (layout.interaction) info.chat_template = "apart";
  if (!std::holds_alternative<ListTemplate>(layout.texts)) return;
  const ListLimits limits = read_list_limits(file);
  info.list_documents = limits.max_documents;
  info.list_query_tokens = limits.max_query_tokens;
  info.list_document_tokens = limits.max_document_tokens;
  info.chat_template = "list";
}

}  // namespace enc
