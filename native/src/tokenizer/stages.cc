// Which class stands behind each component name of tokenizer.json.
#include "tokenizer/stages.h"

#include "enc/error.h"
#include "tokenizer/bert_normalizer.h"
#include "tokenizer/bert_pre_tokenizer.h"
#include "tokenizer/word_piece.h"

namespace enc {
namespace {

class NoNormalizer : public Normalizer {
 public:
  void normalize(std::string_view text, std::string& out) const override { out += text; }
};

/// The model's type. Files written before the field existed are told apart by their other fields.
std::string_view model_type(JsonValue block) {
  if (const auto type = block.find("type")) return type->as_string();
  if (block.find("merges")) return "BPE";
  if (block.find("continuing_subword_prefix")) return "WordPiece";
  return "without a type";
}

}  // namespace

void fail_unsupported(const std::string& stage, std::string_view type, const std::string& supported) {
  throw Error(ErrorCode::tokenizer_unsupported, "tokenizer.json: " + stage + " " +
                                                    std::string(type.substr(0, 60)) +
                                                    " is not supported; supported: " + supported);
}

std::unique_ptr<const Normalizer> make_normalizer(JsonValue block) {
  if (block.is_null()) return std::make_unique<NoNormalizer>();
  const std::string_view type = block.at("type").as_string();
  if (type == "BertNormalizer") return std::make_unique<BertNormalizer>(block);
  fail_unsupported("normalizer", type, "BertNormalizer, null");
}

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(JsonValue block) {
  const std::string_view type = block.is_null() ? "null" : block.at("type").as_string();
  if (type == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
  fail_unsupported("pre_tokenizer", type, "BertPreTokenizer");
}

std::unique_ptr<Model> make_model(JsonValue block) {
  const std::string_view type = model_type(block);
  if (type == "WordPiece") return std::make_unique<WordPiece>(block);
  fail_unsupported("model", type, "WordPiece");
}

}  // namespace enc
