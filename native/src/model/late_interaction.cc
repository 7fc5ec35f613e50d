#include "model/late_interaction.h"

#include <algorithm>

namespace enc {
namespace {

constexpr size_t kMaxPrefixBytes = 4096;

std::string name(const char* key) {
  return std::string("ggml_encoder.interaction.") + key;
}

InteractionTemplate::Side read_side(const GgufFile& file, const char* prefix, const char* length) {
  const std::string& text = file.string(name(prefix));
  if (text.size() > kMaxPrefixBytes) file.malformed("'" + name(prefix) + "' is too long");
  return {text, file.integer(name(length))};
}

void read_expansion(const GgufFile& file, const Hparams& h, InteractionTemplate& texts) {
  if (!file.has(name("expansion_token_id"))) return;
  texts.expansion_length = file.integer(name("expansion_length"));
  if (texts.expansion_length < 1 || texts.expansion_length > h.max_length)
    file.malformed("'" + name("expansion_length") + "' lies outside the model's " +
                   std::to_string(h.max_length) + " positions");
  const uint64_t id = file.integer(name("expansion_token_id"));
  if (id >= h.vocab_size) file.malformed("'" + name("expansion_token_id") + "' is no row of its embedding");
  texts.expansion_id = static_cast<int32_t>(id);
  texts.expansion_is_seen = file.boolean(name("expansion_attended"), false);
}

std::vector<int32_t> read_skip_ids(const GgufFile& file, const Hparams& h) {
  std::vector<int32_t> ids;
  if (!file.has(name("skip_token_ids"))) return ids;
  for (const double id : file.numbers(name("skip_token_ids"), h.vocab_size)) {
    if (!(id >= 0 && id < h.vocab_size) || id != int32_t(id))
      file.malformed("'" + name("skip_token_ids") + "' has an entry that is no token");
    ids.push_back(int32_t(id));
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

bool read_averages(const GgufFile& file) {
  const std::string similarity = file.string(name("similarity"));
  if (similarity != "maxsim" && similarity != "meanmaxsim")
    file.malformed("'" + name("similarity") + "' is neither maxsim nor meanmaxsim");
  return similarity == "meanmaxsim";
}

}  // namespace

std::optional<LateInteraction> read_late_interaction(const GgufFile& file, const Hparams& h) {
  if (h.pooling != Pooling::kTokens) return std::nullopt;
  LateInteraction result;
  result.texts.query = read_side(file, "query_prefix", "query_length");
  result.texts.document = read_side(file, "document_prefix", "document_length");
  read_expansion(file, h, result.texts);
  result.rule.vector_size = h.num_labels;
  result.rule.skip_ids = read_skip_ids(file, h);
  result.rule.skips_query_tokens = file.boolean(name("skips_query_tokens"), false);
  result.rule.normalizes = file.boolean(name("normalize"), true);
  result.rule.averages = read_averages(file);
  return result;
}

}  // namespace enc
