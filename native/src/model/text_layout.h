// What a model makes of its callers' texts before it reads them, as its file says it, checked.
#pragma once

#include <memory>
#include <optional>

#include "enc/batch.h"
#include "enc/model.h"
#include "enc/tokenizer.h"
#include "model/gguf_file.h"
#include "model/hparams.h"
#include "model/late_interaction.h"

namespace enc {

/// At most one of them; most models have none, and read texts and pairs as the tokenizer's template has them.
struct TextLayout {
  std::optional<PairTemplate> pair;
  std::optional<LabelTemplate> labels;
  std::optional<ListTemplate> list;
  std::optional<LateInteraction> interaction;
};

/// Throws Error(tokenizer_missing) for a file without a tokenizer, Error(gguf_malformed) for one whose head
/// does not read what it lays out.
TextLayout read_text_layout(const GgufFile& file, const Hparams& hparams);

/// The file's tokenizer for such texts. Throws Error(gguf_malformed) where it does not go with the weights,
/// and what Tokenizer::from_json throws.
std::unique_ptr<const Tokenizer> read_tokenizer(const GgufFile& file, const Hparams& hparams,
                                                const TextLayout& layout);

/// How the tokens are found that the head reads; absent where that is not told by tokens. Throws
/// Error(gguf_malformed) where the tokenizer does not find them.
std::optional<MarkRule> find_marks(const GgufFile& file, const Hparams& hparams, const TextLayout& layout,
                                   const Tokenizer& tokenizer);

/// What callers are told of it.
void describe_text_layout(const GgufFile& file, const TextLayout& layout, ModelInfo& info);

}  // namespace enc
