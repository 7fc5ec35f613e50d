// Layers with linear attention and gates of what attention gives, against the same in plain double loops.
#include "enc/error.h"
#include "graph_engines.h"

namespace enc::test {
namespace {

Shape causal_shape() {
  Shape shape;
  shape.types = 0;
  shape.causal = true;
  shape.pooler = "none";
  return shape;
}

const std::vector<std::vector<int>> kLengths = {{9}, {1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 1, 9}};

}  // namespace

TEST(graph_equals_reference_with_linear_attention) {
  Shape shape = causal_shape();
  shape.layers = 3;
  struct Heads {
    uint32_t keys, values, size, width;
  };
  for (const Heads& heads : {Heads{1, 2, 6, 4}, Heads{2, 2, 8, 1}, Heads{2, 6, 5, 3}}) {
    shape.key_heads = heads.keys, shape.value_heads = heads.values;
    shape.linear_size = heads.size, shape.linear_conv = heads.width;
    // The last layer is computed for the token that the head reads alone.
    for (const auto& layers : std::vector<std::vector<uint32_t>>{{0, 1}, {2}, {0, 1, 2}}) {
      shape.linear = layers;
      for (const auto& lengths : kLengths) check_against_reference(shape, lengths);
    }
  }
}

TEST(graph_equals_reference_where_attention_is_gated) {
  Shape shape = causal_shape();
  shape.gated = true;
  for (const bool mixes : {false, true}) {
    shape.linear = mixes ? std::vector<uint32_t>{0} : std::vector<uint32_t>{};
    for (const auto& lengths : kLengths) check_against_reference(shape, lengths);
  }
}

TEST(linear_attention_gives_a_text_the_same_bits_in_every_batch) {
  Shape shape = causal_shape();
  shape.hidden = 104;
  shape.heads = 4;
  shape.inner = 600;
  shape.positions = 80;
  shape.gated = true;
  shape.layers = 3;
  shape.linear = {0, 2};
  shape.key_heads = 2, shape.value_heads = 4, shape.linear_size = 48;
  check_batch_equals_single(shape, {80, 80, 40, 12, 9, 5, 5, 5, 2, 1});
}

TEST(linear_attention_gives_the_same_bits_where_texts_share_their_beginning) {
  Shape shape = causal_shape();
  shape.hidden = 104;
  shape.heads = 4;
  shape.positions = 200;
  shape.gated = true;
  shape.layers = 3;
  shape.key_heads = 2, shape.value_heads = 4, shape.linear_size = 48, shape.linear_conv = 4;
  for (const auto& layers : std::vector<std::vector<uint32_t>>{{0, 1, 2}, {0, 2}, {1}}) {
    shape.linear = layers;
    // Of fewer tokens than the convolution reads, and of more than pass over a part of the state at once.
    check_shared_equals_whole(shape, {2, 8, 34, 70});
  }
}

TEST(linear_attention_gives_a_text_the_same_bits_among_more_than_have_their_states_held_at_once) {
  Shape shape = causal_shape();
  shape.linear = {0};
  shape.linear_size = 128;  // stock operations hold 128 of them
  std::vector<int> lengths(140, 2);
  lengths.insert(lengths.end(), 9, 1);
  check_batch_equals_single(shape, lengths);
}

TEST(linear_attention_that_cannot_be_is_refused) {
  Shape fine = causal_shape();
  fine.linear = {1};
  RandomModel sound(fine, 1);
  CHECK(code_of(sound) == ErrorCode::aborted);
  CHECK(code_with(fine, [](Shape& s) { s.linear = {2}; }) == ErrorCode::gguf_malformed);
  CHECK(code_with(fine, [](Shape& s) { s.linear_conv = 17; }) == ErrorCode::gguf_malformed);
  CHECK(code_with(fine, [](Shape& s) { s.key_heads = 2, s.value_heads = 3; }) == ErrorCode::gguf_malformed);
  CHECK(code_with(fine, [](Shape& s) { s.linear_size = 513; }) == ErrorCode::gguf_malformed);
  CHECK(code_with(fine, [](Shape& s) { s.causal = false; }) == ErrorCode::architecture_unsupported);
  CHECK(code_with(fine, [](Shape& s) { s.conv = 3; }) == ErrorCode::architecture_unsupported);
  Shape plain = causal_shape();
  RandomModel gate(plain, 1);
  gate.builder().boolean("ggml_encoder.attention.output_gate", true);
  CHECK(code_of(gate) == ErrorCode::tensor_missing);
}

}  // namespace enc::test
