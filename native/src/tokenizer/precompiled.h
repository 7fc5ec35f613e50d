// Precompiled: SentencePiece's table of replacements, as Hugging Face's library applies it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tokenizer/stages.h"

namespace enc {

class Precompiled : public Normalizer {
 public:
  /// Reads precompiled_charsmap: base64 of the size of a double array, the array (Darts), and the
  /// replacements, each ended by NUL. Throws Error(checkpoint_malformed) for a table that breaks off.
  explicit Precompiled(JsonValue block);

  bool normalize(std::string_view text, std::string& out) const override;

 private:
  /// The replacement of the shortest key that begins `text`; nothing when there is none.
  std::optional<std::string_view> find(std::string_view text) const;

  std::vector<uint32_t> units_;
  std::string replacements_;
};

}  // namespace enc
