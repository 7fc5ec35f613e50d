#include "model/label_head.h"

namespace enc {
namespace {

void read_mark_tokens(const HparamsReader& reader, const std::string& prefix, const Hparams& h,
                      MarkRule& marks) {
  const auto token = [&](const char* key) {
    return int32_t(reader.integer(prefix + key, 0, h.vocab_size - 1));
  };
  marks.token_id = token("mark_token_id");
  marks.separator_id = token("separator_token_id");
  marks.ends_at_separator = h.pooling == Pooling::kSeparator;
}

}  // namespace

void read_label_head(const HparamsReader& reader, Hparams& h) {
  const std::string prefix = "ggml_encoder.labels.";
  LabelHead& head = h.label_head;
  head.score = reader.word<LabelScore>(prefix + "score", {{"none", LabelScore::kNone},
                                                          {"product", LabelScore::kProduct},
                                                          {"layers", LabelScore::kLayers},
                                                          {"halves", LabelScore::kHalves}});
  if (!head.exists()) {
    if (h.pooling == Pooling::kSeparator || h.pooling == Pooling::kText)
      reader.file().malformed("its head reads where labels end, but it has none in its texts");
    return;
  }
  MarkRule& marks = head.marks;
  marks.labels_first = reader.file().boolean(prefix + "first", true);
  marks.has_segments = reader.file().boolean(prefix + "segments", false);
  marks.tokens = reader.word<LabelTokens>(prefix + "tokens", {{"mark", LabelTokens::kMark},
                                                              {"next", LabelTokens::kNext},
                                                              {"span", LabelTokens::kSpan},
                                                              {"rest", LabelTokens::kRest},
                                                              {"held", LabelTokens::kHeld}});
  head.activation = reader.activation(prefix + "activation");
  const bool holds = marks.tokens == LabelTokens::kHeld;
  if (!holds) read_mark_tokens(reader, prefix, h, marks);
  if (holds != (h.pooling == Pooling::kText))
    reader.file().malformed("its head reads the tokens of labels or of the text, and not those of both");
  if (holds && (!marks.labels_first || marks.has_segments))
    reader.unsupported(prefix + "tokens", "held, of labels behind the text or in another segment");
  const bool reads_text = holds || h.pooling == Pooling::kFirst || h.pooling == Pooling::kSeparator;
  if (h.causal || h.has_decoder() || h.has_pooler || h.num_labels != 1 || h.score_rows > 0 ||
      h.logit_softcap > 0 || !reads_text)
    reader.unsupported(prefix + "score", "set beside another head, or a decoder's layers");
  if (marks.has_segments && h.num_token_types != 2)
    reader.file().malformed("labels and text are two segments, of which its table has " +
                            std::to_string(h.num_token_types));
}

}  // namespace enc
