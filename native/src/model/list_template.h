// What a model that ranks lists makes of a query and documents, as its file says it, checked.
#pragma once

#include <optional>

#include "enc/batch.h"
#include "enc/tokenizer.h"
#include "model/gguf_file.h"

namespace enc {

/// What callers are told of it, so that they make lists that fit.
struct ListLimits {
  uint32_t max_documents = 0;  ///< of one list; 0: the model ranks no lists
  uint32_t max_query_tokens = 0;
  uint32_t max_document_tokens = 0;
};

/// Absent when the file has none. Throws Error(gguf_malformed).
std::optional<ListTemplate> read_list_template(const GgufFile& file);
/// Of a file that has one.
ListLimits read_list_limits(const GgufFile& file);

/// Where the template's marks are found, which every list has to hold as often as it has documents, and once.
/// Throws Error(gguf_malformed).
MarkRule find_list_marks(const GgufFile& file, const Tokenizer& tokenizer, const ListTemplate& layout);

}  // namespace enc
