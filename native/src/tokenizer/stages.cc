// Which class stands behind each component name of tokenizer.json.
#include "tokenizer/stages.h"

#include "enc/error.h"
#include "tokenizer/bert_normalizer.h"
#include "tokenizer/bert_pre_tokenizer.h"
#include "tokenizer/bpe.h"
#include "tokenizer/byte_level.h"
#include "tokenizer/metaspace.h"
#include "tokenizer/normal_forms.h"
#include "tokenizer/precompiled.h"
#include "tokenizer/split.h"
#include "tokenizer/text_normalizers.h"
#include "tokenizer/tweet_normalizer.h"
#include "tokenizer/unigram.h"
#include "tokenizer/word_piece.h"

namespace enc {
namespace {

/// U+FDFA, of three bytes, has the longest compatibility mapping: 33.
constexpr size_t kMaxGrowth = 64;
constexpr size_t kFreeBytes = size_t{64} << 10;
constexpr size_t kMaxGrownBytes = size_t{1} << 30;  // positions have 32 bits

class NoNormalizer : public Normalizer {
 public:
  bool normalize(std::string_view text, std::string& out) const override {
    out += text;
    return true;
  }
};

class NoPreTokenizer : public PreTokenizer {
 public:
  void split(Words&) const override {}
};

class PreTokenizerSequence : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(std::vector<std::unique_ptr<const PreTokenizer>> parts)
      : parts_(std::move(parts)) {}
  void split(Words& words) const override {
    const size_t before = words.text.size();
    for (const auto& part : parts_) {
      part->split(words);
      check_growth(before, words.text.size());
    }
  }

 private:
  std::vector<std::unique_ptr<const PreTokenizer>> parts_;
};

/// Each stage passes over all of a text, so that their number bounds the time that a byte takes. Published
/// tokenizers have a dozen.
constexpr size_t kMaxStages = 64;

/// `count`: the stages before this one.
void check_stage(JsonValue block, int depth, size_t& count) {
  if (depth > kMaxNesting) block.fail("is nested deeper than " + std::to_string(kMaxNesting) + " levels");
  if (++count > kMaxStages) block.fail("is one stage more than " + std::to_string(kMaxStages));
}

/// The model's type. Files written before the field existed are told apart by their other fields.
std::string_view model_type(JsonValue block) {
  if (const auto type = block.find("type")) return type->as_string();
  if (block.find("merges")) return "BPE";
  if (block.find("continuing_subword_prefix")) return "WordPiece";
  if (block.find("unk_id")) return "Unigram";
  return "without a type";
}

std::unique_ptr<const Normalizer> make_normalizer(JsonValue block, int depth, size_t& count) {
  check_stage(block, depth, count);
  if (block.is_null()) return std::make_unique<NoNormalizer>();
  const std::string_view type = block.at("type").as_string();
  if (type == "Sequence") {
    std::vector<std::unique_ptr<const Normalizer>> parts;
    block.at("normalizers").for_each_item([&](JsonValue part) {
      parts.push_back(make_normalizer(part, depth + 1, count));
    });
    return std::make_unique<NormalizerSequence>(std::move(parts));
  }
  if (type == "BertNormalizer") return std::make_unique<BertNormalizer>(block);
  if (type == "NFC") return std::make_unique<NormalForm>(false, true);
  if (type == "NFD") return std::make_unique<NormalForm>(false, false);
  if (type == "NFKC") return std::make_unique<NormalForm>(true, true);
  if (type == "NFKD") return std::make_unique<NormalForm>(true, false);
  if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  if (type == "Precompiled") return std::make_unique<Precompiled>(block);
  if (type == "TweetNormalizer") return std::make_unique<TweetNormalizer>(block);
  if (auto normalizer = make_text_normalizer(type, block)) return normalizer;
  fail_unsupported("normalizer", type,
                   "BertNormalizer, ByteLevel, Lowercase, NFC, NFD, NFKC, NFKD, Nmt, Precompiled, "
                   "Prepend, Replace, Sequence, Strip, StripAccents, TweetNormalizer, null");
}

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(JsonValue block, int depth, size_t& count) {
  check_stage(block, depth, count);
  if (block.is_null()) return std::make_unique<NoPreTokenizer>();
  const std::string_view type = block.at("type").as_string();
  if (type == "Sequence") {
    std::vector<std::unique_ptr<const PreTokenizer>> parts;
    block.at("pretokenizers").for_each_item([&](JsonValue part) {
      parts.push_back(make_pre_tokenizer(part, depth + 1, count));
    });
    return std::make_unique<PreTokenizerSequence>(std::move(parts));
  }
  if (type == "BertPreTokenizer") return std::make_unique<BertPreTokenizer>();
  if (type == "ByteLevel") return std::make_unique<ByteLevel>(block);
  if (type == "Metaspace") return std::make_unique<Metaspace>(block);
  if (auto split = make_split(type, block)) return split;
  fail_unsupported("pre_tokenizer", type,
                   "BertPreTokenizer, ByteLevel, CharDelimiterSplit, Digits, Metaspace, Punctuation, "
                   "Sequence, Split, Whitespace, WhitespaceSplit, null");
}

}  // namespace

void fail_unsupported(const std::string& stage, std::string_view type, const std::string& supported) {
  throw Error(ErrorCode::tokenizer_unsupported, "tokenizer.json: " + stage + " " +
                                                    std::string(type.substr(0, 60)) +
                                                    " is not supported; supported: " + supported);
}

void check_growth(size_t before, size_t after) {
  if (after <= kFreeBytes || (after <= kMaxGrownBytes && after / kMaxGrowth <= before)) return;
  throw Error(ErrorCode::limit_exceeded, "tokenizer.json: its stages make " + std::to_string(after) +
                                             " bytes or more of a text of " + std::to_string(before) +
                                             "; no real tokenizer comes near this");
}

std::unique_ptr<const Normalizer> make_normalizer(JsonValue block) {
  size_t count = 0;
  return make_normalizer(block, 0, count);
}

std::unique_ptr<const PreTokenizer> make_pre_tokenizer(JsonValue block) {
  size_t count = 0;
  return make_pre_tokenizer(block, 0, count);
}

std::unique_ptr<Model> make_model(JsonValue block) {
  const std::string_view type = model_type(block);
  if (type == "WordPiece") return std::make_unique<WordPiece>(block);
  if (type == "BPE") return std::make_unique<Bpe>(block);
  if (type == "Unigram") return std::make_unique<Unigram>(block);
  fail_unsupported("model", type, "BPE, Unigram, WordPiece");
}

}  // namespace enc
