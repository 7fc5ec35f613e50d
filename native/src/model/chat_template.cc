#include "model/chat_template.h"

#include <algorithm>
#include <string_view>

namespace enc {
namespace {

constexpr char kPrefix[] = "ggml_encoder.chat_template.";
// In the order of PairTemplate::Slot.
constexpr std::string_view kSlots[] = {"query", "document", "prompt", "break"};
// The converter's own bounds: what a pair may be blown up to follows from them.
constexpr size_t kMaxSlots = 16;
constexpr size_t kMaxPieceBytes = 256 << 10;

PairTemplate::Layout read_layout(const GgufFile& file, const std::string& prefix, bool takes_prompt) {
  using Slot = PairTemplate::Slot;
  PairTemplate::Layout layout;
  TemplateParts parts = read_template_parts(file, prefix, kSlots, takes_prompt);
  layout.pieces = std::move(parts.pieces);
  for (const size_t slot : parts.slots) layout.slots.push_back(static_cast<Slot>(slot));
  for (const Slot slot : {Slot::kFirst, Slot::kSecond}) {
    if (std::find(layout.slots.begin(), layout.slots.end(), slot) == layout.slots.end())
      file.malformed(prefix + "slots lacks the query or the document");
  }
  return layout;
}

}  // namespace

TemplateParts read_template_parts(const GgufFile& file, const std::string& prefix,
                                  std::span<const std::string_view> slots, bool takes_prompt) {
  TemplateParts parts{file.strings(prefix + "pieces"), {}};
  size_t size = 0;
  for (const std::string& piece : parts.pieces) size += piece.size();
  for (const std::string& slot : file.strings(prefix + "slots")) {
    const auto known = std::find(slots.begin(), slots.end(), slot);
    if (known == slots.end() || (slot == "prompt" && !takes_prompt))
      file.malformed(prefix + "slots has an entry that is no place for a text");
    parts.slots.push_back(static_cast<size_t>(known - slots.begin()));
  }
  if (parts.slots.size() > kMaxSlots || size > kMaxPieceBytes ||
      parts.pieces.size() != parts.slots.size() + 1)
    file.malformed(prefix + "pieces and slots do not make a template");
  return parts;
}

std::optional<PairTemplate> read_chat_template(const GgufFile& file) {
  const std::string prefix = kPrefix;
  if (!file.has(prefix + "pieces")) return std::nullopt;
  PairTemplate result;
  result.plain = read_layout(file, prefix, false);
  if (file.has(prefix + "prompted_pieces")) result.prompted = read_layout(file, prefix + "prompted_", true);
  result.restores_end = file.boolean(prefix + "restores_end", true);
  result.adds_special_tokens = file.boolean(prefix + "adds_special_tokens", false);
  if (result.restores_end && result.adds_special_tokens)
    file.malformed(prefix + "restores_end and adds_special_tokens exclude each other");
  return result;
}

}  // namespace enc
