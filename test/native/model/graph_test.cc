// The encoder graph, in stock operations and in our kernels, against the same encoder in plain double loops.
#include "graph/graph_runner.h"

#include <atomic>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>

#include "backends/cpu/kernel_ops.h"
#include "check.h"
#include "enc/error.h"
#include "ggml-cpu.h"
#include "gguf_builder.h"
#include "graph/portable_ops.h"

namespace enc::test {
namespace {

struct Shape {
  uint32_t hidden = 12, heads = 3, layers = 2, inner = 20, vocab = 30, positions = 16, types = 2, labels = 3;
  std::string activation = "gelu", pooler = "tanh";
};

using Matrix = std::vector<double>;  // row-major

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
    add("token_embd.weight", {s.hidden, s.vocab}, 1);
    add("position_embd.weight", {s.hidden, s.positions}, 1);
    if (s.types > 0) add("token_types.weight", {s.hidden, s.types}, 1);
    add_norm("token_embd_norm");
    for (uint32_t i = 0; i < s.layers; i++) {
      const std::string block = "blk." + std::to_string(i) + ".";
      add_linear(block + "attn_qkv", s.hidden, 3 * s.hidden);
      add_linear(block + "attn_output", s.hidden, s.hidden);
      add_norm(block + "attn_output_norm");
      add_linear(block + "ffn_up", s.hidden, s.inner);
      add_linear(block + "ffn_down", s.inner, s.hidden);
      add_norm(block + "layer_output_norm");
    }
    if (s.pooler != "none") add_linear("cls", s.hidden, s.hidden);
    add_linear("cls.output", s.hidden, s.labels);
  }

  GgufBuilder& builder() { return builder_; }
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

  void norm(const std::string& name, Matrix& x) const {
    const size_t n = shape.hidden;
    for (size_t r = 0; r < x.size() / n; r++) {
      double mean = 0, variance = 0;
      for (size_t i = 0; i < n; i++) mean += x[r * n + i] / double(n);
      for (size_t i = 0; i < n; i++) variance += (x[r * n + i] - mean) * (x[r * n + i] - mean) / double(n);
      for (size_t i = 0; i < n; i++) {
        double& value = x[r * n + i];
        value =
            (value - mean) / std::sqrt(variance + 1e-12) * at(name + ".weight")[i] + at(name + ".bias")[i];
      }
    }
  }

  const Shape shape;

 private:
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
  void add_norm(const std::string& name) {
    add(name + ".weight", {shape.hidden}, 0.2, 1);
    add(name + ".bias", {shape.hidden}, 0.2);
  }

  std::mt19937 random_;
  GgufBuilder builder_;
  std::unordered_map<std::string, Matrix> tensors_;
};

double activate(const std::string& name, double x) {
  if (name == "relu") return std::max(0.0, x);
  if (name == "silu") return x / (1 + std::exp(-x));
  if (name == "tanh") return std::tanh(x);
  if (name == "gelu_new" || name == "gelu_pytorch_tanh")
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
}

Matrix attention(const Matrix& qkv, size_t tokens, size_t hidden, size_t heads) {
  const size_t size = hidden / heads;
  Matrix out(tokens * hidden);
  for (size_t head = 0; head < heads; head++) {
    for (size_t i = 0; i < tokens; i++) {
      std::vector<double> weights(tokens);
      double total = 0;
      for (size_t j = 0; j < tokens; j++) {
        double dot = 0;
        for (size_t d = 0; d < size; d++) {
          dot += qkv[i * 3 * hidden + head * size + d] * qkv[j * 3 * hidden + hidden + head * size + d];
        }
        total += weights[j] = std::exp(dot / std::sqrt(double(size)));
      }
      for (size_t j = 0; j < tokens; j++) {
        for (size_t d = 0; d < size; d++) {
          out[i * hidden + head * size + d] +=
              weights[j] / total * qkv[j * 3 * hidden + 2 * hidden + head * size + d];
        }
      }
    }
  }
  return out;
}

/// Logits of tokens [begin, end) of the batch.
Matrix reference(const RandomModel& m, const PackedBatch& batch, size_t begin, size_t end) {
  const Shape& s = m.shape;
  Matrix x;
  for (size_t t = begin; t < end; t++) {
    for (size_t i = 0; i < s.hidden; i++) {
      double sum = m.at("token_embd.weight")[size_t(batch.ids[t]) * s.hidden + i] +
                   m.at("position_embd.weight")[(t - begin) * s.hidden + i];
      if (s.types > 0) sum += m.at("token_types.weight")[size_t(batch.type_ids[t]) * s.hidden + i];
      x.push_back(sum);
    }
  }
  m.norm("token_embd_norm", x);
  const auto add = [](Matrix& a, const Matrix& b) {
    for (size_t i = 0; i < a.size(); i++) a[i] += b[i];
  };
  for (uint32_t layer = 0; layer < s.layers; layer++) {
    const std::string block = "blk." + std::to_string(layer) + ".";
    const Matrix qkv = m.linear(block + "attn_qkv", x, s.hidden, 3 * s.hidden);
    add(x,
        m.linear(block + "attn_output", attention(qkv, end - begin, s.hidden, s.heads), s.hidden, s.hidden));
    m.norm(block + "attn_output_norm", x);
    Matrix inner = m.linear(block + "ffn_up", x, s.hidden, s.inner);
    for (double& value : inner) value = activate(s.activation, value);
    add(x, m.linear(block + "ffn_down", inner, s.inner, s.hidden));
    m.norm(block + "layer_output_norm", x);
  }
  x.resize(s.hidden);
  if (s.pooler != "none") {
    x = m.linear("cls", x, s.hidden, s.hidden);
    for (double& value : x) value = activate(s.pooler, value);
  }
  return m.linear("cls.output", x, s.hidden, s.labels);
}

PackedBatch random_batch(const Shape& s, const std::vector<int>& lengths, unsigned seed) {
  std::mt19937 random(seed);
  PackedBatch batch;
  batch.cu_seqlens.push_back(0);
  for (const int length : lengths) {
    for (int p = 0; p < length; p++) {
      batch.ids.push_back(int32_t(random() % s.vocab));
      batch.type_ids.push_back(s.types > 0 ? int32_t(random() % s.types) : 0);
      batch.positions.push_back(p);
    }
    batch.cu_seqlens.push_back(int32_t(batch.ids.size()));
  }
  return batch;
}

/// How a graph can be run: stock ggml operations, or kernels with or without helping threads.
struct Engine {
  const kernels::KernelTable* table;
  int helpers;
  AttentionPadding padding = AttentionPadding::kNone;
};

const std::vector<Engine>& engines() {
  static const kernels::KernelTable scalar = kernels::kernel_table(CpuFeatures{});
  static const std::vector<Engine> all = {{nullptr, 0},
                                          {nullptr, 0, AttentionPadding::kSimilarLengths},
                                          {&scalar, 0},
                                          {&kernels::kernel_table(), 0},
                                          {&kernels::kernel_table(), 2}};
  return all;
}

struct Loaded {
  Loaded(RandomModel& m, const Engine& engine)
      : file(m.builder().build()),
        gguf(file.path()),
        hparams(read_hparams(gguf)),
        weights(load_weights(declare_weights(gguf, hparams, ggml_backend_cpu_buffer_type(), engine.table),
                             gguf, hparams, ggml_backend_cpu_buffer_type(), engine.table,
                             [] { return false; })),
        ops(engine.table == nullptr ? std::unique_ptr<Ops>(new PortableOps)
                                    : std::make_unique<KernelOps>(*engine.table, false)),
        team(engine.helpers),
        lease(team, taken, always),
        backend(ggml_backend_cpu_init()),
        runner(backend, hparams, weights, *ops, engine.helpers > 0 ? &lease : nullptr, engine.padding) {
    ggml_backend_cpu_set_n_threads(backend, 1);
  }
  std::vector<float> run(const PackedBatch& batch) {
    std::vector<float> logits;
    runner.run(batch, logits);
    return logits;
  }

  TemporaryFile file;
  GgufFile gguf;
  Hparams hparams;
  Weights weights;
  std::unique_ptr<Ops> ops;
  Team team;
  std::atomic_flag taken;
  std::function<bool()> always = [] { return true; };
  TeamLease lease;
  ggml_backend_t backend;
  GraphRunner runner;
};

void check_against_reference(const Shape& shape, const std::vector<int>& lengths) {
  RandomModel model(shape, 7);
  const PackedBatch batch = random_batch(shape, lengths, 11);
  for (const Engine& engine : engines()) {
    Loaded loaded(model, engine);
    const std::vector<float> logits = loaded.run(batch);
    CHECK(logits.size() == lengths.size() * shape.labels);
    for (size_t b = 0; b < lengths.size(); b++) {
      const Matrix expected =
          reference(model, batch, size_t(batch.cu_seqlens[b]), size_t(batch.cu_seqlens[b + 1]));
      for (size_t l = 0; l < shape.labels; l++)
        CHECK(std::abs(logits[b * shape.labels + l] - expected[l]) < 2e-5);
    }
  }
}

}  // namespace

TEST(graph_equals_reference_one_sequence) {
  check_against_reference({}, {9});
}
TEST(graph_equals_reference_one_token) {
  check_against_reference({}, {1});
}
TEST(graph_equals_reference_equal_lengths) {
  check_against_reference({}, {5, 5, 5});
}
TEST(graph_equals_reference_mixed_lengths) {
  check_against_reference({}, {16, 7, 7, 3, 1, 9});
}

TEST(attention_groups_join_neighbours_of_similar_lengths) {
  const auto groups = [](const std::vector<int>& lengths, AttentionPadding padding) {
    std::vector<std::vector<int64_t>> found;
    for (const AttentionGroup& group :
         group_for_attention(group_by_length(random_batch({}, lengths, 1)), padding)) {
      found.push_back({group.first_token, group.first_sequence, group.length, group.count, group.num_tokens,
                       group.is_padded()});
    }
    return found;
  };
  using Groups = std::vector<std::vector<int64_t>>;
  const std::vector<int> lengths = {100, 100, 80, 75, 74, 20, 13, 12};
  CHECK(groups(lengths, AttentionPadding::kSimilarLengths) ==
        (Groups{
            {0, 0, 100, 4, 355, 1}, {355, 4, 74, 1, 74, 0}, {429, 5, 20, 2, 33, 1}, {462, 7, 12, 1, 12, 0}}));
  CHECK(groups({12, 13, 20}, AttentionPadding::kSimilarLengths) ==
        (Groups{{0, 0, 13, 2, 25, 1}, {25, 2, 20, 1, 20, 0}}));
  CHECK(groups({7, 7, 3}, AttentionPadding::kNone) == (Groups{{0, 0, 7, 2, 14, 0}, {14, 2, 3, 1, 3, 0}}));
  CHECK(groups(std::vector<int>(50, 9), AttentionPadding::kSimilarLengths) ==
        (Groups{{0, 0, 9, 50, 450, 0}}));
}

TEST(graph_equals_reference_for_every_activation) {
  for (const char* activation : {"gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu"}) {
    Shape shape;
    shape.activation = activation;
    check_against_reference(shape, {8, 4});
  }
}

TEST(graph_equals_reference_without_segments_and_with_relu_head) {
  Shape shape;
  shape.types = 0;
  shape.pooler = "relu";
  check_against_reference(shape, {8, 4, 4});
  shape.pooler = "none";
  check_against_reference(shape, {8, 4, 4});
}

TEST(graph_equals_reference_for_odd_head_sizes) {
  Shape shape;
  shape.hidden = 52;
  shape.heads = 2;  // heads of 26
  check_against_reference(shape, {13, 2});
}

TEST(graph_batch_equals_single_bit_for_bit) {
  Shape shape;
  shape.hidden = 104;
  shape.heads = 4;
  shape.inner = 600;  // large enough that helpers take part
  shape.positions = 40;
  RandomModel model(shape, 3);
  const std::vector<int> lengths = {40, 40, 12, 9, 5, 5, 5, 2, 1};
  const PackedBatch batch = random_batch(shape, lengths, 5);
  for (const Engine& engine : engines()) {
    if (engine.padding != AttentionPadding::kNone) continue;
    Loaded loaded(model, engine);
    const std::vector<float> together = loaded.run(batch);
    for (size_t b = 0; b < lengths.size(); b++) {
      PackedBatch single;
      const auto begin = batch.cu_seqlens[b], end = batch.cu_seqlens[b + 1];
      single.ids.assign(batch.ids.begin() + begin, batch.ids.begin() + end);
      single.type_ids.assign(batch.type_ids.begin() + begin, batch.type_ids.begin() + end);
      single.positions.assign(batch.positions.begin() + begin, batch.positions.begin() + end);
      single.cu_seqlens = {0, end - begin};
      const std::vector<float> alone = loaded.run(single);
      CHECK(std::memcmp(alone.data(), together.data() + b * shape.labels, shape.labels * sizeof(float)) == 0);
    }
  }
}

TEST(graph_helpers_do_not_change_a_bit) {
  Shape shape;
  shape.hidden = 192;
  shape.heads = 6;
  shape.inner = 768;
  shape.positions = 128;
  RandomModel model(shape, 9);
  Loaded alone(model, {&kernels::kernel_table(), 0});
  Loaded helped(model, {&kernels::kernel_table(), 2});
  for (int round = 0; round < 20; round++) {
    const PackedBatch batch = random_batch(shape, {128, 77, 3}, unsigned(round));
    CHECK(alone.run(batch) == helped.run(batch));
  }
}

TEST(graph_refuses_ids_outside_the_tables) {
  const Shape shape;
  RandomModel model(shape, 3);
  Loaded loaded(model, engines()[0]);
  for (const int32_t bad : {-1, int32_t(shape.vocab), INT32_MAX}) {
    PackedBatch batch = random_batch(shape, {4}, 5);
    batch.ids[2] = bad;
    CHECK_THROWS_CODE(loaded.run(batch), ErrorCode::internal);
  }
  PackedBatch types = random_batch(shape, {4}, 5);
  types.type_ids[1] = 2;
  CHECK_THROWS_CODE(loaded.run(types), ErrorCode::internal);
  PackedBatch positions = random_batch(shape, {4}, 5);
  positions.positions[3] = 16;
  CHECK_THROWS_CODE(loaded.run(positions), ErrorCode::internal);
  CHECK(loaded.run(random_batch(shape, {4}, 5)).size() == shape.labels);
}

TEST(weights_refuse_what_the_contract_does_not_say) {
  const auto code_of = [](RandomModel& m) {
    try {
      Loaded loaded(m, engines()[0]);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::aborted;
  };
  RandomModel fine({}, 1);
  CHECK(code_of(fine) == ErrorCode::aborted);
  RandomModel extra({}, 1);
  extra.builder().tensor("blk.2.ffn_up.weight", {4}, {1, 2, 3, 4});
  CHECK(code_of(extra) == ErrorCode::gguf_malformed);
  Shape bad_heads;
  bad_heads.heads = 5;
  RandomModel heads(bad_heads, 1);
  CHECK(code_of(heads) == ErrorCode::gguf_malformed);
  Shape headless;
  headless.pooler = "none";
  RandomModel contradiction(headless, 1);
  contradiction.builder().tensor("cls.weight", {12, 12}, std::vector<float>(144));
  CHECK(code_of(contradiction) == ErrorCode::gguf_malformed);
}

}  // namespace enc::test
