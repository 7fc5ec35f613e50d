// A pair in a chat template: whose control tokens count, where it is cut, and what it ends in.
#include "check.h"
#include "enc/error.h"
#include "fixtures.h"

namespace enc::test {
namespace {

using Slot = PairTemplate::Slot;

/// [CLS] query [SEP] document [SEP] one; with a prompt, that comes first.
PairTemplate template_of(bool restores_end = true) {
  PairTemplate result;
  result.plain = {{"[CLS] ", " [SEP] ", " [SEP] one"}, {Slot::kFirst, Slot::kSecond}};
  result.prompted = {{"[CLS] ", " a ", " [SEP] ", " [SEP] one"},
                     {Slot::kPrompt, Slot::kFirst, Slot::kSecond}};
  result.restores_end = restores_end;
  return result;
}

/// Knows the last tokens of the two texts whose common end is the template's apart.
std::string tokenizer_json() {
  return replaced(replaced(small_tokenizer_json(), R"("##a": 7)", R"("0": 7)"), R"(".": 8)", R"("4": 8)");
}

std::unique_ptr<const Tokenizer> tokenizer_with(PairTemplate pair_template) {
  return Tokenizer::from_json(tokenizer_json(), std::move(pair_template));
}

std::string encode(const Tokenizer& tokenizer, std::string_view text, std::string_view pair,
                   const EncodeOptions& options = {}) {
  Encoding out;
  tokenizer.encode(text, pair, options, out);
  CHECK(out.type_ids.size() == out.ids.size());
  return join(out.ids) + (out.truncated ? " cut" : "");
}

TEST(pair_template_takes_its_own_control_tokens_and_not_the_callers) {
  const auto tokenizer = tokenizer_with(template_of());
  CHECK(encode(*tokenizer, "one", "two") == "1 3 2 4 2 3");
  CHECK(encode(*tokenizer, "", "") == "1 2 2 3");
  EncodeOptions options;
  const std::string as_text = encode(*tokenizer, "one [SEP]", "two", options);
  options.special_tokens = SpecialTokens::kParse;
  CHECK(encode(*tokenizer, "one [SEP]", "two", options) == "1 3 2 2 4 2 3");
  CHECK(as_text != "1 3 2 2 4 2 3" && as_text.substr(0, 4) == "1 3 ");
  options.special_tokens = SpecialTokens::kError;
  CHECK(encode(*tokenizer, "one", "two", options) == "1 3 2 4 2 3");
  CHECK_THROWS_CODE(encode(*tokenizer, "one", "[SEP]", options), ErrorCode::input_invalid);
  options.prompt = "[SEP]";
  CHECK_THROWS_CODE(encode(*tokenizer, "one", "two", options), ErrorCode::input_invalid);
}

/// The first match begins in the caller's text and is not taken; the template's own begins inside it.
TEST(pair_template_finds_its_token_inside_one_that_begins_in_a_text) {
  PairTemplate joined;
  joined.plain = {{"", "[SEP] ", ""}, {Slot::kFirst, Slot::kSecond}};
  const std::string renamed = replaced(tokenizer_json(), R"("content": "[CLS]")", R"("content": "x[SE")");
  const auto tokenizer = Tokenizer::from_json(replaced(renamed, R"("[CLS]": 1,)", R"("x[SE": 1,)"), joined);
  const std::string ids = encode(*tokenizer, "one x", "two");
  CHECK(ids.find(" 2 ") != std::string::npos);
}

TEST(pair_template_has_a_place_for_a_prompt_or_refuses_it) {
  EncodeOptions options;
  options.prompt = "two";
  CHECK(encode(*tokenizer_with(template_of()), "one", "two", options) == "1 4 6 3 2 4 2 3");
  PairTemplate without = template_of();
  without.prompted.reset();
  CHECK_THROWS_CODE(encode(*tokenizer_with(std::move(without)), "one", "two", options),
                    ErrorCode::input_invalid);
}

TEST(pair_template_restores_its_end) {
  const auto tokenizer = tokenizer_with(template_of());
  EncodeOptions options;
  options.max_length = 6;
  CHECK(encode(*tokenizer, "one", "two", options) == "1 3 2 4 2 3");
  CHECK(encode(*tokenizer, "one", "two two two two", options) == "1 3 2 4 2 3 cut");
  CHECK(encode(*tokenizer, "one one one one one one one", "two", options) == "1 3 3 3 2 3 cut");
  CHECK(encode(*tokenizer_with(template_of(false)), "one", "two two two two", options) == "1 3 2 4 4 4 cut");
  options.side = TruncationSide::kLeft;
  CHECK(encode(*tokenizer, "one", "two two two two", options) == "4 4 4 4 2 3 cut");
  options.max_length = 2;
  CHECK_THROWS_CODE(encode(*tokenizer, "one", "two", options), ErrorCode::input_invalid);
}

/// "one" and "two" are tokens, "onetwo" is none: what a break parts does not join.
TEST(pair_template_tokenizes_by_parts_where_it_has_breaks) {
  PairTemplate parted = template_of();
  parted.plain = {{"[CLS] ", "", "two[SEP]", "", "one [SEP]"},
                  {Slot::kFirst, Slot::kBreak, Slot::kSecond, Slot::kBreak}};
  const auto tokenizer = tokenizer_with(parted);
  CHECK(encode(*tokenizer, "one", "two") == "1 3 4 2 4 3 2");
  CHECK(encode(*tokenizer, "", "") == "1 4 2 3 2");
  PairTemplate joined = parted;
  joined.plain = {{"[CLS] ", "two[SEP]", "one [SEP]"}, {Slot::kFirst, Slot::kSecond}};
  CHECK(encode(*tokenizer_with(joined), "one", "two") != "1 3 4 2 4 3 2");
  EncodeOptions options;
  options.special_tokens = SpecialTokens::kParse;
  CHECK(encode(*tokenizer, "one", "two [SEP]", options) == "1 3 4 2 4 2 3 2");
  options.special_tokens = SpecialTokens::kError;
  CHECK(encode(*tokenizer, "one", "two", options) == "1 3 4 2 4 3 2");
  CHECK_THROWS_CODE(encode(*tokenizer, "one", "[SEP]", options), ErrorCode::input_invalid);
  CHECK_THROWS_CODE(encode(*tokenizer, "[SEP]", "one", options), ErrorCode::input_invalid);
  options = {};
  options.max_length = 6;
  CHECK(encode(*tokenizer, "one", "two two two", options) == "1 3 4 2 3 2 cut");
  options.side = TruncationSide::kLeft;
  CHECK(encode(*tokenizer, "one", "two two two", options) == "2 4 4 4 3 2 cut");
  parted.plain = {{"", "[SE", "P]", ""}, {Slot::kFirst, Slot::kBreak, Slot::kSecond}};
  CHECK(encode(*tokenizer_with(parted), "one ", " two").find(" 2 ") == std::string::npos);
  parted.plain.slots[1] = Slot::kSecond;
  CHECK(encode(*tokenizer_with(parted), "one ", "").find(" 2") != std::string::npos);
}

TEST(pair_template_is_a_text_like_any_other_where_it_says_so) {
  PairTemplate as_text = template_of(false);
  as_text.plain.pieces = {"one ", " two ", " one"};
  as_text.adds_special_tokens = true;
  const auto tokenizer = tokenizer_with(as_text);
  CHECK(encode(*tokenizer, "two", "two") == "1 3 4 4 4 3 2");
  EncodeOptions options;
  options.max_length = 5;
  CHECK(encode(*tokenizer, "two", "two", options) == "1 3 4 4 2 cut");
  options.side = TruncationSide::kLeft;
  CHECK(encode(*tokenizer, "two", "two", options) == "1 4 4 3 2 cut");
  options.max_length = 2;
  CHECK_THROWS_CODE(encode(*tokenizer, "two", "two", options), ErrorCode::input_invalid);
}

TEST(pair_template_is_for_pairs_as_a_whole) {
  const auto tokenizer = tokenizer_with(template_of());
  Encoding out;
  std::vector<Window> windows;
  CHECK_THROWS_CODE(tokenizer->encode("one", std::nullopt, {}, out), ErrorCode::input_invalid);
  EncodeOptions options;
  options.windows = WindowedText::kSecond;
  CHECK_THROWS_CODE(tokenizer->encode_windows("one", "two", options, windows), ErrorCode::input_invalid);
  options = {};
  options.strategy = TruncationStrategy::kOnlySecond;
  CHECK_THROWS_CODE(encode(*tokenizer, "one", "two", options), ErrorCode::input_invalid);
  options = {};
  options.max_first = 3;
  CHECK_THROWS_CODE(encode(*tokenizer, "one", "two", options), ErrorCode::input_invalid);
}

TEST(pair_template_bounds_what_it_makes) {
  const auto tokenizer = tokenizer_with(template_of());
  const std::string half((size_t{128} << 20) + 1, ' ');
  CHECK_THROWS_CODE(encode(*tokenizer, half, half), ErrorCode::limit_exceeded);
}

}  // namespace
}  // namespace enc::test
