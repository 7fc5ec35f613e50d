// Metaspace: spaces become a visible mark, words begin with it, and one may be put before the first word.
#pragma once

#include <memory>
#include <string>

#include "tokenizer/pattern.h"
#include "tokenizer/stages.h"

namespace enc {

class Metaspace : public PreTokenizer {
 public:
  /// Reads replacement, prepend_scheme, split, and add_prefix_space of older files.
  explicit Metaspace(JsonValue block);

  void split(Words& words) const override;

 private:
  enum class Prepend { kAlways, kFirst, kNever };
  static Prepend read_prepend(JsonValue block);

  std::string mark_;
  Prepend prepend_;
  std::unique_ptr<const Pattern> pattern_;  // null: words stay whole
};

}  // namespace enc
