#include "tokenizer/list_template.h"

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
  TextWriter writer(out, max_bytes, "a query and its documents", "pass fewer");
  const auto write_documents = [&] {
    for (size_t i = 0; i < documents.size(); i++) {
      if (i > 0) writer.own(layout.separator);
      writer.own(layout.item[0]);
      writer.own(std::to_string(i));
      writer.own(layout.item[1]);
      writer.callers(documents[i]);
      writer.own(layout.item[2]);
    }
  };
  const ListTemplate::Layout& chosen = prompt.empty() ? layout.plain : *layout.prompted;
  writer.own(chosen.pieces.front());
  for (size_t i = 0; i < chosen.slots.size(); i++) {
    switch (chosen.slots[i]) {
      case Slot::kCount:
        writer.own(std::to_string(documents.size()));
        break;
      case Slot::kQuery:
        writer.callers(query);
        break;
      case Slot::kDocuments:
        write_documents();
        break;
      case Slot::kPrompt:
        writer.callers(prompt);
        break;
    }
    writer.own(chosen.pieces[i + 1]);
  }
  writer.finish();
}

}  // namespace enc
