// The model's hyperparameters as read from a GGUF file, each checked against its range. Every mechanism that
// the graph can compute is a value here; no architecture has a name of its own.
#pragma once

#include <cstdint>
#include <limits>
#include <vector>

#include "enc/batch.h"
#include "kernels/add_layer_norm/add_layer_norm.h"
#include "kernels/gated_delta_net/gated_delta_net.h"
#include "kernels/gemm/gemm.h"

namespace enc {

class GgufFile;

using kernels::Activation;
using kernels::NormKind;

/// Where the norms of a layer stand around f, its attention or its feed-forward part.
enum class NormPlacement {
  kPost,      ///< x = norm(x + f(x))
  kPre,       ///< x = x + f(norm(x)), with one more norm after the last layer
  kBranch,    ///< x = x + norm(f(x)), with one more norm after the last layer
  kSandwich,  ///< x = x + norm(f(norm(x))), with one more norm after the last layer
  kParallel,  ///< x = x + f(norm(x)) + g(norm(x)), with one more norm after the last layer
};

enum class PositionKind {
  kNone,
  kAbsolute,          ///< a table added to the embeddings
  kRelativeBias,      ///< kAbsolute, and a bias by distance added to every score
  kRelativeBiasOnly,  ///< that bias without the table
  kLinearBias,        ///< a bias that falls with the distance, in each head at a pace of its own
  kRope,              ///< queries and keys are rotated
  kDisentangled,      ///< scores of content against relative positions are added; a table is optional
};

/// How the classifier's rows make logits: each its own; or only one, the first's less the second's, or the
/// mean of the rows' numbers, counted from 1, weighed by the softmax of what they give.
enum class HeadScore { kRows, kDifference, kExpectation };

/// The token, or tokens, that the head reads.
enum class Pooling {
  kFirst,  ///< of a decoder the one in the place before the text
  kMean,
  kMeanSqrtLength,  ///< the sum over the root of the number of tokens
  kWeightedMean,    ///< the mean of all, of which the i-th counts i times
  kMax,             ///< of each value the largest
  kLast,            ///< the rightmost that is not padding
  kEos,             ///< the rightmost that ends a text
  kSeparator,       ///< the leftmost that parts labels and text; the first without one
  kText,            ///< the mean of those of the text that stands behind its labels
  kMarks,           ///< each that is marked: the head makes a vector of it
  kTokens,          ///< each that scores: likewise
  kLate,  ///< all of them: the head's dense layer runs on every token, and the classifier on their mean
};

/// What attention does differently from layer to layer.
struct LayerAttention {
  static constexpr size_t kUnlimited = std::numeric_limits<size_t>::max();
  size_t max_distance = kUnlimited;  ///< query i sees keys with |i - j| <= max_distance
  bool local = false;                ///< rotates with the local layers' frequencies
  bool linear = false;               ///< keeps a state in the place of what it has seen
  bool convolves = false;            ///< mixes tokens with the few around them, and does not attend
};

/// Layers that attend linearly, by the gated delta rule.
struct LinearAttentionHparams {
  uint32_t conv_width = 0;  ///< tokens that queries, keys and values are mixed of; 0: there are none
  uint32_t num_key_heads = 0;
  uint32_t num_value_heads = 0;  ///< a multiple of num_key_heads
  uint32_t head_size = 0;        ///< of queries, keys and values
  bool exists() const { return conv_width > 0; }
  uint32_t key_size() const { return num_key_heads * head_size; }
  uint32_t value_size() const { return num_value_heads * head_size; }
  /// Columns that the convolution reads.
  uint32_t mixed_size() const { return 2 * key_size() + value_size(); }
};

/// Layers that mix each token with those around it, by a gated convolution.
struct ShortConvHparams {
  uint32_t width = 0;  ///< tokens that it reads, the token itself among them; 0: there are no such layers
  uint32_t ahead = 0;  ///< those of them behind the token
  bool reads_unseen = false;  ///< also tokens that attention does not see
  bool exists() const { return width > 0; }
};

/// A second stack of layers. It reads the text's tokens moved by one to the right; each of them sees those
/// before it, and in every layer the encoder's last states as well. Norms, activation, positions and
/// embeddings are of the encoder's kinds. Where the head reads the first of them, no other is computed.
struct DecoderHparams {
  uint32_t num_layers = 0;  ///< 0: the model has no decoder
  uint32_t num_heads = 0;
  uint32_t head_size = 0;
  uint32_t intermediate_size = 0;
  float attention_scale = 0;
  int32_t start_token_id = 0;  ///< read in the place of the token before the first
  /// >= 0: there the text's own last token is read, padding in the text counted as if it stood at its end.
  int64_t wrap_pad_token_id = -1;
};

/// A convolution over the tokens' first states, which joins those that the first layer gives: x = norm(x +
/// activation(conv(states))).
struct ConvolutionHparams {
  uint32_t width = 0;  ///< tokens that it reads for each of them, an odd number; 0: the model has none
  Activation activation = Activation::kGeluErf;
};

/// How the states of a text and of a label become the label's logit.
enum class LabelScore {
  kNone,     ///< labels are rows of the classifier
  kProduct,  ///< by the classifier, of the product of the two, element by element
  kLayers,   ///< by layers that read the one beside the other
  kHalves,  ///< likewise, of projections twice as wide: their first halves and the product of the second ones
};

/// The head of a model that reads its labels and gives each of them a logit.
struct LabelHead {
  LabelScore score = LabelScore::kNone;
  MarkRule marks;
  Activation activation = Activation::kGeluErf;  ///< between the two projections of a state
  bool exists() const { return score != LabelScore::kNone; }
};

struct Hparams {
  uint32_t hidden_size = 0;
  uint32_t num_layers = 0;
  uint32_t num_heads = 0;
  uint32_t num_kv_heads = 0;  ///< divides num_heads
  uint32_t head_size = 0;
  uint32_t intermediate_size = 0;
  uint32_t embedding_size = 0;  ///< columns of the embedding tables; hidden_size unless they are factorised
  uint32_t max_positions = 0;
  /// >= 0: positions do not count this token, whose own is one more row of the table, behind max_positions.
  int64_t uncounted_token_id = -1;
  uint32_t vocab_size = 0;
  uint32_t num_token_types = 0;  ///< 0: the model has no segment embeddings
  /// Tokens around each whose embeddings are projected together, an odd number.
  uint32_t embedding_width = 1;
  uint32_t num_labels = 0;  ///< with kMarks and kTokens the size of a vector
  uint32_t max_length = 0;  ///< tokens per input, special tokens included

  NormKind norm_kind = NormKind::kLayer;
  NormPlacement norm_placement = NormPlacement::kPost;
  float norm_eps = 0;
  float embedding_scale = 1;
  /// >= 0: this token's row counts as zeros, and those of a text of which it is a share s are divided by 1 -
  /// s.
  int64_t dropped_token_id = -1;
  PositionKind position_kind = PositionKind::kAbsolute;
  Activation hidden_activation = Activation::kGeluErf;
  uint32_t narrow_size = 0;  ///< columns that layers work in between two projections; 0: those of the states
  uint32_t num_ffns = 1;     ///< feed-forward parts of a narrow layer, one after the other
  bool gated_ffn = false;    ///< activation(first half) * second half of ffn_up

  bool causal = false;
  float attention_scale = 0;
  float softcap = 0;                      ///< > 0: scores become softcap * tanh(score / softcap)
  std::vector<LayerAttention> attention;  ///< [num_layers]
  /// Every token sees a text's first one too, however far it is; and that one sees all, by projections of its
  /// own, and is what the head reads.
  bool first_is_global = false;
  /// What attention gives is multiplied by the sigmoid of a projection of its input.
  bool output_gate = false;
  LinearAttentionHparams linear_attention;
  ShortConvHparams short_conv;
  std::vector<uint32_t> layer_weights;  ///< [num_layers], the block whose weights a layer uses
  uint32_t num_blocks = 0;              ///< blocks of weights; num_layers unless layers share them

  std::vector<float> rope_inv_freq;        ///< [rotated columns of a head / 2]
  std::vector<float> rope_inv_freq_local;  ///< for local layers; empty: the same
  std::vector<float> rope_inv_freq_long;   ///< for texts of more than short_length tokens; empty: the same
  size_t short_length = std::numeric_limits<size_t>::max();
  float rope_attention_factor = 1;  ///< multiplied onto cos and sin
  bool turns_before_norms = false;  ///< queries and keys, which have RMS norms; else these come first

  /// [num_heads], kLinearBias: taken from a score for each token of distance.
  std::vector<float> bias_slopes;

  uint32_t position_buckets = 0;        ///< kDisentangled: logarithmic buckets, 0 for none
  uint32_t max_relative_positions = 0;  ///< kDisentangled
  bool content_to_position = false;     ///< kDisentangled: c2p
  bool position_to_content = false;     ///< kDisentangled: p2c
  /// [hidden_size / 2], kDisentangled: the embedding of a distance has the sines of these times it, then the
  /// cosines. Empty: the file has a table.
  std::vector<float> position_frequencies;
  /// kDisentangled: queries have a score for keys of other segments than their own.
  bool scores_segments = false;

  /// Matrices are f16 where their rows are no whole blocks of the type that the conversion was asked for.
  bool f16_stands_for_blocks = false;

  ConvolutionHparams convolution;
  DecoderHparams decoder;

  Pooling pooling = Pooling::kFirst;
  int64_t pad_token_id = -1;  ///< kLast reads the rightmost other token; < 0: the last one
  int32_t eos_token_id = 0;   ///< kEos reads the rightmost
  bool has_pooler = false;
  uint32_t pooled_size = 0;  ///< columns of what the classifier reads; hidden_size without a pooler
  Activation pooler_activation = Activation::kTanh;
  float pooler_norm_eps = 0;
  NormKind pooler_norm_kind = NormKind::kLayer;
  float logit_softcap = 0;  ///< > 0: what the classifier gives becomes cap * tanh(logit / cap)
  HeadScore score = HeadScore::kRows;
  uint32_t score_rows = 0;  ///< the classifier's rows that make the only logit; 0: each row makes its own
  LabelHead label_head;

  /// True when inputs say which of their tokens the head reads.
  bool reads_marks() const { return label_head.exists() || makes_vectors(); }
  /// True when it makes vectors of them and no logits.
  bool makes_vectors() const { return pooling == Pooling::kMarks || pooling == Pooling::kTokens; }
  bool pools_all_tokens() const {
    return label_head.exists() ||
           (pooling != Pooling::kFirst && pooling != Pooling::kLast && pooling != Pooling::kEos);
  }
  /// True when the states of a text's leading tokens do not depend on what comes after them, nor the head on
  /// their states: then texts that begin alike may share them.
  bool shares_prefixes() const {
    const bool reads_neighbours = convolution.width > 0 || embedding_width > 1;
    return causal && !has_decoder() && !reads_neighbours && position_kind != PositionKind::kDisentangled &&
           (pooling == Pooling::kLast || pooling == Pooling::kMarks);
  }
  /// They are a multiple of so many.
  size_t prefix_step() const { return linear_attention.exists() ? kernels::kTokensTogether : 1; }
  bool biases_scores() const {
    return position_kind == PositionKind::kRelativeBias || position_kind == PositionKind::kRelativeBiasOnly ||
           position_kind == PositionKind::kLinearBias;
  }
  /// True when what a text begins with is more than keys and values in some layers.
  bool keeps_states() const { return linear_attention.exists() || short_conv.exists(); }
  /// The first layer that attends to tokens, and not to a state of them; 0 where none does.
  uint32_t first_attending_layer() const {
    for (uint32_t i = 0; i < num_layers; i++)
      if (!attention[i].linear && !attention[i].convolves) return i;
    return 0;
  }
  /// True when all tokens count as those of one segment.
  bool has_one_segment() const { return num_token_types <= 1 && !scores_segments; }
  uint32_t position_rows() const { return max_positions + (uncounted_token_id < 0 ? 0 : 1); }
  bool has_decoder() const { return decoder.num_layers > 0; }
  bool decodes_start_only() const { return has_decoder() && pooling == Pooling::kFirst; }
  uint32_t classifier_rows() const { return score_rows > 0 ? score_rows : num_labels; }
  uint32_t query_size() const { return num_heads * head_size; }
  uint32_t kv_size() const { return num_kv_heads * head_size; }
  /// Rows of one half of the relative embeddings.
  uint32_t position_span() const { return position_buckets > 0 ? position_buckets : max_relative_positions; }
};

/// Throws Error(gguf_malformed) for impossible values, Error(architecture_unsupported) for mechanisms the
/// graph lacks.
Hparams read_hparams(const GgufFile& file);

}  // namespace enc
