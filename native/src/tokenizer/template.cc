// All processors become the same list of slots.
#include "tokenizer/template.h"

#include <algorithm>

namespace enc {
namespace {

constexpr size_t kMaxTemplateTokens = 64;  // control tokens of one template; published ones have at most 4
constexpr size_t kMaxNamedTokens = 4096;   // each piece looks for its own among them
constexpr int64_t kMaxTypeId = 255;        // models have at most a few segments

}  // namespace

Template::Template(JsonValue block) {
  single_.slots = {{Source::kFirst, 0, {}}};
  pair_.slots = {{Source::kFirst, 0, {}}, {Source::kSecond, 1, {}}};
  bool has_template = false;
  if (!block.is_null()) read(block, has_template, 0);
  finish(single_);
  finish(pair_);
  for (const Slot& slot : single_.slots) {
    if (slot.source == Source::kFirst) break;
    num_before_text_ += slot.ids.size();
  }
}

/// `has_template` is set by the processor that lays the tokens out, of which a sequence may have one.
void Template::read(JsonValue block, bool& has_template, int depth) {
  const std::string_view type = block.at("type").as_string();
  if (type == "ByteLevel") return;  // it trims offsets, which nobody asks for here
  if (type == "Sequence") {
    if (depth >= kMaxNesting) block.fail("is nested too deeply");
    block.at("processors").for_each_item([&](JsonValue part) { read(part, has_template, depth + 1); });
    return;
  }
  if (has_template)
    fail_unsupported("post_processor", "Sequence of several templates", "one template and ByteLevel");
  has_template = true;
  if (type == "TemplateProcessing")
    read_template_processing(block);
  else if (type == "BertProcessing")
    read_cls_sep_processing(block, 1, 1);
  else if (type == "RobertaProcessing")
    read_cls_sep_processing(block, 2, 0);
  else
    fail_unsupported("post_processor", type,
                     "BertProcessing, ByteLevel, RobertaProcessing, Sequence, TemplateProcessing, null");
}

void Template::read_template_processing(JsonValue block) {
  const JsonValue special_tokens = block.at("special_tokens");
  if (special_tokens.size() > kMaxNamedTokens) special_tokens.fail("has too many entries");
  const auto count = [](const Layout& layout, Source source) {
    return std::count_if(layout.slots.begin(), layout.slots.end(),
                         [&](const Slot& slot) { return slot.source == source; });
  };
  const JsonValue single = block.at("single");
  single_ = read_layout(single, special_tokens);
  if (count(single_, Source::kFirst) != 1 || count(single_, Source::kSecond) != 0)
    single.fail("must hold sequence A once, and no B");
  const JsonValue pair = block.at("pair");
  pair_ = read_layout(pair, special_tokens);
  if (count(pair_, Source::kFirst) != 1 || count(pair_, Source::kSecond) != 1)
    pair.fail("must hold the sequences A and B once each");
}

Template::Layout Template::read_layout(JsonValue pieces, JsonValue special_tokens) const {
  Layout layout;
  pieces.for_each_item([&](JsonValue piece) {
    const auto sequence = piece.find("Sequence");
    const JsonValue content = sequence ? *sequence : piece.at("SpecialToken");
    Slot slot;
    slot.type_id = static_cast<int32_t>(content.at("type_id").as_integer(0, kMaxTypeId));
    const std::string_view name = content.at("id").as_string();
    if (sequence) {
      if (name != "A" && name != "B") content.fail("must name the sequence A or B");
      slot.source = name == "A" ? Source::kFirst : Source::kSecond;
    } else {
      slot.source = Source::kControl;
      special_tokens.at(name).at("ids").for_each_item([&](JsonValue id) {
        slot.ids.push_back(static_cast<int32_t>(id.as_integer(0, kMaxTokenId)));
        if (slot.ids.size() > kMaxTemplateTokens) pieces.fail("has too many control tokens");
      });
    }
    layout.slots.push_back(std::move(slot));
    if (layout.slots.size() > kMaxTemplateTokens) pieces.fail("has too many pieces");
  });
  return layout;
}

/// [CLS] A [SEP] and [CLS] A [SEP] B [SEP], with `num_middle` [SEP] between A and B and the segment `second`
/// for B.
void Template::read_cls_sep_processing(JsonValue block, size_t num_middle, int32_t second) {
  const auto id_of = [&](const char* name) {
    const JsonValue entry = block.at(name);
    int position = 0;
    int32_t id = -1;
    entry.for_each_item([&](JsonValue item) {
      if (position++ == 1) id = static_cast<int32_t>(item.as_integer(0, kMaxTokenId));
    });
    if (position != 2) entry.fail("must be a token and its id");
    return id;
  };
  const Slot cls{Source::kControl, 0, {id_of("cls")}};
  const int32_t sep = id_of("sep");
  single_.slots = {cls, {Source::kFirst, 0, {}}, {Source::kControl, 0, {sep}}};
  pair_.slots = {cls,
                 {Source::kFirst, 0, {}},
                 {Source::kControl, 0, std::vector<int32_t>(num_middle, sep)},
                 {Source::kSecond, second, {}},
                 {Source::kControl, second, {sep}}};
}

void Template::finish(Layout& layout) {
  for (const Slot& slot : layout.slots) {
    layout.num_special += slot.ids.size();
    for (const int32_t id : slot.ids) max_id_ = std::max(max_id_, id);
  }
}

void Template::apply(Ids first, const Ids* second, Encoding& out) const {
  out.ids.clear();
  out.type_ids.clear();
  for (const Slot& slot : (second ? pair_ : single_).slots) {
    Ids ids{slot.ids.data(), slot.ids.data() + slot.ids.size()};
    if (slot.source == Source::kFirst) ids = first;
    if (slot.source == Source::kSecond) ids = *second;
    out.ids.insert(out.ids.end(), ids.begin, ids.end);
    out.type_ids.resize(out.ids.size(), slot.type_id);
  }
}

}  // namespace enc
