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

/// Bytes of ASCII and of "é" by their numbers, and what is joined of them: 300 "b\n", 301 ":\n", 302 ":\n\n",
/// 303 " a", 304 "- b". 310 is <s>, which the post-processor puts before a text, and 311 <c>.
std::string byte_tokenizer(const std::string& model = "BPE", const std::string& more = "") {
  std::string vocab = R"("Ġ": 32, "Ċ": 10, "Ã": 195, "©": 169, "bĊ": 300, ":Ċ": 301, ":ĊĊ": 302, "Ġa": 303, )"
                      R"("-Ġ": 305, "-Ġb": 304, "<s>": 310, "<c>": 311)";
  for (int c = 33; c < 127; c++) {
    const std::string quoted = c == '"' || c == '\\' ? std::string("\\") + char(c) : std::string(1, char(c));
    vocab += ", \"" + quoted + "\": " + std::to_string(c);
  }
  const auto added = [](const std::string& content, int id) {
    return R"({"id": )" + std::to_string(id) + R"(, "content": ")" + content +
           R"(", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})";
  };
  return R"({"version": "1.0", "added_tokens": [)" + added("<s>", 310) + "," + added("<c>", 311) + more +
         R"(], "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
    "post_processor": {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
      {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<c>", "type_id": 0}}],
      "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}],
      "special_tokens": {"<s>": {"ids": [310]}, "<c>": {"ids": [311]}}},
    "decoder": null, "model": {"type": ")" +
         model + R"(", "vocab": {)" + vocab +
         R"(}, "merges": [["b", "Ċ"], [":", "Ċ"], [":Ċ", "Ċ"], ["Ġ", "a"], ["-", "Ġ"], ["-Ġ", "b"]]}})";
}

/// "L:\n- one\n- two\n\nT:\n" and the text.
std::unique_ptr<const Tokenizer> listing(const std::string& json = byte_tokenizer()) {
  LabelTemplate layout{"- ", "\nT:\n"};
  layout.marks_are_tokens = false;
  layout.opening = "L:\n";
  layout.label_end = "\n";
  return Tokenizer::from_json(json, layout);
}

std::string spans_of(const Encoding& encoding) {
  std::string all;
  for (const TokenSpan& span : encoding.spans)
    all += std::to_string(span.begin) + "-" + std::to_string(span.end) + " ";
  return all;
}

std::string spans(std::string_view text, const EncodeOptions& options,
                  const std::string& json = byte_tokenizer()) {
  Encoding out;
  listing(json)->encode(text, std::nullopt, options, out);
  CHECK(out.type_ids.size() == out.ids.size());
  return spans_of(out) + std::to_string(out.ids.size()) + (out.truncated ? " cut" : "");
}

TEST(label_template_of_text_tells_what_holds_labels_and_text) {
  Encoding out;
  listing()->encode("x", std::nullopt, with({"xy", "z"}), out);
  CHECK(join(out.ids) == "310 76 301 305 120 121 10 305 122 10 10 84 301 120 311");
  CHECK(spans_of(out) == "4-6 8-9 13-14 ");
  // The mark's token, and one with the line break, hold some of the label.
  CHECK(spans("x", with({"b"})) == "4-5 8-9 10");
  CHECK(spans("x", with({"bx"})) == "3-5 9-10 11");
  // One character of two tokens, and an end beside one.
  CHECK(spans("\u00e9", with({"x\u00e9", "\u00e9"})) == "4-7 9-11 15-17 18");
  // Nothing holds an empty label, unless a token goes on on both sides of it.
  CHECK(spans("x", with({"", "y"})) == "0-0 6-7 11-12 13");
  // A text that begins in a token of what stands before it, one without tokens, and one with control tokens.
  CHECK(spans("\nx", with({"x"})) == "4-5 8-10 11");
  CHECK(spans("", with({"x"})) == "4-5 0-0 10");
  EncodeOptions parsed = with({"x<c>"});
  parsed.special_tokens = SpecialTokens::kParse;
  CHECK(spans("<s>a", parsed) == "4-6 10-12 13");
  CHECK(spans("<s>a", with({"x<c>"})) == "4-8 12-16 17");
}

TEST(label_template_of_text_cuts_the_text_alone) {
  EncodeOptions options = with({"x"}, 13);
  CHECK(spans("1234", options) == "4-5 9-12 13 cut");
  CHECK(spans("123", options) == "4-5 9-12 13");
  Encoding out;
  options.side = TruncationSide::kLeft;
  listing()->encode("\n1234", std::nullopt, options, out);
  // The line break's token stays, as it holds some of what stands before the text.
  CHECK(join(out.ids) == "310 76 301 305 120 10 10 84 302 50 51 52 311");
  CHECK(out.truncated);
  CHECK(spans_of(out) == "4-5 8-12 ");
  options.side = TruncationSide::kRight;
  options.max_first = 2;
  CHECK(spans("1234", options) == "4-5 9-11 12 cut");
  // Eleven tokens are the labels' and the post-processor's.
  CHECK(spans("1", with({"x"}, 11)) == "4-5 9-10 11");
  CHECK_THROWS_CODE(spans("1", with({"x"}, 10)), ErrorCode::input_too_long);
  CHECK_THROWS_CODE(spans("", with({"x"}, 10)), ErrorCode::input_too_long);
  CHECK_THROWS_CODE(spans("\n", with({"x"}, 10)), ErrorCode::input_too_long);
}

TEST(label_template_of_text_stands_in_every_window) {
  EncodeOptions options = with({"x"}, 13);
  options.windows = WindowedText::kFirst;
  options.overlap = 1;
  std::vector<Window> out;
  listing()->encode_windows("\n12345", std::nullopt, options, out);
  CHECK(out.size() == 2 && out[1].begin == 2 && out[1].end == 5);
  for (const Window& window : out) CHECK(spans_of(window.encoding) == "4-5 8-12 ");
  CHECK(join(out[1].encoding.ids) == "310 76 301 305 120 10 10 84 302 51 52 53 311");
}

TEST(label_template_of_text_refuses_a_control_token_that_takes_in_spaces) {
  const auto json = [](const char* special) {
    return byte_tokenizer("BPE", R"(, {"id": 312, "content": "<m>", "single_word": false, "lstrip": true,
      "rstrip": false, "normalized": false, "special": )" +
                                     std::string(special) + "}");
  };
  EncodeOptions options = with({"x <m>"});
  CHECK(spans("y", options, json("true")) == "4-9 13-14 15");
  options.special_tokens = SpecialTokens::kParse;
  CHECK_THROWS_CODE(spans("y", options, json("true")), ErrorCode::input_invalid);
  options.labels = {"x"};
  CHECK_THROWS_CODE(spans("a <m>", options, json("true")), ErrorCode::input_invalid);
  CHECK(spans("y", options, json("true")) == "4-5 9-10 11");
  // Texts have it without being asked.
  CHECK_THROWS_CODE(listing(json("false")), ErrorCode::tokenizer_unsupported);
}

TEST(label_template_of_text_needs_tokens_that_are_bytes) {
  CHECK_THROWS_CODE(listing(small_tokenizer_json()), ErrorCode::tokenizer_unsupported);
  // An added token of two bytes that the vocabulary has for one.
  const std::string more = R"(, {"id": 195, "content": "Ã", "single_word": false, "lstrip": false,
    "rstrip": false, "normalized": false, "special": false})";
  CHECK_THROWS_CODE(listing(byte_tokenizer("BPE", more)), ErrorCode::tokenizer_unsupported);
  // A byte that the vocabulary does not have is left out.
  CHECK_THROWS_CODE(spans("\u00ea", with({"x"})), ErrorCode::tokenizer_unsupported);
  const std::string spaced =
      replaced(byte_tokenizer(), "\"add_prefix_space\": false", "\"add_prefix_space\": true");
  CHECK_THROWS_CODE(spans("x", with({"x"}), spaced), ErrorCode::tokenizer_unsupported);
}

}  // namespace
}  // namespace enc::test
