#include "model/hparams.h"

#include <algorithm>
#include <cmath>

#include "enc/error.h"
#include "model/hparams_reader.h"
#include "model/label_head.h"

namespace enc {
namespace {

void check_format_version(const GgufFile& file) {
  if (const uint64_t version = file.integer("ggml_encoder.format_version", 1); version != 1) {
    throw Error(
        ErrorCode::architecture_unsupported,
        "'" + file.path() + "' was written in format " + std::to_string(version) +
            " of ggml-encoder; this version reads format 1. Update the package or convert the model again");
  }
}

constexpr uint64_t kMaxHeadSize = 512;
constexpr int64_t kMaxVocabSize = 2097152;

/// Columns of each of `heads` heads that share those of the states.
uint32_t shared_head_size(const HparamsReader& reader, uint32_t hidden_size, uint32_t heads,
                          const char* whose) {
  if (hidden_size % heads != 0) {
    reader.file().malformed("the hidden size " + std::to_string(hidden_size) + " is no multiple of the " +
                            whose + "head count " + std::to_string(heads));
  }
  if (hidden_size / heads > kMaxHeadSize)
    reader.file().malformed("its heads have " + std::to_string(hidden_size / heads) + " columns");
  return hidden_size / heads;
}

void read_sizes(const HparamsReader& reader, Hparams& h) {
  h.hidden_size = reader.integer("embedding_length", 1, 16384);
  h.num_layers = reader.integer("block_count", 1, 256);
  h.num_heads = reader.integer("attention.head_count", 1, 256);
  h.num_kv_heads = reader.integer("attention.head_count_kv", 1, 256, h.num_heads);
  h.intermediate_size = reader.integer("feed_forward_length", 1, 131072);
  h.max_positions = reader.integer("context_length", 1, 1048576);
  if (h.num_heads % h.num_kv_heads != 0) {
    reader.file().malformed(std::to_string(h.num_heads) + " query heads cannot share " +
                            std::to_string(h.num_kv_heads) + " key heads");
  }
  if (reader.has("attention.key_length")) {
    h.head_size = reader.integer("attention.key_length", 1, kMaxHeadSize);
    if (reader.integer("attention.value_length", 1, kMaxHeadSize, h.head_size) != h.head_size)
      reader.unsupported("attention.value_length", "not the key length");
  } else {
    h.head_size = shared_head_size(reader, h.hidden_size, h.num_heads, "");
  }
}

void read_norms(const HparamsReader& reader, Hparams& h) {
  h.norm_kind = reader.word<NormKind>(
      "ggml_encoder.norm_kind",
      {{"layer", NormKind::kLayer}, {"rms", NormKind::kRms}, {"none", NormKind::kNone}});
  h.norm_placement =
      reader.word<NormPlacement>("ggml_encoder.norm_placement", {{"post", NormPlacement::kPost},
                                                                 {"pre", NormPlacement::kPre},
                                                                 {"branch", NormPlacement::kBranch},
                                                                 {"sandwich", NormPlacement::kSandwich},
                                                                 {"parallel", NormPlacement::kParallel}});
  const char* key =
      h.norm_kind == NormKind::kRms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
  const double eps = reader.file().number(reader.name(key));
  if (!(eps >= 0 && eps <= 1)) reader.file().malformed("the norms' epsilon is " + std::to_string(eps));
  h.norm_eps = float(eps);
}

void read_attention(const HparamsReader& reader, Hparams& h) {
  h.causal = reader.file().boolean(reader.name("attention.causal"), false);
  h.attention_scale = reader.number("attention.scale", 1e-6, 1e6, 1.0f / std::sqrt(float(h.head_size)));
  h.softcap = reader.number("attn_logit_softcapping", 1e-3, 1e6, 0);
  h.attention.resize(h.num_layers);
  if (!reader.has("attention.sliding_window")) return;
  const uint32_t window = reader.integer("attention.sliding_window", 1, uint64_t(1) << 31);
  const size_t distance = h.causal ? window - 1 : window / 2;
  const std::string local_layers = "ggml_encoder.attention.local_layers";
  std::vector<double> local;
  if (reader.has(local_layers)) {
    local = reader.file().numbers(local_layers, h.num_layers);
  } else {
    for (uint32_t i = 0; i < h.num_layers; i++) local.push_back(i);
  }
  for (const double layer : local) {
    if (!(layer >= 0 && layer < h.num_layers))
      reader.file().malformed("'" + local_layers + "' names a layer that the model does not have");
    h.attention[size_t(layer)] = {distance, true};
  }
}

std::vector<float> read_frequencies(const HparamsReader& reader, const std::string& key, const Hparams& h) {
  std::vector<float> frequencies = reader.factors(key, h.head_size / 2);
  if (frequencies.empty()) reader.file().malformed("'" + key + "' is empty");
  return frequencies;
}

/// base^(-2i / head size), what files of other converters mean by one number.
std::vector<float> plain_frequencies(const Hparams& h, float base) {
  std::vector<float> frequencies;
  for (uint32_t i = 0; i < h.head_size / 2; i++)
    frequencies.push_back(1.0f / std::pow(base, float(2 * i) / float(h.head_size)));
  return frequencies;
}

void read_rope(const HparamsReader& reader, Hparams& h) {
  if (h.head_size % 2 != 0) reader.file().malformed("heads of odd size cannot be rotated");
  const std::string key = "ggml_encoder.rope.inv_freq", local_key = "ggml_encoder.rope.inv_freq_local";
  const float base = reader.number("rope.freq_base", 1, 1e9, 10000);
  h.rope_inv_freq = reader.has(key) ? read_frequencies(reader, key, h) : plain_frequencies(h, base);
  if (reader.has(local_key)) {
    h.rope_inv_freq_local = read_frequencies(reader, local_key, h);
  } else if (reader.has("rope.freq_base_swa")) {
    h.rope_inv_freq_local = plain_frequencies(h, reader.number("rope.freq_base_swa", 1, 1e9, base));
  }
  if (!h.rope_inv_freq_local.empty() && h.rope_inv_freq_local.size() != h.rope_inv_freq.size())
    reader.file().malformed("local layers rotate another number of columns");
  const std::string long_key = "ggml_encoder.rope.inv_freq_long";
  if (reader.has(long_key)) {
    h.rope_inv_freq_long = read_frequencies(reader, long_key, h);
    h.short_length = reader.integer("rope.scaling.original_context_length", 1, uint64_t(1) << 31);
    if (h.rope_inv_freq_long.size() != h.rope_inv_freq.size())
      reader.file().malformed("long texts rotate another number of columns");
    if (!h.rope_inv_freq_local.empty())
      reader.unsupported(long_key, "set beside frequencies of local layers");
  }
  h.rope_attention_factor = reader.number("ggml_encoder.rope.attention_factor", 1e-3, 1e3, 1);
  const std::string before_norms = "ggml_encoder.rope.before_norms";
  h.turns_before_norms = reader.file().boolean(before_norms, false);
  if (h.turns_before_norms && h.norm_kind != NormKind::kRms)
    reader.unsupported(before_norms, "set beside norms other than RMS norms");
}

void read_bias_slopes(const HparamsReader& reader, Hparams& h) {
  const std::string key = "ggml_encoder.attention.bias_slopes";
  h.bias_slopes = reader.factors(key, h.num_heads);
  if (h.bias_slopes.size() != h.num_heads)
    reader.file().malformed("'" + key + "' has no entry for every head");
}

void read_disentangled(const HparamsReader& reader, Hparams& h) {
  // Positions have a projection for every head, which may be the rows that project the keys.
  if (h.num_kv_heads != h.num_heads)
    reader.unsupported("attention.head_count_kv", "fewer than the heads that score distances");
  h.position_buckets = reader.integer("ggml_encoder.position_buckets", 0, 16384, 0);
  h.max_relative_positions =
      reader.integer("ggml_encoder.max_relative_positions", 1, 1048576, h.max_positions);
  if (h.position_buckets == 1 ||
      (h.position_buckets > 0 && h.max_relative_positions - 1 <= h.position_buckets / 2))
    reader.file().malformed("the position buckets do not fit the relative positions");
  for (const std::string& type : reader.file().strings("ggml_encoder.pos_att_type")) {
    if (type == "c2p") {
      h.content_to_position = true;
    } else if (type == "p2c") {
      h.position_to_content = true;
    } else {
      reader.unsupported("ggml_encoder.pos_att_type", type);
    }
  }
  const std::string key = "ggml_encoder.position_frequencies";
  if (reader.has(key)) {
    h.position_frequencies = reader.factors(key, h.hidden_size / 2);
    if (h.hidden_size % 2 != 0 || h.position_frequencies.size() != h.hidden_size / 2)
      reader.file().malformed("'" + key + "' has no entry for every pair of columns");
    if (h.position_buckets > 0) reader.unsupported(key, "set beside buckets");
  }
  h.scores_segments = reader.file().find_tensor("blk.0.attn_segment.weight") != nullptr;
  const int terms = 1 + (h.content_to_position ? 1 : 0) + (h.position_to_content ? 1 : 0);
  h.attention_scale =
      reader.number("attention.scale", 1e-6, 1e6, 1.0f / std::sqrt(float(terms) * float(h.head_size)));
}

void read_positions(const HparamsReader& reader, Hparams& h) {
  h.position_kind = reader.word<PositionKind>("ggml_encoder.position_kind",
                                              {{"absolute", PositionKind::kAbsolute},
                                               {"rope", PositionKind::kRope},
                                               {"relative-bias", PositionKind::kRelativeBias},
                                               {"relative-bias-only", PositionKind::kRelativeBiasOnly},
                                               {"linear-bias", PositionKind::kLinearBias},
                                               {"disentangled", PositionKind::kDisentangled},
                                               {"none", PositionKind::kNone}});
  if (h.position_kind == PositionKind::kRope) read_rope(reader, h);
  if (h.position_kind == PositionKind::kLinearBias) read_bias_slopes(reader, h);
  if (h.position_kind == PositionKind::kDisentangled) read_disentangled(reader, h);
}

/// Read after all that such layers are not set beside.
void read_global_first(const HparamsReader& reader, Hparams& h) {
  const std::string key = "ggml_encoder.attention.first_is_global";
  h.first_is_global = reader.file().boolean(key, false);
  if (!h.first_is_global) return;
  const bool is_plain = h.position_kind == PositionKind::kAbsolute &&
                        h.norm_placement == NormPlacement::kPost && !h.causal && !h.has_decoder() &&
                        h.num_kv_heads == h.num_heads && h.num_blocks == h.num_layers && h.narrow_size == 0 &&
                        h.convolution.width == 0 && h.pooling == Pooling::kFirst && !h.label_head.exists();
  if (!is_plain) reader.unsupported(key, "set beside other positions, norms or heads");
}

/// The layers that `key` names.
std::vector<size_t> read_layers(const HparamsReader& reader, const Hparams& h, const std::string& key) {
  std::vector<size_t> layers;
  for (const double layer : reader.file().numbers(key, h.num_layers)) {
    if (!(layer >= 0 && layer < h.num_layers))
      reader.file().malformed("'" + key + "' names a layer that the model does not have");
    layers.push_back(size_t(layer));
  }
  return layers;
}

/// Whether layers may stand in it that do not attend.
bool may_mix_layers(const Hparams& h) {
  return !h.has_decoder() && h.num_blocks == h.num_layers && h.narrow_size == 0 && h.convolution.width == 0 &&
         h.embedding_width == 1 && !h.biases_scores() && h.position_kind != PositionKind::kDisentangled &&
         h.norm_placement != NormPlacement::kParallel;
}

/// Read after all that such layers are not set beside.
void read_linear_attention(const HparamsReader& reader, Hparams& h) {
  const std::string key = "ggml_encoder.linear_attention.layers";
  if (!reader.has(key)) return;
  for (const size_t layer : read_layers(reader, h, key)) h.attention[layer].linear = true;
  LinearAttentionHparams& linear = h.linear_attention;
  linear.conv_width = reader.integer("ssm.conv_kernel", 1, kernels::kMaxTaps);
  linear.num_key_heads = reader.integer("ssm.group_count", 1, 256);
  linear.num_value_heads = reader.integer("ssm.time_step_rank", 1, 256);
  linear.head_size = reader.integer("ssm.state_size", 1, kMaxHeadSize);
  if (linear.num_value_heads % linear.num_key_heads != 0) {
    reader.file().malformed(std::to_string(linear.num_value_heads) + " value heads cannot share " +
                            std::to_string(linear.num_key_heads) + " key heads");
  }
  if (reader.integer("ssm.inner_size", 1, 131072) != linear.value_size())
    reader.unsupported("ssm.inner_size", "not as many heads of values as of steps, of the size of its keys");
  if (!may_mix_layers(h) || !h.causal || h.pooling == Pooling::kTokens)
    reader.unsupported(key, "set beside other attention, positions, norms or heads");
}

/// Likewise.
void read_short_conv(const HparamsReader& reader, Hparams& h) {
  const std::string key = "ggml_encoder.short_conv.layers";
  if (!reader.has(key)) return;
  for (const size_t layer : read_layers(reader, h, key)) h.attention[layer].convolves = true;
  h.short_conv.width = reader.integer("shortconv.l_cache", 1, kernels::kMaxTaps);
  h.short_conv.ahead = h.causal ? 0 : (h.short_conv.width - 1) / 2;
  h.short_conv.reads_unseen = reader.file().boolean("ggml_encoder.short_conv.reads_unseen", false);
  if (!may_mix_layers(h) || h.linear_attention.exists())
    reader.unsupported(key, "set beside other attention, positions or norms");
}

void read_output_gate(const HparamsReader& reader, Hparams& h) {
  const std::string key = "ggml_encoder.attention.output_gate";
  h.output_gate = reader.file().boolean(key, false);
  if (h.output_gate && (h.has_decoder() || h.narrow_size > 0 || h.first_is_global))
    reader.unsupported(key, "set beside other attention");
}

void read_layer_weights(const HparamsReader& reader, Hparams& h) {
  const std::string key = "ggml_encoder.layer_weights";
  h.num_blocks = h.num_layers;
  for (uint32_t i = 0; i < h.num_layers; i++) h.layer_weights.push_back(i);
  if (!reader.has(key)) return;
  const std::vector<double> blocks = reader.file().numbers(key, h.num_layers);
  if (blocks.size() != h.num_layers) reader.file().malformed("'" + key + "' has no entry for every layer");
  h.num_blocks = 0;
  for (uint32_t i = 0; i < h.num_layers; i++) {
    // Blocks are numbered in the order of their first use, so that each of them has one.
    if (!(blocks[i] >= 0 && blocks[i] <= h.num_blocks))
      reader.file().malformed("'" + key + "' leaves out a block");
    h.layer_weights[i] = uint32_t(blocks[i]);
    h.num_blocks = std::max(h.num_blocks, h.layer_weights[i] + 1);
  }
}

void read_embeddings(const HparamsReader& reader, Hparams& h) {
  const GgufFile& file = reader.file();
  const GgufTensor* token_embd = file.find_tensor("token_embd.weight");
  if (token_embd == nullptr || token_embd->shape.size() != 2) {
    throw Error(ErrorCode::tensor_missing, "'" + file.path() + "' has no tensor token_embd.weight");
  }
  if (token_embd->shape[1] > kMaxVocabSize)
    file.malformed("its vocabulary has " + std::to_string(token_embd->shape[1]) + " tokens");
  h.vocab_size = uint32_t(token_embd->shape[1]);
  h.embedding_size =
      file.find_tensor("token_embd_proj.weight") == nullptr ? h.hidden_size : uint32_t(token_embd->shape[0]);
  if (h.embedding_size > 16384)
    file.malformed("embeddings of " + std::to_string(h.embedding_size) + " columns");
  if (const GgufTensor* types = file.find_tensor("token_types.weight"); types && types->shape.size() == 2) {
    h.num_token_types = uint32_t(types->shape[1]);
  }
  const std::string width = "ggml_encoder.embedding_width";
  h.embedding_width = reader.width(width, 1);
  if (h.embedding_width > 1 && h.position_kind != PositionKind::kAbsolute)
    reader.unsupported(width, "set beside other positions");
  if (h.embedding_width > 1 && file.find_tensor("token_embd_proj.weight") == nullptr)
    file.malformed("'" + width + "' is set, but nothing projects the embeddings");
  h.embedding_scale = reader.number("embedding_scale", 1e-3, 1e4, 1);
  const std::string uncounted = "ggml_encoder.uncounted_token_id";
  if (reader.has(uncounted)) {
    h.uncounted_token_id = reader.integer(uncounted, 0, h.vocab_size - 1);
    if (h.causal ||
        (h.position_kind != PositionKind::kAbsolute && h.position_kind != PositionKind::kRelativeBias))
      reader.unsupported(uncounted, "set beside causal attention or other positions");
    if (h.max_positions < 2) file.malformed("'" + uncounted + "' leaves no row of the position table");
    h.max_positions--;
  }
  const std::string dropped = "ggml_encoder.dropped_token_id";
  if (reader.has(dropped)) h.dropped_token_id = reader.integer(dropped, 0, h.vocab_size - 1);
  if (h.dropped_token_id >= 0 && h.causal) reader.unsupported(dropped, "set beside causal attention");
}

/// Layers that work in fewer columns than the states between them have know no other kind of attention, norms
/// or feed-forward part than these.
void read_narrow_layers(const HparamsReader& reader, Hparams& h) {
  const std::string key = "ggml_encoder.narrow_size";
  if (!reader.has(key)) return;
  h.narrow_size = reader.integer(key, 1, 16384);
  h.num_ffns = reader.integer("ggml_encoder.ffn_count", 1, 16, 1);
  const bool is_plain =
      (h.position_kind == PositionKind::kAbsolute || h.position_kind == PositionKind::kNone) &&
      h.norm_placement == NormPlacement::kPost && !h.gated_ffn && h.num_kv_heads == h.num_heads;
  if (!is_plain) reader.unsupported(key, "set beside other positions, norms or feed-forward parts");
}

void read_convolution(const HparamsReader& reader, Hparams& h) {
  h.convolution.width = reader.width("ggml_encoder.convolution.width", 0);
  if (h.convolution.width == 0) return;
  h.convolution.activation = reader.activation("ggml_encoder.convolution.activation");
}

/// Decoders have learned positions or a bias by distance, and norms before or after each part.
void read_decoder(const HparamsReader& reader, Hparams& h) {
  if (!reader.has("decoder_block_count")) return;
  DecoderHparams& decoder = h.decoder;
  decoder.num_layers = reader.integer("decoder_block_count", 1, 256);
  decoder.num_heads = reader.integer("ggml_encoder.decoder.head_count", 1, 256);
  decoder.intermediate_size = reader.integer("ggml_encoder.decoder.feed_forward_length", 1, 131072);
  const std::string wrap_key = "ggml_encoder.decoder.wrap_pad_token_id";
  if (!reader.has(wrap_key)) {
    decoder.start_token_id = int32_t(reader.integer("decoder_start_token_id", 0, h.vocab_size - 1));
  } else if (!reader.has("decoder_start_token_id")) {
    decoder.wrap_pad_token_id = reader.integer(wrap_key, 0, h.vocab_size - 1);
  } else {
    reader.file().malformed("its decoder has two tokens to start with");
  }
  if (reader.has("attention.key_length")) {
    decoder.head_size = h.head_size;
  } else {
    decoder.head_size = shared_head_size(reader, h.hidden_size, decoder.num_heads, "decoder's ");
  }
  decoder.attention_scale =
      reader.number("attention.scale", 1e-6, 1e6, 1.0f / std::sqrt(float(decoder.head_size)));
  const bool is_plain =
      (h.position_kind == PositionKind::kAbsolute || h.position_kind == PositionKind::kRelativeBiasOnly) &&
      (h.norm_placement == NormPlacement::kPost || h.norm_placement == NormPlacement::kPre) && !h.causal &&
      h.embedding_size == h.hidden_size && h.softcap == 0 && h.convolution.width == 0 && h.narrow_size == 0;
  if (!is_plain) reader.unsupported("decoder_block_count", "set beside other positions or norms");
}

void read_head(const HparamsReader& reader, Hparams& h) {
  const GgufFile& file = reader.file();
  const GgufTensor* classifier = file.find_tensor("cls.output.weight");
  if (classifier == nullptr) {
    throw Error(ErrorCode::tensor_missing,
                "'" + file.path() +
                    "' has no classification head (cls.output.weight); convert a checkpoint "
                    "of a *ForSequenceClassification class");
  }
  h.num_labels = classifier->shape.size() > 1 ? uint32_t(classifier->shape[1]) : 1;
  h.logit_softcap = reader.number("final_logit_softcapping", 1e-3, 1e6, 0);
  if (h.num_labels > 65536) file.malformed("the head has " + std::to_string(h.num_labels) + " labels");
  h.score = reader.word<HeadScore>("ggml_encoder.head.score", {{"rows", HeadScore::kRows},
                                                               {"difference", HeadScore::kDifference},
                                                               {"expectation", HeadScore::kExpectation}});
  if (h.score != HeadScore::kRows) {
    if (h.num_labels < 2 || (h.num_labels > 2 && h.score == HeadScore::kDifference))
      file.malformed("the " + file.string("ggml_encoder.head.score") + " of " + std::to_string(h.num_labels) +
                     " rows is no score");
    h.score_rows = h.num_labels;
    h.num_labels = 1;
  }
  h.pooling = reader.word<Pooling>("ggml_encoder.head.pooling", {{"cls", Pooling::kFirst},
                                                                 {"mean", Pooling::kMean},
                                                                 {"mean_sqrt_len", Pooling::kMeanSqrtLength},
                                                                 {"weighted_mean", Pooling::kWeightedMean},
                                                                 {"max", Pooling::kMax},
                                                                 {"last", Pooling::kLast},
                                                                 {"eos", Pooling::kEos},
                                                                 {"late", Pooling::kLate},
                                                                 {"separator", Pooling::kSeparator},
                                                                 {"text", Pooling::kText},
                                                                 {"marks", Pooling::kMarks},
                                                                 {"tokens", Pooling::kTokens}});
  if (h.causal && h.pooling == Pooling::kFirst) file.malformed("a causal model's first token sees no other");
  if (h.pooling == Pooling::kEos)
    h.eos_token_id = int32_t(reader.integer("ggml_encoder.head.eos_token_id", 0, h.vocab_size - 1));
  if (reader.has("ggml_encoder.head.pad_token_id"))
    h.pad_token_id = reader.integer("ggml_encoder.head.pad_token_id", 0, (uint64_t(1) << 31) - 1);

  const GgufTensor* pooler = file.find_tensor("cls.weight");
  h.has_pooler = pooler != nullptr;
  h.pooled_size = h.hidden_size;
  if (h.has_pooler && pooler->shape.size() == 2) {
    if (pooler->shape[1] > 16384)
      file.malformed("the head is " + std::to_string(pooler->shape[1]) + " values wide");
    h.pooled_size = uint32_t(pooler->shape[1]);
  }
  h.pooler_norm_eps = reader.number("ggml_encoder.head.layer_norm_epsilon", 0, 1, h.norm_eps);
  h.pooler_norm_kind = reader.word<NormKind>("ggml_encoder.head.norm_kind",
                                             {{"layer", NormKind::kLayer}, {"rms", NormKind::kRms}});
  const std::string key = "ggml_encoder.head.activation";
  if (reader.has(key) && h.has_pooler != (file.string(key) != "none"))
    file.malformed("the head activation '" + file.string(key) + "' contradicts its tensors");
  h.pooler_activation = reader.activation(
      key, {{"tanh", Activation::kTanh}, {"identity", Activation::kNone}, {"none", Activation::kNone}});
}

/// A model that makes a vector of each token that is marked, which then is causal, or of each that scores.
void read_vector_head(const HparamsReader& reader, const Hparams& h) {
  if (!h.makes_vectors()) return;
  const bool is_causal_enough = h.causal || h.pooling == Pooling::kTokens;
  if (!is_causal_enough || h.has_decoder() || h.first_is_global || h.label_head.exists() ||
      h.score_rows > 0 || h.logit_softcap > 0)
    reader.unsupported("ggml_encoder.head.pooling", reader.file().string("ggml_encoder.head.pooling") +
                                                        ", set beside another head or attention");
  if (h.pooling == Pooling::kTokens && !h.rope_inv_freq_long.empty())
    reader.unsupported("ggml_encoder.head.pooling", "tokens, of texts that are long or short");
  if (h.num_labels > 16384)
    reader.file().malformed("its vectors have " + std::to_string(h.num_labels) + " values");
}

}  // namespace

Hparams read_hparams(const GgufFile& file) {
  check_format_version(file);
  const HparamsReader reader(file);
  Hparams h;
  read_sizes(reader, h);
  read_norms(reader, h);
  read_attention(reader, h);
  read_positions(reader, h);
  read_layer_weights(reader, h);
  h.hidden_activation = reader.activation("hidden_activation");
  h.gated_ffn = reader.word<bool>("ggml_encoder.ffn_kind", {{"mlp", false}, {"glu", true}});
  h.f16_stands_for_blocks = reader.word<bool>("ggml_encoder.requested_type",
                                              {{"", false}, {"q8_0", true}, {"q5_0", true}, {"q4_0", true}});
  read_embeddings(reader, h);
  read_narrow_layers(reader, h);
  read_convolution(reader, h);
  read_decoder(reader, h);
  read_head(reader, h);
  read_label_head(reader, h);
  read_global_first(reader, h);
  read_vector_head(reader, h);
  read_linear_attention(reader, h);
  read_short_conv(reader, h);
  read_output_gate(reader, h);
  h.max_length =
      std::min(h.max_positions, reader.integer("ggml_encoder.max_length", 3, 1048576, h.max_positions));
  // No text is long.
  if (h.max_length <= h.short_length) h.rope_inv_freq_long.clear();
  return h;
}

}  // namespace enc
