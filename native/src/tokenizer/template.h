// The post-processor: where the texts' tokens and the control tokens stand in the result, and their segment
// numbers.
#pragma once

#include <cstdint>
#include <vector>

#include "enc/tokenizer.h"
#include "tokenizer/stages.h"

namespace enc {

class Template {
 public:
  /// Reads "post_processor": TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel, a Sequence
  /// with at most one of the first three, or null. Control tokens are ids from here on, never text.
  explicit Template(JsonValue block);

  size_t num_special_tokens(bool pair) const { return (pair ? pair_ : single_).num_special; }
  /// Those of them before a single text.
  size_t num_before_text() const { return num_before_text_; }
  /// Largest id of a control token, or -1.
  int32_t max_id() const { return max_id_; }

  /// Ids [begin, end).
  struct Ids {
    const int32_t* begin;
    const int32_t* end;
  };
  /// Writes out.ids and out.type_ids. `second` is null for a single text.
  void apply(Ids first, const Ids* second, Encoding& out) const;

 private:
  enum class Source { kFirst, kSecond, kControl };
  struct Slot {
    Source source;
    int32_t type_id;
    std::vector<int32_t> ids;  // of kControl
  };
  struct Layout {
    std::vector<Slot> slots;
    size_t num_special = 0;
  };

  void read(JsonValue block, bool& has_template, int depth);
  void read_template_processing(JsonValue block);
  Layout read_layout(JsonValue pieces, JsonValue special_tokens) const;
  void read_cls_sep_processing(JsonValue block, size_t num_middle, int32_t second);
  void finish(Layout& layout);

  Layout single_;
  Layout pair_;
  size_t num_before_text_ = 0;
  int32_t max_id_ = -1;
};

}  // namespace enc
