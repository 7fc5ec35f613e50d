// A random encoder, with a decoder or without, as a GGUF file and in plain double loops.
#pragma once

#include <algorithm>
#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "enc/batch.h"
#include "gguf_builder.h"
#include "reference_delta_net.h"
#include "reference_parts.h"
#include "reference_relative.h"
#include "reference_short_conv.h"

namespace enc::test {

struct Shape {
  uint32_t hidden = 12, heads = 3, layers = 2, inner = 20, vocab = 30, positions = 16, types = 2, labels = 3;
  std::string activation = "gelu", pooler = "tanh";
  uint32_t pooled = 0;      // outputs of the pooler; 0: as many as it reads
  float head_norm_eps = 0;  // 0: no norm before the classifier
  uint32_t decoder_layers = 0, decoder_heads = 2, decoder_inner = 28, start = 5;
  int32_t wrap_pad = -1;    // the decoder starts with the text's last token, this one as padding
  bool start_only = false;  // the head reads the decoder's first token
  float embedding_scale = 1;
  int32_t dropped = -1;            // the token whose embedding is zero, and that others make up for
  std::vector<float> slopes = {};  // of a linear bias, in the place of positions
  uint32_t conv = 0;               // width of the convolution; 0: none
  std::string conv_activation = "gelu";
  uint32_t narrow = 0,
           ffns = 3;  // columns of narrow layers, 0: layers are not narrow; their feed-forward parts
  uint32_t embedding = 5, embedding_width = 1;  // columns and tokens of embeddings; width 1: `hidden` columns
  uint32_t window = 0;     // that tokens see beside the first one, which sees all; 0: all tokens do
  uint32_t reach = 0;      // largest distance that scores of relative positions tell apart; 0: there are none
  uint32_t segments = 0;   // that have scores of their own beside these
  int32_t uncounted = -1;  // the token whose position is the last row of their table
  uint32_t sines = 0;      // of a distance's embedding, 0: half of it
  bool causal = false;     // the head then reads the last token
  bool gated = false;      // what attention gives
  std::vector<uint32_t> linear = {};  // layers that attend linearly, all causal
  uint32_t key_heads = 1, value_heads = 2, linear_size = 6, linear_conv = 4;

  std::vector<uint32_t> convolving = {};  // layers with a short convolution
  uint32_t short_width = 3;
  bool short_biases = true;
  bool reads_unseen = false;
  int unseen = 0;  // last tokens of a text that no other sees, but for its first

  size_t num_keys(size_t tokens) const { return size_t(std::max(1, int(tokens) - unseen)); }
  uint32_t mixed_size() const { return (2 * key_heads + value_heads) * linear_size; }
  bool is_linear(const std::string& block) const { return is_one_of(linear, block); }
  bool is_convolving(const std::string& block) const { return is_one_of(convolving, block); }
  static bool is_one_of(const std::vector<uint32_t>& layers, const std::string& block) {
    return std::any_of(layers.begin(), layers.end(),
                       [&](uint32_t i) { return block == "blk." + std::to_string(i) + "."; });
  }

  /// What the decoder reads before `ids`.
  int32_t start_of(const std::vector<int32_t>& ids) const {
    if (wrap_pad < 0) return int32_t(start);
    return ids[ids.size() - size_t(std::count(ids.begin(), ids.end(), wrap_pad)) - 1];
  }
  /// The row of the position table for each token of a text.
  std::vector<int32_t> places_of(const std::vector<int32_t>& ids) const {
    std::vector<int32_t> places;
    int32_t next = 0;
    for (const int32_t id : ids) places.push_back(id == uncounted ? int32_t(positions) - 1 : next++);
    return places;
  }
  /// Columns of what the classifier reads.
  uint32_t width() const { return pooler == "none" || pooled == 0 ? hidden : pooled; }
  /// The token that the head reads where there is a decoder.
  int32_t eos() const { return int32_t(vocab) - 1; }
};

/// A random model both as GGUF bytes and as doubles.
class RandomModel {
 public:
  RandomModel(const Shape& s, unsigned seed) : shape(s), random_(seed) {
    builder_.str("general.architecture", "bert")
        .u32("bert.embedding_length", s.hidden)
        .u32("bert.block_count", s.layers)
        .u32("bert.attention.head_count", s.heads)
        .u32("bert.feed_forward_length", s.inner)
        .u32("bert.context_length", s.positions)
        .f32("bert.attention.layer_norm_epsilon", 1e-12f)
        .str("bert.hidden_activation", s.activation)
        .str("ggml_encoder.head.activation", s.pooler);
    if (s.embedding_width > 1) {
      builder_.u32("ggml_encoder.embedding_width", s.embedding_width);
      add("token_embd.weight", {s.embedding, s.vocab}, 1);
      add_linear("token_embd_proj", uint64_t(s.embedding) * s.embedding_width, s.hidden);
    } else {
      add("token_embd.weight", {s.hidden, s.vocab}, 1);
    }
    if (s.narrow > 0) {
      builder_.u32("ggml_encoder.narrow_size", s.narrow)
          .u32("ggml_encoder.ffn_count", s.ffns)
          .u32("bert.attention.key_length", s.narrow / s.heads);
    }
    if (s.window > 0) {
      builder_.u32("bert.attention.sliding_window", s.window)
          .boolean("ggml_encoder.attention.first_is_global", true);
    }
    if (s.dropped >= 0) {
      builder_.u32("ggml_encoder.dropped_token_id", uint32_t(s.dropped))
          .f32("bert.embedding_scale", s.embedding_scale);
    }
    if (s.causal) builder_.boolean("bert.attention.causal", true).str("ggml_encoder.head.pooling", "last");
    if (s.gated) builder_.boolean("ggml_encoder.attention.output_gate", true);
    if (!s.linear.empty()) {
      builder_.u32s("ggml_encoder.linear_attention.layers", s.linear)
          .u32("bert.ssm.conv_kernel", s.linear_conv)
          .u32("bert.ssm.group_count", s.key_heads)
          .u32("bert.ssm.time_step_rank", s.value_heads)
          .u32("bert.ssm.state_size", s.linear_size)
          .u32("bert.ssm.inner_size", s.value_heads * s.linear_size);
    }
    if (!s.convolving.empty()) {
      builder_.u32s("ggml_encoder.short_conv.layers", s.convolving)
          .u32("bert.shortconv.l_cache", s.short_width)
          .boolean("ggml_encoder.short_conv.reads_unseen", s.reads_unseen);
    }
    if (s.uncounted >= 0) builder_.u32("ggml_encoder.uncounted_token_id", uint32_t(s.uncounted));
    if (s.reach > 0) {
      builder_.str("ggml_encoder.position_kind", "disentangled")
          .strs("ggml_encoder.pos_att_type", {"c2p"})
          .u32("ggml_encoder.max_relative_positions", s.reach + 1)
          .f32s("ggml_encoder.position_frequencies", frequencies());
    } else if (s.slopes.empty()) {
      add("position_embd.weight", {s.hidden, s.positions}, 1);
    } else {
      builder_.str("ggml_encoder.position_kind", "linear-bias")
          .f32s("ggml_encoder.attention.bias_slopes", s.slopes);
    }
    if (s.types > 0) add("token_types.weight", {s.hidden, s.types}, 1);
    add_norm("token_embd_norm");
    for (uint32_t i = 0; i < s.layers; i++) {
      const std::string block = "blk." + std::to_string(i) + ".";
      s.narrow > 0 ? add_narrow_layer(block) : add_layer(block, s.inner);
      if (s.window > 0) {
        add_linear(block + "attn_global_q", s.hidden, s.hidden);
        add_linear(block + "attn_global_kv", s.hidden, 2 * uint64_t(s.hidden));
      }
      if (s.reach > 0) {
        add(block + "attn_pos_k.weight", {s.hidden, s.hidden}, 0.5);
        add(block + "attn_pos_query.bias", {s.hidden}, 0.5);
      }
      if (s.segments > 0) add_linear(block + "attn_segment", s.hidden, s.heads);
    }
    if (s.conv > 0) {
      builder_.u32("ggml_encoder.convolution.width", s.conv)
          .str("ggml_encoder.convolution.activation", s.conv_activation);
      add_linear("conv", uint64_t(s.conv) * s.hidden, s.hidden);
      add_norm("conv_norm");
    }
    if (s.decoder_layers > 0) add_decoder();
    if (s.pooler != "none") add_linear("cls", s.hidden, s.width());
    if (s.head_norm_eps > 0) {
      builder_.f32("ggml_encoder.head.layer_norm_epsilon", s.head_norm_eps);
      add_norm("cls.norm", s.width());
    }
    add_linear("cls.output", s.width(), s.labels);
  }

  GgufBuilder& builder() { return builder_; }
  std::vector<float> frequencies() const {
    std::vector<float> values;
    for (uint32_t i = 0; i < (shape.sines > 0 ? shape.sines : shape.hidden / 2); i++)
      values.push_back(2.0f / float(1 + i * i));
    return values;
  }
  const Matrix& at(const std::string& name) const { return tensors_.at(name); }

  Matrix linear(const std::string& name, const Matrix& x, size_t in, size_t out) const {
    const Matrix &w = at(name + ".weight"), &b = at(name + ".bias");
    Matrix y(x.size() / in * out);
    for (size_t r = 0; r < x.size() / in; r++) {
      for (size_t o = 0; o < out; o++) {
        double sum = b[o];
        for (size_t i = 0; i < in; i++) sum += x[r * in + i] * w[o * in + i];
        y[r * out + o] = sum;
      }
    }
    return y;
  }

  void norm(const std::string& name, Matrix& x, double eps = 1e-12) const {
    const size_t n = at(name + ".weight").size();
    for (size_t r = 0; r < x.size() / n; r++) {
      double mean = 0, variance = 0;
      for (size_t i = 0; i < n; i++) mean += x[r * n + i] / double(n);
      for (size_t i = 0; i < n; i++) variance += (x[r * n + i] - mean) * (x[r * n + i] - mean) / double(n);
      for (size_t i = 0; i < n; i++) {
        double& value = x[r * n + i];
        value = (value - mean) / std::sqrt(variance + eps) * at(name + ".weight")[i] + at(name + ".bias")[i];
      }
    }
  }

  const Shape shape;

 private:
  void add_layer(const std::string& block, uint32_t inner, bool sees_others = true) {
    if (shape.is_linear(block)) {
      add_delta_net(block);
    } else if (shape.is_convolving(block)) {
      add_short_conv(block + "shortconv.");
    } else {
      add_attention(block, sees_others);
    }
    add_norm(block + "attn_output_norm");
    add_linear(block + "ffn_up", shape.hidden, inner);
    add_linear(block + "ffn_down", inner, shape.hidden);
    add_norm(block + "layer_output_norm");
  }
  void add_attention(const std::string& block, bool sees_others) {
    const bool is_read = shape.window == 0 || block != "blk." + std::to_string(shape.layers - 1) + ".";
    if (sees_others && is_read)
      add_linear(block + "attn_qkv", shape.hidden, 3 * shape.hidden);
    else if (!sees_others)
      add_linear(block + "attn_v", shape.hidden, shape.hidden);
    if (shape.gated) add_linear(block + "attn_gate", shape.hidden, shape.hidden);
    add_linear(block + "attn_output", shape.hidden, shape.hidden);
  }
  void add_delta_net(const std::string& block) {
    const uint64_t values = uint64_t(shape.value_heads) * shape.linear_size;
    add_linear(block + "ssm_in", shape.hidden, shape.mixed_size() + values);
    add_linear(block + "ssm_ba", shape.hidden, 2 * uint64_t(shape.value_heads));
    add(block + "ssm_conv1d.weight", {shape.linear_conv, shape.mixed_size()}, 0.7);
    add(block + "ssm_a", {shape.value_heads}, 0.4, -0.5);
    add(block + "ssm_dt.bias", {shape.value_heads}, 1);
    add(block + "ssm_norm.weight", {shape.linear_size}, 0.2, 1);
    add_linear(block + "ssm_out", values, shape.hidden);
  }
  void add_short_conv(const std::string& name) {
    const auto bias = [&](const std::string& part, uint64_t size) {
      if (shape.short_biases)
        add(name + part + ".bias", {size}, 0.5);
      else
        tensors_[name + part + ".bias"] = Matrix(size);
    };
    add(name + "in_proj.weight", {shape.hidden, 3 * uint64_t(shape.hidden)}, 0.5);
    bias("in_proj", 3 * uint64_t(shape.hidden));
    add(name + "conv.weight", {shape.short_width, shape.hidden}, 0.7);
    bias("conv", shape.hidden);
    add(name + "out_proj.weight", {shape.hidden, shape.hidden}, 0.5);
    bias("out_proj", shape.hidden);
  }
  void add_narrow_layer(const std::string& block) {
    const uint32_t hidden = shape.hidden, narrow = shape.narrow;
    for (const char* name : {"narrow", "narrow_qk"}) {
      add_linear(block + name, hidden, narrow);
      add_norm(block + name + "_norm", narrow);
    }
    add_linear(block + "attn_qk", narrow, 2 * narrow);
    add_linear(block + "attn_v", hidden, narrow);
    add_linear(block + "attn_output", narrow, narrow);
    add_norm(block + "attn_output_norm", narrow);
    for (uint32_t i = 0; i < shape.ffns; i++) {
      const std::string part = block + "ffn." + std::to_string(i) + ".";
      add_linear(part + "up", narrow, shape.inner);
      add_linear(part + "down", shape.inner, narrow);
      add_norm(part + "norm", narrow);
    }
    add_linear(block + "widen", narrow, hidden);
    add_norm(block + "layer_output_norm");
  }
  void add_decoder() {
    builder_.u32("bert.decoder_block_count", shape.decoder_layers)
        .f32("bert.embedding_scale", shape.embedding_scale)
        .u32("ggml_encoder.decoder.head_count", shape.decoder_heads)
        .u32("ggml_encoder.decoder.feed_forward_length", shape.decoder_inner)
        .str("ggml_encoder.head.pooling", shape.start_only ? "cls" : "eos")
        .u32("ggml_encoder.head.eos_token_id", uint32_t(shape.eos()));
    if (shape.wrap_pad < 0)
      builder_.u32("bert.decoder_start_token_id", shape.start);
    else
      builder_.u32("ggml_encoder.decoder.wrap_pad_token_id", uint32_t(shape.wrap_pad));
    add("dec.position_embd.weight", {shape.hidden, shape.positions}, 1);
    add_norm("dec.token_embd_norm");
    for (uint32_t i = 0; i < shape.decoder_layers; i++) {
      const std::string block = "dec.blk." + std::to_string(i) + ".";
      add_layer(block, shape.decoder_inner, !shape.start_only);
      add_linear(block + "cross_attn_q", shape.hidden, shape.hidden);
      add_linear(block + "cross_attn_kv", shape.hidden, 2 * shape.hidden);
      add_linear(block + "cross_attn_output", shape.hidden, shape.hidden);
      add_norm(block + "cross_attn_output_norm");
    }
  }
  void add(const std::string& name, const std::vector<uint64_t>& ne, double spread, double offset = 0) {
    std::uniform_real_distribution<float> uniform(float(offset - spread), float(offset + spread));
    std::vector<float> data(ne[0] * (ne.size() > 1 ? ne[1] : 1));
    for (float& value : data) value = uniform(random_);
    tensors_[name] = Matrix(data.begin(), data.end());
    builder_.tensor(name, ne, data);
  }
  void add_linear(const std::string& name, uint64_t in, uint64_t out) {
    add(name + ".weight", {in, out}, 0.5);
    add(name + ".bias", {out}, 0.5);
  }
  void add_norm(const std::string& name) { add_norm(name, shape.hidden); }
  void add_norm(const std::string& name, uint64_t size) {
    add(name + ".weight", {size}, 0.2, 1);
    add(name + ".bias", {size}, 0.2);
  }

  std::mt19937 random_;
  GgufBuilder builder_;
  std::unordered_map<std::string, Matrix> tensors_;
};

inline Matrix embed(const RandomModel& m, const std::string& prefix, const std::vector<int32_t>& ids,
                    const int32_t* types) {
  const size_t hidden = m.shape.hidden, width = m.shape.embedding_width;
  const size_t columns = width > 1 ? m.shape.embedding : hidden;
  Matrix words;
  const double share = double(std::count(ids.begin(), ids.end(), m.shape.dropped)) / double(ids.size());
  for (const int32_t id : ids) {
    const double scale = id == m.shape.dropped ? 0 : m.shape.embedding_scale / (1 - share);
    for (size_t i = 0; i < columns; i++)
      words.push_back(scale * m.at("token_embd.weight")[size_t(id) * columns + i]);
  }
  if (width > 1)
    words = m.linear("token_embd_proj", neighbours(words, columns, width), columns * width, hidden);
  const std::vector<int32_t> places = m.shape.places_of(ids);
  Matrix x;
  for (size_t t = 0; t < ids.size(); t++) {
    for (size_t i = 0; i < hidden; i++) {
      double sum = words[t * hidden + i];
      if (m.shape.slopes.empty() && m.shape.reach == 0)
        sum += m.at(prefix + "position_embd.weight")[size_t(places[t]) * hidden + i];
      if (types != nullptr) sum += m.at("token_types.weight")[size_t(types[t]) * hidden + i];
      x.push_back(sum);
    }
  }
  m.norm(prefix + "token_embd_norm", x);
  return x;
}

/// Of a window and the first token.
inline Matrix near_attention(const RandomModel& m, const std::string& block, size_t heads, const Matrix& x) {
  const size_t hidden = m.shape.hidden;
  const Matrix qkv = m.linear(block + "attn_qkv", x, hidden, 3 * hidden);
  const auto part = [&](size_t index) { return columns(qkv, 3 * hidden, index * hidden, hidden); };
  return attention(part(0), part(1), part(2), hidden, heads, false, {}, m.shape.window / 2);
}

/// `encoded` is null for the encoder's own layers.
inline void run_layer(const RandomModel& m, const std::string& block, size_t heads, size_t inner,
                      const Matrix* encoded, const int32_t* segments, Matrix& x) {
  const size_t hidden = m.shape.hidden;
  Matrix own;
  if (m.shape.is_linear(block)) {
    own = linear_attention(m, block, x);
  } else if (m.shape.is_convolving(block)) {
    own = short_conv(m, block, x);
  } else if (m.shape.window > 0) {
    const Matrix first(x.begin(), x.begin() + ptrdiff_t(hidden));
    const Matrix kv = m.linear(block + "attn_global_kv", x, hidden, 2 * hidden);
    const Matrix seen = attention(m.linear(block + "attn_global_q", first, hidden, hidden),
                                  columns(kv, 2 * hidden, 0, hidden), columns(kv, 2 * hidden, hidden, hidden),
                                  hidden, heads, false);
    const bool is_last = block == "blk." + std::to_string(m.shape.layers - 1) + ".";
    own = is_last ? x : near_attention(m, block, heads, x);  // of the last layer one row is read
    std::copy(seen.begin(), seen.end(), own.begin());
  } else if (encoded != nullptr && m.shape.start_only) {
    own = m.linear(block + "attn_v", x, hidden, hidden);
  } else {
    const Matrix qkv = m.linear(block + "attn_qkv", x, hidden, 3 * hidden);
    const auto part = [&](size_t index) { return columns(qkv, 3 * hidden, index * hidden, hidden); };
    own = m.shape.reach > 0 ? relative_attention(m, block, x, qkv, segments)
                            : attention(part(0), part(1), part(2), hidden, heads,
                                        encoded != nullptr || m.shape.causal, m.shape.slopes);
    if (m.shape.gated) {
      const Matrix gate = m.linear(block + "attn_gate", x, hidden, hidden);
      for (size_t i = 0; i < own.size(); i++) own[i] /= 1 + std::exp(-gate[i]);
    }
  }
  add_to(x, m.shape.is_linear(block) || m.shape.is_convolving(block)
                ? own
                : m.linear(block + "attn_output", own, hidden, hidden));
  m.norm(block + "attn_output_norm", x);
  if (encoded != nullptr) {
    const Matrix q = m.linear(block + "cross_attn_q", x, hidden, hidden);
    const Matrix kv = m.linear(block + "cross_attn_kv", *encoded, hidden, 2 * hidden);
    const Matrix across = attention(q, columns(kv, 2 * hidden, 0, hidden),
                                    columns(kv, 2 * hidden, hidden, hidden), hidden, heads, false);
    add_to(x, m.linear(block + "cross_attn_output", across, hidden, hidden));
    m.norm(block + "cross_attn_output_norm", x);
  }
  Matrix up = m.linear(block + "ffn_up", x, hidden, inner);
  for (double& value : up) value = activate(m.shape.activation, value);
  add_to(x, m.linear(block + "ffn_down", up, inner, hidden));
  m.norm(block + "layer_output_norm", x);
}

/// act(conv(x)), a weight for each column of each of the tokens around one.
inline Matrix convolve(const RandomModel& m, const Matrix& x) {
  const size_t hidden = m.shape.hidden, width = m.shape.conv;
  Matrix y = m.linear("conv", neighbours(x, hidden, width), hidden * width, hidden);
  for (double& value : y) value = activate(m.shape.conv_activation, value);
  return y;
}

inline void run_narrow_layer(const RandomModel& m, const std::string& block, Matrix& x) {
  const Shape& s = m.shape;
  Matrix y = m.linear(block + "narrow", x, s.hidden, s.narrow);
  m.norm(block + "narrow_norm", y);
  Matrix shared = m.linear(block + "narrow_qk", x, s.hidden, s.narrow);
  m.norm(block + "narrow_qk_norm", shared);
  const Matrix qk = m.linear(block + "attn_qk", shared, s.narrow, 2 * size_t(s.narrow));
  const Matrix v = m.linear(block + "attn_v", x, s.hidden, s.narrow);
  const Matrix mixed =
      attention(columns(qk, 2 * size_t(s.narrow), 0, s.narrow),
                columns(qk, 2 * size_t(s.narrow), s.narrow, s.narrow), v, s.narrow, s.heads, false);
  add_to(y, m.linear(block + "attn_output", mixed, s.narrow, s.narrow));
  m.norm(block + "attn_output_norm", y);
  for (uint32_t i = 0; i < s.ffns; i++) {
    const std::string part = block + "ffn." + std::to_string(i) + ".";
    Matrix up = m.linear(part + "up", y, s.narrow, s.inner);
    for (double& value : up) value = activate(s.activation, value);
    add_to(y, m.linear(part + "down", up, s.inner, s.narrow));
    m.norm(part + "norm", y);
  }
  add_to(x, m.linear(block + "widen", y, s.narrow, s.hidden));
  m.norm(block + "layer_output_norm", x);
}

/// Logits of tokens [begin, end) of the batch.
inline Matrix reference(const RandomModel& m, const PackedBatch& batch, size_t begin, size_t end) {
  const Shape& s = m.shape;
  std::vector<int32_t> ids(batch.ids.begin() + ptrdiff_t(begin), batch.ids.begin() + ptrdiff_t(end));
  Matrix x = embed(m, "", ids, s.types > 0 ? &batch.type_ids[begin] : nullptr);
  const Matrix states = x;
  for (uint32_t i = 0; i < s.layers; i++) {
    const std::string block = "blk." + std::to_string(i) + ".";
    s.narrow > 0 ? run_narrow_layer(m, block, x)
                 : run_layer(m, block, s.heads, s.inner, nullptr, &batch.type_ids[begin], x);
    if (i == 0 && s.conv > 0) {
      add_to(x, convolve(m, states));
      m.norm("conv_norm", x);
    }
  }
  size_t pooled = s.causal ? ids.size() - 1 : 0;
  if (s.decoder_layers > 0) {
    for (size_t t = 0; t < ids.size(); t++) pooled = ids[t] == s.eos() ? t : pooled;
    const Matrix encoded = x;
    ids.insert(ids.begin(), s.start_of(ids));
    ids.pop_back();
    if (s.start_only) ids.resize(1), pooled = 0;
    x = embed(m, "dec.", ids, nullptr);
    for (uint32_t i = 0; i < s.decoder_layers; i++)
      run_layer(m, "dec.blk." + std::to_string(i) + ".", s.decoder_heads, s.decoder_inner, &encoded, nullptr,
                x);
  }
  x = Matrix(x.begin() + ptrdiff_t(pooled * s.hidden), x.begin() + ptrdiff_t((pooled + 1) * s.hidden));
  if (s.pooler != "none") {
    x = m.linear("cls", x, s.hidden, s.width());
    for (double& value : x) value = activate(s.pooler, value);
  }
  if (s.head_norm_eps > 0) m.norm("cls.norm", x, double(s.head_norm_eps));
  return m.linear("cls.output", x, s.width(), s.labels);
}

inline PackedBatch random_batch(const Shape& s, const std::vector<int>& lengths, unsigned seed) {
  std::mt19937 random(seed);
  PackedBatch batch;
  batch.cu_seqlens.push_back(0);
  for (const int length : lengths) {
    for (int p = 0; p < length; p++) {
      batch.ids.push_back(int32_t(random() % s.vocab));
      const uint32_t types = std::max(s.types, s.segments);
      batch.type_ids.push_back(types > 0 ? int32_t(random() % types) : 0);
    }
    const auto places = s.places_of({batch.ids.end() - length, batch.ids.end()});
    batch.positions.insert(batch.positions.end(), places.begin(), places.end());
    // The last of several ends is read, which need not be the last token.
    if (s.decoder_layers > 0) {
      int32_t* const ids = &batch.ids[batch.ids.size() - size_t(length)];
      for (int p = 0; p < length; p++) ids[p] = std::min(ids[p], s.eos() - 1);
      ids[0] = ids[length / 2] = s.eos();
      if (length % 2 == 0) ids[length - 1] = s.eos();
    }
    batch.cu_seqlens.push_back(int32_t(batch.ids.size()));
    if (s.unseen > 0) batch.key_counts.push_back(int32_t(s.num_keys(size_t(length))));
  }
  return batch;
}

}  // namespace enc::test
