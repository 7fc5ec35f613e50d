#include "model/list_template.h"

#include <algorithm>
#include <string_view>

#include "model/chat_template.h"

namespace enc {
namespace {

constexpr char kPrefix[] = "ggml_encoder.list.";
// In the order of ListTemplate::Slot.
constexpr std::string_view kSlots[] = {"count", "query", "documents", "prompt"};
constexpr uint64_t kMaxTokens = 1 << 20;
constexpr uint64_t kMaxDocuments = 65536;
constexpr size_t kMaxPieceBytes = 4096;

std::string name(const char* key) {
  return kPrefix + std::string(key);
}

uint32_t read_count(const GgufFile& file, const char* key, uint64_t high) {
  const uint64_t value = file.integer(name(key));
  if (value < 1 || value > high)
    file.malformed("'" + name(key) + "' is " + std::to_string(value) + ", which lies outside 1 to " +
                   std::to_string(high));
  return static_cast<uint32_t>(value);
}

std::string read_piece(const GgufFile& file, const std::string& key, const std::string& piece) {
  if (piece.size() > kMaxPieceBytes) file.malformed("'" + key + "' is too long");
  return piece;
}

std::string read_mark(const GgufFile& file, const char* key) {
  const std::string mark = read_piece(file, name(key), file.string(name(key)));
  if (mark.empty()) file.malformed("'" + name(key) + "' is empty");
  return mark;
}

ListTemplate::Layout read_layout(const GgufFile& file, const std::string& prefix, bool takes_prompt) {
  using Slot = ListTemplate::Slot;
  ListTemplate::Layout layout;
  TemplateParts parts = read_template_parts(file, prefix, kSlots, takes_prompt);
  layout.pieces = std::move(parts.pieces);
  for (const size_t slot : parts.slots) layout.slots.push_back(static_cast<Slot>(slot));
  const auto count = [&](Slot slot) { return std::count(layout.slots.begin(), layout.slots.end(), slot); };
  if (count(Slot::kDocuments) != 1 || count(Slot::kQuery) == 0)
    file.malformed(prefix + "slots must have the documents once, and the query");
  return layout;
}

}  // namespace

std::optional<ListTemplate> read_list_template(const GgufFile& file) {
  const std::string prefix = kPrefix;
  if (!file.has(prefix + "pieces")) return std::nullopt;
  ListTemplate result;
  result.plain = read_layout(file, prefix, false);
  if (file.has(prefix + "prompted_pieces")) result.prompted = read_layout(file, prefix + "prompted_", true);
  const std::vector<std::string>& item = file.strings(prefix + "item");
  if (item.size() != result.item.size()) file.malformed("'" + prefix + "item' must be three texts");
  for (size_t i = 0; i < item.size(); i++) result.item[i] = read_piece(file, prefix + "item", item[i]);
  result.separator = read_piece(file, prefix + "separator", file.string(prefix + "separator"));
  result.document_mark = read_mark(file, "document_mark");
  result.query_mark = read_mark(file, "query_mark");
  const ListLimits limits = read_list_limits(file);
  result.max_query = limits.max_query_tokens;
  result.max_document = limits.max_document_tokens;
  return result;
}

ListLimits read_list_limits(const GgufFile& file) {
  return {read_count(file, "max_documents", kMaxDocuments), read_count(file, "max_query_tokens", kMaxTokens),
          read_count(file, "max_document_tokens", kMaxTokens)};
}

MarkRule find_list_marks(const GgufFile& file, const Tokenizer& tokenizer, const ListTemplate& layout) {
  const auto encode = [&](std::string_view text, const EncodeOptions& options) {
    Encoding encoding;
    tokenizer.encode(text, std::nullopt, options, encoding);
    return encoding.ids;
  };
  const auto find = [&](const std::string& mark) {
    EncodeOptions options;
    options.special_tokens = SpecialTokens::kParse;
    const std::vector<int32_t> ids = encode(mark, options);
    if (ids.size() != 1) file.malformed("its tokenizer does not have the mark of a list as one token");
    return ids.front();
  };
  MarkRule rule;
  rule.token_id = find(layout.document_mark);
  rule.separator_id = find(layout.query_mark);
  rule.marks_separator = true;
  for (const char* prompt : {"", "p"}) {
    if (*prompt != 0 && !layout.prompted) continue;
    EncodeOptions options;
    options.labels = {"a", "b"};
    options.prompt = prompt;
    const std::vector<int32_t> ids = encode("c", options);
    const auto is_document = [&](int32_t id) { return id == rule.token_id; };
    const auto query = std::find(ids.begin(), ids.end(), rule.separator_id);
    if (rule.token_id == rule.separator_id || std::count(ids.begin(), query, rule.token_id) != 2 ||
        query == ids.end() || std::any_of(query, ids.end(), is_document) ||
        std::count(ids.begin(), ids.end(), rule.separator_id) != 1)
      file.malformed("its list does not have a mark behind each document and then one behind the query");
  }
  return rule;
}

}  // namespace enc
