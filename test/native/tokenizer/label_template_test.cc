// Labels and a text in one: whose control tokens count, what is cut, and what windows hold.
#include "check.h"
#include "enc/error.h"
#include "fixtures.h"

namespace enc::test {
namespace {

/// [CLS] before each label and [SEP] behind the last, so that the post-processor's own stand around them.
std::unique_ptr<const Tokenizer> tokenizer_with(bool labels_first,
                                                std::string json = small_tokenizer_json()) {
  return Tokenizer::from_json(json, LabelTemplate{"[CLS]", "[SEP]", labels_first});
}

EncodeOptions with(std::vector<std::string> labels, size_t max_length = SIZE_MAX) {
  EncodeOptions options;
  options.labels = std::move(labels);
  options.max_length = max_length;
  return options;
}

std::string encode(const Tokenizer& tokenizer, std::string_view text, const EncodeOptions& options) {
  Encoding out;
  tokenizer.encode(text, std::nullopt, options, out);
  CHECK(out.type_ids.size() == out.ids.size());
  return join(out.ids) + (out.truncated ? " cut" : "");
}

std::string windows(const Tokenizer& tokenizer, std::string_view text, EncodeOptions options) {
  options.windows = WindowedText::kFirst;
  std::vector<Window> out;
  tokenizer.encode_windows(text, std::nullopt, options, out);
  std::string all;
  for (const Window& window : out) {
    all += std::to_string(window.begin) + "-" + std::to_string(window.end) + ": " +
           join(window.encoding.ids) + (window.encoding.truncated ? " cut; " : "; ");
  }
  return all;
}

TEST(label_template_puts_labels_before_the_text_or_behind_it) {
  CHECK(encode(*tokenizer_with(true), "two a", with({"one", "twos one"})) == "1 1 3 1 4 5 3 2 4 6 2");
  CHECK(encode(*tokenizer_with(false), "two a", with({"one", "twos one"})) == "1 4 6 1 3 1 4 5 3 2 2");
  CHECK(encode(*tokenizer_with(true), "", with({""})) == "1 1 2 2");
}

TEST(label_template_takes_its_own_control_tokens_and_not_the_callers) {
  const auto tokenizer = tokenizer_with(true);
  EncodeOptions options = with({"one [CLS]"});
  const std::string as_text = encode(*tokenizer, "two [SEP]", options);
  options.special_tokens = SpecialTokens::kParse;
  CHECK(encode(*tokenizer, "two [SEP]", options) == "1 1 3 1 2 4 2 2");
  CHECK(as_text.substr(0, 6) == "1 1 3 " && as_text != "1 1 3 1 2 4 2 2");
  options.special_tokens = SpecialTokens::kError;
  CHECK_THROWS_CODE(encode(*tokenizer, "two", options), ErrorCode::input_invalid);
  options.labels = {"one"};
  CHECK(encode(*tokenizer, "two", options) == "1 1 3 2 4 2");
  CHECK_THROWS_CODE(encode(*tokenizer, "two [SEP]", options), ErrorCode::input_invalid);
}

TEST(label_template_cuts_the_text_alone) {
  for (const bool labels_first : {true, false}) {
    const auto tokenizer = tokenizer_with(labels_first);
    const auto cut = [&](size_t max_length, TruncationSide side) {
      EncodeOptions options = with({"one"}, max_length);
      options.side = side;
      return encode(*tokenizer, "two a one two", options);
    };
    const std::string_view two_a = labels_first ? "1 1 3 2 4 6 2 cut" : "1 4 6 1 3 2 2 cut";
    const std::string_view one_two = labels_first ? "1 1 3 2 3 4 2 cut" : "1 3 4 1 3 2 2 cut";
    CHECK(cut(7, TruncationSide::kRight) == two_a);
    CHECK(cut(7, TruncationSide::kLeft) == one_two);
    CHECK(cut(9, TruncationSide::kRight).find("cut") == std::string::npos);
    CHECK_THROWS_CODE(cut(5, TruncationSide::kRight), ErrorCode::input_too_long);
    EncodeOptions bounded = with({"one"});
    bounded.max_first = 2;
    CHECK(encode(*tokenizer, "two a one two", bounded) == two_a);
  }
}

TEST(label_template_stands_in_every_window) {
  EncodeOptions options = with({"one"}, 8);
  options.overlap = 1;
  CHECK(windows(*tokenizer_with(true), "two a one two a", options) ==
        "0-3: 1 1 3 2 4 6 3 2; 2-5: 1 1 3 2 3 4 6 2; ");
  options.max_windows = 1;
  CHECK(windows(*tokenizer_with(false), "two a one two a", options) == "0-3: 1 4 6 3 1 3 2 2 cut; ");
  CHECK(windows(*tokenizer_with(true), "", with({"one"})) == "0-0: 1 1 3 2 2; ");
}

/// White space at the ends of a text is inside of the whole, whose ends alone a Strip sees.
TEST(label_template_tokenizes_text_and_labels_as_a_whole) {
  const std::string metaspace = R"({"version": "1.0", "added_tokens": [
      {"id": 1, "content": "<l>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false},
      {"id": 2, "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": true, "special": false}],
    "normalizer": {"type": "Strip", "strip_left": true, "strip_right": true},
    "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "never", "split": true},
    "post_processor": null,
    "model": {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0], ["<l>", -1], ["<s>", -1], ["▁", -2], ["a", -3], ["b", -3]]}})";
  const auto whole = Tokenizer::from_json(metaspace);
  const auto tokenizer = Tokenizer::from_json(metaspace, LabelTemplate{"<l>", "<s>", true});
  const auto behind = Tokenizer::from_json(metaspace, LabelTemplate{"<l>", "<s>", false});
  for (const std::string text : {" a ", "b", " ", ""}) {
    CHECK(encode(*tokenizer, text, with({"a", " b"})) == join(ids_of(*whole, "<l>a<l> b<s>" + text)));
    CHECK(encode(*behind, text, with({"a", " b"})) == join(ids_of(*whole, text + "<l>a<l> b<s>")));
  }
}

TEST(label_template_needs_labels_and_one_text) {
  const auto tokenizer = tokenizer_with(true);
  CHECK_THROWS_CODE(encode(*tokenizer, "one", {}), ErrorCode::input_invalid);
  Encoding out;
  CHECK_THROWS_CODE(tokenizer->encode("one", "two", with({"a"}), out), ErrorCode::input_invalid);
  std::vector<Window> none;
  CHECK_THROWS_CODE(tokenizer->encode_windows("one", "two", with({"a"}), none), ErrorCode::input_invalid);
}

TEST(label_template_refuses_control_tokens_behind_the_normalizer) {
  const std::string json = replaced(small_tokenizer_json(), R"("normalized": true, "special": false)",
                                    R"("normalized": true, "special": true)");
  CHECK_THROWS_CODE(tokenizer_with(true, json), ErrorCode::tokenizer_unsupported);
}

}  // namespace
}  // namespace enc::test
