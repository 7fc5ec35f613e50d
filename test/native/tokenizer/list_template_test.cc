// A query and its documents in one: what is cut, and what is taken out of them.
#include "tokenizer/list_template.h"
#include "check.h"
#include "enc/error.h"
#include "fixtures.h"
#include "tokenizer/byte_decoder.h"

namespace enc::test {
namespace {

/// One token for each byte of ASCII and of "é", and the marks <d> (300), <q> (301), and <c> (302).
std::string byte_tokenizer(const std::string& decoder = R"({"type": "ByteLevel"})") {
  std::string vocab, added;
  for (int c = 33; c < 127; c++) {
    const std::string quoted = c == '"' || c == '\\' ? std::string("\\") + char(c) : std::string(1, char(c));
    vocab += "\"" + quoted + "\": " + std::to_string(c) + ", ";
  }
  // Space, line break, and the two bytes of U+00E9.
  vocab += R"("Ġ": 32, "Ċ": 10, "Ã": 195, "©": 169)";
  int id = 300;
  for (const std::string mark : {"<d>", "<q>", "<c>"}) {
    vocab += ", \"" + mark + "\": " + std::to_string(id);
    added += id > 300 ? "," : "";
    added += R"({"id": )" + std::to_string(id++) + R"(, "content": ")" + mark;
    added +=
        R"(", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true})";
  }
  return R"({"version": "1.0", "added_tokens": [)" + added +
         R"(], "normalizer": null, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "use_regex": false},
    "post_processor": null, "decoder": )" +
         decoder + R"(, "model": {"type": "BPE", "vocab": {)" + vocab + R"(}, "merges": []}})";
}

ListTemplate layout() {
  using Slot = ListTemplate::Slot;
  ListTemplate result;
  result.plain = {{"", ":", "=", "<q>"}, {Slot::kCount, Slot::kDocuments, Slot::kQuery}};
  result.prompted = ListTemplate::Layout{{"", ":", "!", "=", "<q>"},
                                         {Slot::kCount, Slot::kPrompt, Slot::kDocuments, Slot::kQuery}};
  result.item = {"[", "]", "<d>"};
  result.separator = ",";
  result.document_mark = "<d>";
  result.query_mark = "<q>";
  result.max_query = 6;
  result.max_document = 8;
  return result;
}

std::unique_ptr<const Tokenizer> tokenizer(const std::string& json = byte_tokenizer()) {
  return Tokenizer::from_json(json, layout());
}

EncodeOptions with(std::vector<std::string> documents, std::string prompt = "") {
  EncodeOptions options;
  options.labels = std::move(documents);
  options.prompt = std::move(prompt);
  return options;
}

/// The tokens as text again.
std::string encode(std::string_view text, const EncodeOptions& options,
                   std::optional<std::string_view> pair = {}) {
  Encoding out;
  tokenizer()->encode(text, pair, options, out);
  CHECK(out.type_ids.size() == out.ids.size());
  std::string shown;
  for (const int32_t id : out.ids)
    shown += id == 300 ? "<D>" : id == 301 ? "<Q>" : id == 302 ? "<C>" : std::string(1, char(id));
  return shown + (out.truncated ? " cut" : "");
}

}  // namespace

TEST(list_template_puts_query_and_documents_into_one_text) {
  CHECK(encode("why", with({"one", "", "two"})) == "3:[0]one<D>,[1]<D>,[2]two<D>=why<Q>");
  CHECK(encode("", with({"a"}, "p")) == "1:p![0]a<D>=<Q>");
  CHECK(encode("why", {}, "one") == encode("why", with({"one"})));
  // A text alone is no list.
  CHECK(encode("why", {}) == "why");
}

TEST(list_template_takes_its_marks_out_of_the_callers_texts) {
  const std::string plain = encode("w", with({"ab", ""}, "p"));
  for (const SpecialTokens mode : {SpecialTokens::kText, SpecialTokens::kParse}) {
    EncodeOptions options = with({"a<d>b", "<<d>q>"}, "<q>p<d>");
    options.special_tokens = mode;
    options.max_first = 100;
    CHECK(encode("<q>w<d>", options) == plain);
  }
  const ListTemplate marks = layout();
  CHECK(without_marks(marks, "<<q>d><<<d>d>q><") == "<");
  CHECK(without_marks(marks, "<d") == "<d");
  std::string nested = "x";
  for (int i = 0; i < 100000; i++) nested.insert(0, "<");
  for (int i = 0; i < 100000; i++) nested += "d>";
  CHECK(without_marks(marks, nested).size() == nested.size());
}

TEST(list_template_takes_other_control_tokens_as_it_is_told) {
  EncodeOptions options = with({"<c>"});
  CHECK(encode("q", options) == "1:[0]<c><D>=q<Q>");
  options.special_tokens = SpecialTokens::kParse;
  CHECK(encode("q", options) == "1:[0]<C><D>=q<Q>");
  options.special_tokens = SpecialTokens::kError;
  CHECK_THROWS_CODE(encode("q", options), ErrorCode::input_invalid);
}

TEST(list_template_cuts_each_text_by_itself) {
  CHECK(encode("1234567", with({"123456789", "a"})) == "2:[0]12345678<D>,[1]a<D>=123456<Q> cut");
  EncodeOptions options = with({"12345", "a"});
  options.max_first = 2;
  options.max_second = 3;
  CHECK(encode("1234", options) == "2:[0]123<D>,[1]a<D>=12<Q> cut");
  options.side = TruncationSide::kLeft;
  CHECK(encode("1234", options) == "2:[0]345<D>,[1]a<D>=34<Q> cut");
  options.max_first = options.max_second = 100;
  CHECK(encode("1234567", options) == "2:[0]12345<D>,[1]a<D>=1234567<Q>");
  // In the middle of a character: what is left of it is no character, which this vocabulary does not have.
  options = with({"aaa\xC3\xA9"});
  options.max_second = 4;
  CHECK(encode("q", options) == "1:[0]aaa<D>=q<Q> cut");
}

TEST(list_template_cuts_a_document_that_is_alone_to_the_limit) {
  EncodeOptions options = with({"12345678"});
  options.max_length = 14;
  CHECK(encode("why", options) == "1:[0]123<D>=why<Q> cut");
  options.max_length = 10;
  CHECK_THROWS_CODE(encode("why", options), ErrorCode::input_too_long);
  options = with({"12345678", "a"});
  options.max_length = 21;
  CHECK_THROWS_CODE(encode("why", options), ErrorCode::input_too_long);
  options.max_length = 25;
  CHECK(encode("why", options).find("cut") == std::string::npos);
}

TEST(list_template_refuses_what_it_has_no_place_for) {
  EncodeOptions options = with({"a"});
  options.strategy = TruncationStrategy::kOnlySecond;
  CHECK_THROWS_CODE(encode("q", options), ErrorCode::input_invalid);
  CHECK_THROWS_CODE(encode("q", with({"a"}), "b"), ErrorCode::input_invalid);
  std::vector<Window> windows;
  CHECK_THROWS_CODE(tokenizer()->encode_windows("q", "a", {}, windows), ErrorCode::input_invalid);
  CHECK_THROWS_CODE(tokenizer(byte_tokenizer("null")), ErrorCode::tokenizer_unsupported);
  CHECK_THROWS_CODE(tokenizer(byte_tokenizer(R"({"type": "WordPiece"})")), ErrorCode::tokenizer_unsupported);
}

TEST(byte_decoder_gives_text_as_hugging_face_does) {
  const std::string json = byte_tokenizer();
  const JsonDocument document(json);
  const ByteDecoder decoder(document.root());
  const std::vector<int32_t> ids = {'a', 32, 10, 195, 169, 300, 195, 'b', 9999};
  CHECK(decoder.decode(ids.data(), ids.data() + ids.size()) ==
        std::string("a \n\xC3\xA9<d>\xEF\xBF\xBD") + "b");
}

}  // namespace enc::test
