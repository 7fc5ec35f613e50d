// The encoder graph, in stock operations and in our kernels, against the same encoder in plain double loops.
#include <cstring>

#include "enc/error.h"
#include "graph_engines.h"

namespace enc::test {

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
  for (const char* activation : {"gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", "tanh"}) {
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

TEST(graph_equals_reference_for_heads_of_other_widths_and_with_a_norm) {
  for (const char* pooler : {"gelu", "identity", "none"}) {
    for (const uint32_t pooled : {0u, 7u, 40u}) {
      Shape shape;
      shape.pooler = pooler;
      shape.pooled = pooled;
      // Large enough to tell it from the encoder's.
      shape.head_norm_eps = pooled == 7 ? 0.0f : 0.1f;
      check_against_reference(shape, {8, 4, 1});
    }
  }
}

TEST(graph_equals_reference_for_odd_head_sizes) {
  Shape shape;
  shape.hidden = 52;
  shape.heads = 2;  // heads of 26
  check_against_reference(shape, {13, 2});
}

TEST(graph_equals_reference_with_a_decoder) {
  Shape shape;
  shape.types = 0;
  for (const uint32_t layers : {1, 3}) {
    shape.decoder_layers = layers;
    shape.embedding_scale = layers == 1 ? 1 : 3.5f;
    for (const bool start_only : {false, true}) {
      shape.start_only = start_only;
      for (const auto& lengths : std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 9}})
        check_against_reference(shape, lengths);
    }
  }
}

TEST(graph_equals_reference_with_a_decoder_that_starts_with_the_texts_end) {
  Shape shape;
  shape.types = 0;
  shape.decoder_layers = 2;
  // Ids that stand in the texts once or several times: in a long one half of the tokens is padding.
  shape.vocab = 7;
  for (const int32_t pad : {0, 2, 5}) {
    shape.wrap_pad = pad;
    for (const bool start_only : {false, true}) {
      shape.start_only = start_only;
      for (const auto& lengths : std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 9}})
        check_against_reference(shape, lengths);
    }
  }
}

TEST(graph_equals_reference_where_a_token_is_dropped) {
  Shape shape;
  shape.vocab = 5;  // so that it stands in the texts several times
  shape.dropped = 3;
  for (const float scale : {1.0f, 0.88f}) {
    shape.embedding_scale = scale;
    for (const auto& lengths : std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 9}})
      check_against_reference(shape, lengths);
  }
}

TEST(graph_equals_reference_where_positions_do_not_count_a_token) {
  Shape shape;
  shape.vocab = 5;
  shape.uncounted = 3;
  for (const auto& lengths : std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {15, 7, 7, 3, 1, 9}})
    check_against_reference(shape, lengths);
  RandomModel model(shape, 3);
  Loaded loaded(model, engines()[0]);
  PackedBatch beyond = random_batch(shape, {4}, 5);
  beyond.positions[3] = int32_t(shape.positions);
  CHECK_THROWS_CODE(loaded.run(beyond), ErrorCode::internal);
  shape.slopes = {0.5f, 0.25f, 0.125f};
  RandomModel other(shape, 3);
  CHECK_THROWS_CODE(Loaded(other, engines()[0]), ErrorCode::architecture_unsupported);
}

TEST(graph_equals_reference_with_a_linear_bias) {
  Shape shape;
  shape.slopes = {0.5f, 0.25f, 2.0f};
  for (const auto& lengths : std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 9}})
    check_against_reference(shape, lengths);
}

TEST(graph_equals_reference_with_a_convolution) {
  Shape shape;
  for (const uint32_t width : {1, 3, 7}) {
    for (const uint32_t layers : {1, 2}) {
      shape.conv = width;
      shape.conv_activation = width == 3 ? "tanh" : "gelu";
      shape.layers = layers;
      for (const auto& lengths : std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 9}})
        check_against_reference(shape, lengths);
    }
  }
}

TEST(graph_equals_reference_where_the_first_token_sees_all) {
  for (const uint32_t layers : {1, 2, 3}) {
    for (const uint32_t window : {2, 4, 16}) {
      Shape shape;
      shape.layers = layers;
      shape.window = window;
      for (const auto& lengths : std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 9}})
        check_against_reference(shape, lengths);
    }
  }
}

TEST(graph_equals_reference_for_texts_that_are_attended_in_blocks) {
  Shape shape;
  shape.heads = 12;
  shape.positions = 2400;
  check_against_reference(shape, {2400});  // by their scores
  shape.heads = 3;
  shape.window = 100;
  check_against_reference(shape, {700, 690, 690, 300});  // by their windows
}

TEST(graph_equals_reference_with_narrow_layers_and_embeddings_of_several_tokens) {
  for (const uint32_t layers : {1, 2}) {
    Shape shape;
    shape.layers = layers;
    shape.narrow = 6;
    shape.ffns = layers == 1 ? 1 : 3;
    shape.embedding_width = layers == 1 ? 5 : 3;
    for (const auto& lengths : std::vector<std::vector<int>>{{9}, {1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 9}})
      check_against_reference(shape, lengths);
  }
}

TEST(graph_batch_equals_single_bit_for_bit) {
  const std::vector<int> lengths = {40, 40, 12, 9, 5, 5, 5, 2, 1};
  Shape shape;
  shape.hidden = 104;
  shape.heads = 4;
  shape.inner = 600;  // large enough that helpers take part
  shape.positions = 40;
  check_batch_equals_single(shape, lengths);
  shape.conv = 3;
  check_batch_equals_single(shape, lengths);
  shape.conv = 0;
  shape.window = 12;
  check_batch_equals_single(shape, lengths);
  shape.window = 0;
  shape.narrow = 64;
  shape.embedding_width = 3;
  check_batch_equals_single(shape, lengths);
  shape.narrow = 0;
  shape.embedding_width = 1;
  shape.types = 0;
  shape.reach = 17;
  shape.segments = 3;
  check_batch_equals_single(shape, lengths);
  shape.types = 2;
  shape.reach = shape.segments = 0;
  shape.decoder_layers = 2;
  check_batch_equals_single(shape, lengths);
  shape.start_only = true;
  check_batch_equals_single(shape, lengths);
}

TEST(graph_gives_the_same_bits_where_texts_share_their_beginning) {
  Shape shape;
  shape.hidden = 104;
  shape.heads = 4;
  shape.positions = 200;
  shape.types = 0;
  shape.pooler = "none";
  shape.causal = true;
  check_shared_equals_whole(shape, {1, 8, 33, 70});
}

TEST(texts_share_no_beginning_where_its_states_depend_on_what_follows) {
  Hparams h;
  h.causal = true;
  h.pooling = Pooling::kLast;
  CHECK(h.shares_prefixes());
  Hparams wide = h, convolved = h, seeing = h, pooled = h, decoding = h, relative = h;
  wide.embedding_width = 3;
  convolved.convolution.width = 3;
  seeing.causal = false;
  pooled.pooling = Pooling::kMean;
  decoding.decoder.num_layers = 1;
  relative.position_kind = PositionKind::kDisentangled;
  for (const Hparams* other : {&wide, &convolved, &seeing, &pooled, &decoding, &relative})
    CHECK(!other->shares_prefixes());
}

TEST(graph_helpers_do_not_change_a_bit) {
  Shape shape;
  shape.hidden = 192;
  shape.heads = 6;
  shape.inner = 768;
  shape.positions = 128;
  for (const uint32_t decoder_layers : {0, 2}) {
    shape.decoder_layers = decoder_layers;
    RandomModel model(shape, 9);
    Loaded alone(model, {&kernels::kernel_table(), 0});
    Loaded helped(model, {&kernels::kernel_table(), 2});
    for (int round = 0; round < 20; round++) {
      const PackedBatch batch = random_batch(shape, {128, 77, 3}, unsigned(round));
      CHECK(alone.run(batch) == helped.run(batch));
    }
  }
}

TEST(a_convolution_sees_what_comes_after_a_prefix) {
  for (const uint32_t width : {0, 3}) {
    Shape shape;
    shape.conv = width;
    RandomModel model(shape, 1);
    model.builder()
        .value("bert.attention.causal", 7, std::string(1, 1))
        .str("ggml_encoder.head.pooling", "last");
    CHECK(Loaded(model, engines()[0]).hparams.shares_prefixes() == (width == 0));
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

TEST(graph_refuses_a_batch_of_long_and_short_texts) {
  const Shape shape;
  RandomModel model(shape, 3);
  Loaded loaded(model, engines()[0]);
  loaded.hparams.short_length = 5;
  CHECK_THROWS_CODE(loaded.run(random_batch(shape, {6, 5}, 5)), ErrorCode::internal);
  CHECK_THROWS_CODE(loaded.run(random_batch(shape, {5, 6, 7}, 5)), ErrorCode::internal);
  CHECK(loaded.run(random_batch(shape, {7, 6}, 5)).size() == 2 * shape.labels);
  CHECK(loaded.run(random_batch(shape, {5, 1}, 5)).size() == 2 * shape.labels);
}

TEST(weights_refuse_what_the_contract_does_not_say) {
  RandomModel fine({}, 1);
  CHECK(code_of(fine) == ErrorCode::aborted);
  Shape even;
  even.conv = 4;
  RandomModel middle(even, 1);
  CHECK(code_of(middle) == ErrorCode::gguf_malformed);
  for (const auto& slopes : std::vector<std::vector<float>>{{0.5f, 0.5f}, {0.5f, 0.5f, -1.0f}}) {
    Shape shape;
    shape.slopes = slopes;
    RandomModel bias(shape, 1);
    CHECK(code_of(bias) == ErrorCode::gguf_malformed);
  }
  // Distances beyond half of the buckets would be divided by the logarithm of 1.
  RandomModel buckets({}, 1);
  buckets.builder()
      .str("ggml_encoder.position_kind", "disentangled")
      .u32("ggml_encoder.position_buckets", 16)
      .u32("ggml_encoder.max_relative_positions", 9)
      .strs("ggml_encoder.pos_att_type", {"c2p"});
  CHECK(code_of(buckets) == ErrorCode::gguf_malformed);
  RandomModel extra({}, 1);
  extra.builder().tensor("blk.2.ffn_up.weight", {4}, {1, 2, 3, 4});
  CHECK(code_of(extra) == ErrorCode::gguf_malformed);
  Shape bad_heads;
  bad_heads.heads = 5;
  RandomModel heads(bad_heads, 1);
  CHECK(code_of(heads) == ErrorCode::gguf_malformed);
  Shape wide_heads;
  wide_heads.layers = 1;
  wide_heads.heads = 1;
  for (const uint32_t hidden : {512u, 513u}) {
    wide_heads.hidden = hidden;
    RandomModel wide(wide_heads, 1);
    CHECK(code_of(wide) == (hidden == 512 ? ErrorCode::aborted : ErrorCode::gguf_malformed));
  }
  wide_heads.hidden = 2;
  for (const uint32_t vocab : {2097152u, 2097153u}) {
    wide_heads.vocab = vocab;
    RandomModel wide(wide_heads, 1);
    CHECK(code_of(wide) == (vocab == 2097152 ? ErrorCode::aborted : ErrorCode::gguf_malformed));
  }
  Shape windows;
  windows.window = 4;
  for (const char* pooling : {"mean", "last"}) {
    RandomModel other(windows, 1);
    other.builder().str("ggml_encoder.head.pooling", pooling);
    CHECK(code_of(other) == ErrorCode::architecture_unsupported);
  }
  Shape headless;
  headless.pooler = "none";
  RandomModel contradiction(headless, 1);
  contradiction.builder().tensor("cls.weight", {12, 12}, std::vector<float>(144));
  CHECK(code_of(contradiction) == ErrorCode::gguf_malformed);
}

}  // namespace enc::test
