// Both processors become the same list of slots.
#include "tokenizer/template.h"

#include <algorithm>

namespace enc {
namespace {

constexpr size_t kMaxTemplateTokens = 64;  // control tokens of one template; published ones have at most 4
constexpr int64_t kMaxTypeId = 255;        // models have at most a few segments

}  // namespace

Template::Template(JsonValue block) {
  if (block.is_null()) {
    single_.slots = {{Source::kFirst, 0, {}}};
    pair_.slots = {{Source::kFirst, 0, {}}, {Source::kSecond, 1, {}}};
  } else {
    const std::string_view type = block.at("type").as_string();
    if (type == "TemplateProcessing")
      read_template_processing(block);
    else if (type == "BertProcessing")
      read_bert_processing(block);
    else
      fail_unsupported("post_processor", type, "TemplateProcessing, BertProcessing, null");
  }
  finish(single_);
  finish(pair_);
}

void Template::read_template_processing(JsonValue block) {
  const JsonValue special_tokens = block.at("special_tokens");
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

void Template::read_bert_processing(JsonValue block) {
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
  const Slot sep{Source::kControl, 0, {id_of("sep")}};
  single_.slots = {cls, {Source::kFirst, 0, {}}, sep};
  pair_.slots = {cls, {Source::kFirst, 0, {}}, sep, {Source::kSecond, 1, {}}, {Source::kControl, 1, sep.ids}};
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
