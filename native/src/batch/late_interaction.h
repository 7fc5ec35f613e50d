// How a query and a document that were read each by itself score each other, token by token.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "enc/tokenizer.h"

namespace enc {

/// Each token of the query counts with the document's token that is nearest to it.
struct InteractionRule {
  size_t vector_size = 0;
  std::vector<int32_t> skip_ids;    ///< ascending; such tokens of documents do not score,
  bool skips_query_tokens = false;  ///< nor those of queries
  bool normalizes = true;           ///< vectors to length 1
  bool averages = false;            ///< over the query's tokens, where others are summed up
};

/// What a document without a token that scores gets, before it is averaged: less than any other, as in
/// sentence-transformers.
constexpr float kNothingScores = -1e9f;

/// Which tokens of one of the two score, in order.
std::vector<int32_t> scoring_tokens(std::span<const int32_t> ids, bool is_query, const InteractionRule& rule);

/// Brings each vector of `rows`, f32[n, rule.vector_size], to length 1 where the rule says so. False when a
/// value is not finite.
bool prepare_vectors(std::span<float> rows, const InteractionRule& rule);

/// The score of prepared vectors.
float max_sim(std::span<const float> query, std::span<const float> document, const InteractionRule& rule);

}  // namespace enc
