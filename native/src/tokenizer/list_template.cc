#include "tokenizer/list_template.h"

#include "enc/error.h"
#include "tokenizer/utf8.h"

namespace enc {

std::string without_marks(const ListTemplate& layout, std::string_view text) {
  std::string buffer, rest;
  for (const char byte : utf8::sanitize(text, buffer)) {
    rest.push_back(byte);
    for (const std::string* mark : {&layout.document_mark, &layout.query_mark}) {
      if (rest.ends_with(*mark)) rest.resize(rest.size() - mark->size());
    }
  }
  return rest;
}

void render_list(const ListTemplate& layout, std::string_view query, std::span<const std::string> documents,
                 std::string_view prompt, size_t max_bytes, RenderedText& out) {
  using Slot = ListTemplate::Slot;
  out.text.clear();
  out.callers.clear();
  out.ends.clear();
  const auto append = [&](std::string_view part, bool is_callers) {
    const size_t begin = out.text.size(), end = begin + part.size();
    if (end > max_bytes)
      throw Error(ErrorCode::limit_exceeded, "a query and its documents have more than " +
                                                 std::to_string(max_bytes) + " bytes together; pass fewer");
    if (is_callers && !part.empty())
      out.callers.push_back({static_cast<uint32_t>(begin), static_cast<uint32_t>(end)});
    out.text += part;
  };
  const auto append_documents = [&] {
    for (size_t i = 0; i < documents.size(); i++) {
      if (i > 0) append(layout.separator, false);
      append(layout.item[0], false);
      append(std::to_string(i), false);
      append(layout.item[1], false);
      append(documents[i], true);
      append(layout.item[2], false);
    }
  };
  const ListTemplate::Layout& chosen = prompt.empty() ? layout.plain : *layout.prompted;
  append(chosen.pieces.front(), false);
  for (size_t i = 0; i < chosen.slots.size(); i++) {
    switch (chosen.slots[i]) {
      case Slot::kCount:
        append(std::to_string(documents.size()), false);
        break;
      case Slot::kQuery:
        append(query, true);
        break;
      case Slot::kDocuments:
        append_documents();
        break;
      case Slot::kPrompt:
        append(prompt, true);
        break;
    }
    append(chosen.pieces[i + 1], false);
  }
  out.ends.push_back(static_cast<uint32_t>(out.text.size()));
}

}  // namespace enc
