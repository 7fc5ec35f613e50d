// Layers that mix each token with the few around it by a gated convolution, against the same in plain double
// loops.
#include "enc/error.h"
#include "graph_engines.h"

namespace enc::test {
namespace {

Shape plain_shape(bool causal) {
  Shape shape;
  shape.types = 0;
  shape.causal = causal;
  shape.pooler = "none";
  return shape;
}

/// Also of texts that are shorter than what the convolution reads.
const std::vector<std::vector<int>> kLengths = {{9},       {1},       {2},
                                                {3, 2, 1}, {5, 5, 5}, {16, 15, 7, 7, 3, 1, 1, 9}};

}  // namespace

void check_widths(bool causal) {
  Shape shape = plain_shape(causal);
  shape.layers = 3;
  for (const uint32_t width : {1, 2, 3, 4, 16}) {
    shape.short_width = width;
    for (const bool has_biases : {false, true}) {
      shape.short_biases = has_biases;
      // The last layer is computed for the token that the head reads alone.
      for (const auto& layers : std::vector<std::vector<uint32_t>>{{0, 1}, {1, 2}, {0, 2}, {0, 1, 2}}) {
        shape.convolving = layers;
        for (const auto& lengths : kLengths) check_against_reference(shape, lengths);
      }
    }
  }
}

TEST(graph_equals_reference_with_short_convolutions) {
  check_widths(true);
}

TEST(graph_equals_reference_with_centred_convolutions) {
  check_widths(false);
}

TEST(short_convolutions_pass_over_tokens_that_no_other_sees) {
  for (const bool causal : {false, true}) {
    Shape shape = plain_shape(causal);
    shape.convolving = {0, 1};
    for (const auto& [has_biases, reads_unseen] : {std::pair(false, false), {true, false}, {true, true}}) {
      shape.short_biases = has_biases;
      shape.reads_unseen = reads_unseen;
      for (const int unseen : {1, 2, 4}) {
        shape.unseen = unseen;
        for (const auto& lengths : kLengths) check_against_reference(shape, lengths);
      }
    }
  }
}

TEST(short_convolutions_give_a_text_the_same_bits_in_every_batch) {
  for (const bool causal : {false, true}) {
    Shape shape = plain_shape(causal);
    shape.hidden = 104;
    shape.heads = 4;
    shape.inner = 600;
    shape.positions = 80;
    shape.layers = 3;
    shape.convolving = {0, 2};
    check_batch_equals_single(shape, {80, 80, 40, 12, 9, 5, 5, 5, 3, 2, 1});
  }
}

TEST(short_convolutions_give_the_same_bits_where_texts_share_their_beginning) {
  Shape shape = plain_shape(true);
  shape.hidden = 104;
  shape.heads = 4;
  shape.positions = 200;
  shape.layers = 3;
  shape.short_width = 4;
  for (const auto& layers : std::vector<std::vector<uint32_t>>{{0, 1, 2}, {0, 2}, {1}}) {
    shape.convolving = layers;
    // Of fewer tokens than the convolution reads, as many, and more.
    check_shared_equals_whole(shape, {1, 2, 3, 4, 33, 70});
  }
}

TEST(short_convolutions_that_cannot_be_are_refused) {
  Shape fine = plain_shape(true);
  fine.convolving = {1};
  RandomModel sound(fine, 1);
  CHECK(code_of(sound) == ErrorCode::aborted);
  CHECK(code_with(fine, [](Shape& s) { s.convolving = {2}; }) == ErrorCode::gguf_malformed);
  CHECK(code_with(fine, [](Shape& s) { s.short_width = 17; }) == ErrorCode::gguf_malformed);
  CHECK(code_with(fine, [](Shape& s) { s.linear = {0}; }) == ErrorCode::architecture_unsupported);
  CHECK(code_with(fine, [](Shape& s) { s.conv = 3; }) == ErrorCode::architecture_unsupported);
}

}  // namespace enc::test
