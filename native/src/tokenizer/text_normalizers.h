// The normalizers that look at single characters or at matches of a pattern, and sequences of normalizers.
#pragma once

#include <memory>

#include "tokenizer/stages.h"

namespace enc {

/// Reads Lowercase, StripAccents, Strip, Nmt, Replace or Prepend; null for other types.
std::unique_ptr<const Normalizer> make_text_normalizer(std::string_view type, JsonValue block);

class NormalizerSequence : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<const Normalizer>> parts)
      : parts_(std::move(parts)) {}

  bool normalize(std::string_view text, std::string& out) const override;

 private:
  std::vector<std::unique_ptr<const Normalizer>> parts_;
};

}  // namespace enc
