// What a model makes of its callers' texts before it reads them, as its file says it, checked.
#pragma once

#include <memory>
#include <optional>

#include "batch/late_interaction.h"
#include "enc/batch.h"
#include "enc/model.h"
#include "enc/tokenizer.h"
#include "model/gguf_file.h"
#include "model/hparams.h"

namespace enc {

struct TextLayout {
  /// Without one the model reads texts and pairs as the tokenizer's own template has them.
  TextTemplate texts;
  /// Beside an InteractionTemplate: how what becomes of the two texts is compared.
  std::optional<InteractionRule> interaction;
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
