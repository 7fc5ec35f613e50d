#include "graph/graph_runner.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <string>

#include "enc/error.h"

namespace enc {
namespace {

/// The token of each sequence that the head reads: the first, the rightmost that is not `pad`, as
/// GenericForSequenceClassification in transformers has it (the first when all are), the rightmost `eos`, or
/// the leftmost separator. Every text has one, but for those that are only measured.
std::vector<int32_t> find_pooled_rows(const PackedBatch& batch, const Hparams& hparams) {
  std::vector<int32_t> rows(size_t(batch.num_sequences()), 0);
  if (hparams.pooling == Pooling::kSeparator) {
    for (size_t b = 0; b < rows.size(); b++) {
      const auto begin = batch.ids.begin() + batch.cu_seqlens[b],
                 end = batch.ids.begin() + batch.cu_seqlens[b + 1];
      const auto found = std::find(begin, end, hparams.label_head.marks.separator_id);
      if (found != end) rows[b] = int32_t(found - begin);
    }
    return rows;
  }
  if (hparams.pooling != Pooling::kLast && hparams.pooling != Pooling::kEos) return rows;
  const auto is_read = [&](int32_t id) {
    return hparams.pooling == Pooling::kEos ? id == hparams.eos_token_id : id != hparams.pad_token_id;
  };
  for (size_t b = 0; b < rows.size(); b++) {
    const int32_t begin = batch.cu_seqlens[b];
    int32_t row = batch.cu_seqlens[b + 1] - begin - 1;
    while (row > 0 && !is_read(batch.ids[size_t(begin + row)])) row--;
    rows[b] = row;
  }
  return rows;
}

/// Each sequence's ids behind the token that its decoder starts with, without its last. Where the text wraps
/// around, that is the n-th of its tokens, n of which are no padding, as shift_tokens_right in transformers
/// has it. Every text has one, but for those that are only measured.
std::vector<int32_t> shift_ids(const PackedBatch& batch, const DecoderHparams& decoder) {
  std::vector<int32_t> shifted(batch.ids.size());
  std::copy(batch.ids.begin(), batch.ids.end() - 1, shifted.begin() + 1);
  for (size_t b = 0; b < size_t(batch.num_sequences()); b++) {
    const auto begin = batch.ids.begin() + batch.cu_seqlens[b],
               end = batch.ids.begin() + batch.cu_seqlens[b + 1];
    int32_t& first = shifted[size_t(batch.cu_seqlens[b])];
    first = decoder.start_token_id;
    if (decoder.wrap_pad_token_id < 0) continue;
    const auto padding = std::count(begin, end, int32_t(decoder.wrap_pad_token_id));
    first = begin[std::max<std::ptrdiff_t>(end - begin - padding, 1) - 1];
  }
  return shifted;
}

/// What each token's embedding is multiplied by where a token is dropped: nothing is left of its own, and the
/// others make up for it.
std::vector<float> scales_of_tokens(const PackedBatch& batch, const Hparams& hparams) {
  std::vector<float> scales;
  if (hparams.dropped_token_id < 0) return scales;
  for (size_t b = 0; b < size_t(batch.num_sequences()); b++) {
    const auto begin = batch.ids.begin() + batch.cu_seqlens[b],
               end = batch.ids.begin() + batch.cu_seqlens[b + 1];
    const auto dropped = int32_t(hparams.dropped_token_id);
    const float share = float(std::count(begin, end, dropped)) / float(end - begin);
    for (auto id = begin; id != end; ++id)
      scales.push_back(*id == dropped ? 0.0f : hparams.embedding_scale / (1 - share));
  }
  return scales;
}

/// Whether the batch's texts are long by the model's measure, which they must all be or none. What texts
/// begin with is none by itself.
bool has_long_texts(const PackedBatch& batch, const Hparams& hparams) {
  if (hparams.short_length >= hparams.max_length) return false;
  std::vector<bool> is_text(size_t(batch.num_sequences()), true);
  for (const int32_t prefix : batch.prefixes) {
    if (prefix >= 0) is_text[size_t(prefix)] = false;
  }
  bool has_long = false, has_short = false;
  for (size_t b = 0; b < is_text.size(); b++) {
    const auto last = size_t(batch.positions[size_t(batch.cu_seqlens[b + 1] - 1)]);
    if (is_text[b]) (last >= hparams.short_length ? has_long : has_short) = true;
  }
  if (has_long && has_short) throw Error(ErrorCode::internal, "a batch holds both long and short texts");
  return has_long;
}

/// The mean of 1, 2, ..., weighed by the softmax of as many outputs; not finite where one of them is not.
float expected_number(std::span<const float> outputs) {
  const double largest = *std::max_element(outputs.begin(), outputs.end());
  double total = 0, sum = 0;
  for (size_t row = 0; row < outputs.size(); row++) {
    if (!std::isfinite(outputs[row])) return std::numeric_limits<float>::quiet_NaN();
    const double weight = std::exp(outputs[row] - largest);
    total += weight;
    sum += double(row + 1) * weight;
  }
  return float(sum / total);
}

/// The logits that the classifier's outputs make: capped, and one of several, where the model has it so.
void append_logits(std::vector<float>& outputs, const Hparams& hparams, std::vector<float>& logits) {
  const float cap = hparams.logit_softcap;
  if (cap > 0)
    for (float& output : outputs) output = cap * std::tanh(output / cap);
  if (hparams.score == HeadScore::kRows) {
    logits.insert(logits.end(), outputs.begin(), outputs.end());
    return;
  }
  for (size_t i = 0; i < outputs.size(); i += hparams.score_rows) {
    const auto rows = std::span<const float>(outputs).subspan(i, hparams.score_rows);
    logits.push_back(hparams.score == HeadScore::kDifference ? rows[0] - rows[1] : expected_number(rows));
  }
}

/// Elements from which every backend reads a view.
constexpr int64_t kViewAlignment = 64;

/// Elements of each part of GraphContext::inputs.
int64_t input_part_size(const PackedBatch& batch) {
  return GGML_PAD(batch.num_tokens(), kViewAlignment);
}

/// What the parts of GraphContext::inputs hold, as start() cuts them.
std::vector<int32_t> joined_inputs(const GraphContext& g, int64_t part_size) {
  std::vector<int32_t> joined(size_t(g.inputs->ne[0]));
  const auto fill = [&](int64_t index, const std::vector<int32_t>& values) {
    std::copy(values.begin(), values.end(), joined.begin() + index * part_size);
  };
  fill(0, g.batch->ids);
  fill(1, g.batch->type_ids);
  fill(2, g.batch->positions);
  for (size_t b = 0; b < g.pooled_rows.size(); b++)
    joined[size_t(3 * part_size) + b] = g.batch->cu_seqlens[b] + g.pooled_rows[b];
  if (g.shifted != nullptr) fill(4, g.shifted_ids);
  return joined;
}

/// Backends abort on operations that they do not have.
void check_support(ggml_backend_t backend, ggml_cgraph* graph) {
  for (int i = 0; i < ggml_graph_n_nodes(graph); i++) {
    const ggml_tensor* node = ggml_graph_node(graph, i);
    if (ggml_backend_supports_op(backend, node)) continue;
    throw Error(ErrorCode::device_unavailable, std::string(ggml_backend_name(backend)) +
                                                   " has no operation " + ggml_op_desc(node) +
                                                   " for tensors of this kind");
  }
}

}  // namespace

GraphRunner::GraphRunner(ggml_backend_t backend, const Hparams& hparams, const Weights& weights,
                         const Ops& ops, TeamLease* team, AttentionPadding padding)
    : backend_(backend, ggml_backend_free),
      allocator_(ggml_gallocr_new(ggml_backend_get_default_buffer_type(backend)), ggml_gallocr_free),
      hparams_(hparams),
      weights_(weights),
      ops_(ops),
      team_(team),
      padding_(padding) {}

/// Backends abort on, or read past, an index outside its table, so none reaches them unchecked.
void GraphRunner::check(const PackedBatch& batch) const {
  const auto within = [](const std::vector<int32_t>& values, uint32_t limit) {
    for (const int32_t value : values) {
      if (value < 0 || uint32_t(value) >= limit) return false;
    }
    return true;
  };
  const bool marks_fit = within(batch.marks, uint32_t(batch.num_tokens())) &&
                         within(batch.mark_owners, uint32_t(batch.num_sequences())) &&
                         within(batch.mark_ends, uint32_t(batch.num_tokens()) + 1) &&
                         batch.marks.size() == batch.mark_owners.size() &&
                         batch.marks.size() == batch.mark_ends.size() &&
                         batch.marks.empty() != hparams_.reads_marks();
  const size_t texts = hparams_.pooling == Pooling::kText ? size_t(batch.num_sequences()) : 0;
  const bool texts_fit = batch.texts.size() == texts && batch.text_ends.size() == texts &&
                         within(batch.texts, uint32_t(batch.num_tokens())) &&
                         within(batch.text_ends, uint32_t(batch.num_tokens()) + 1);
  bool keys_fit = batch.key_counts.empty() || batch.key_counts.size() == size_t(batch.num_sequences());
  for (size_t b = 0; keys_fit && b < batch.key_counts.size(); b++)
    keys_fit = batch.key_counts[b] >= 1 && batch.key_counts[b] <= batch.length(int64_t(b));
  const uint32_t places = hparams_.uncounted_token_id < 0 ? hparams_.max_length : hparams_.position_rows();
  const bool types_fit = hparams_.num_token_types == 0 || within(batch.type_ids, hparams_.num_token_types);
  if (!within(batch.ids, hparams_.vocab_size) || !within(batch.positions, places) || !types_fit ||
      !marks_fit || !texts_fit || !keys_fit) {
    throw Error(ErrorCode::internal, "a token, segment or position id lies outside the model's tables");
  }
}

/// An empty graph with its inputs.
GraphRunner::Context GraphRunner::start(GraphContext& g, const PackedBatch& batch) {
  g.batch = &batch;
  g.scratch = &scratch_;
  g.team = team_;
  if (team_ != nullptr) g.members = team_->size();
  scratch_.shared_bytes = scratch_.member_bytes = 0;
  g.groups = group_by_length(batch);
  g.attention_groups = group_for_attention(g.groups, padding_);
  g.pooled_rows = find_pooled_rows(batch, hparams_);
  g.long_texts = has_long_texts(batch, hparams_);
  g.token_scales = scales_of_tokens(batch, hparams_);
  const size_t nodes = max_graph_nodes(hparams_, ops_, g);
  graph_memory_.resize(ggml_tensor_overhead() * nodes + ggml_graph_overhead_custom(nodes, false));
  Context context(ggml_init({graph_memory_.size(), graph_memory_.data(), /*no_alloc=*/true}), ggml_free);
  g.ggml = context.get();
  g.graph = ggml_new_graph_custom(g.ggml, nodes, false);
  // One behind the other, so that they are uploaded at once.
  const int64_t part_size = input_part_size(batch);
  g.inputs = ggml_new_tensor_1d(g.ggml, GGML_TYPE_I32, (hparams_.has_decoder() ? 5 : 4) * part_size);
  ggml_set_input(g.inputs);
  const auto part = [&](int64_t index, int64_t count) {
    return ggml_view_1d(g.ggml, g.inputs, count, sizeof(int32_t) * size_t(index * part_size));
  };
  g.ids = part(0, batch.num_tokens());
  g.type_ids = part(1, batch.num_tokens());
  g.positions = part(2, batch.num_tokens());
  g.pooled_tokens = part(3, batch.num_sequences());
  if (hparams_.has_decoder()) {
    g.shifted_ids = shift_ids(batch, hparams_.decoder);
    g.shifted = part(4, batch.num_tokens());
  }
  return context;
}

uint64_t GraphRunner::held_bytes() const {
  return ggml_gallocr_get_buffer_size(allocator_.get(), 0) + graph_memory_.size() + scratch_.buffer.size();
}

uint64_t GraphRunner::measure(const PackedBatch& batch, int members) {
  GraphContext g{};
  g.only_sizes = true;
  const Context context = start(g, batch);
  g.members = members;
  build_encoder_graph(g, hparams_, weights_, ops_);
  // An allocator of its own: to measure with the one that runs would cost that its buffer.
  const std::unique_ptr<ggml_gallocr, decltype(&ggml_gallocr_free)> allocator(
      ggml_gallocr_new(ggml_backend_get_default_buffer_type(backend_.get())), ggml_gallocr_free);
  size_t graph_bytes = 0;
  ggml_gallocr_reserve_n_size(allocator.get(), g.graph, nullptr, nullptr, &graph_bytes);
  uint64_t bytes = graph_bytes + graph_memory_.size() + scratch_.bytes(members);
  for (const HostInput& input : g.host_inputs) bytes += ggml_nbytes(input.tensor);
  return bytes;
}

void GraphRunner::run(const PackedBatch& batch, std::vector<float>& logits) {
  check(batch);
  GraphContext g{};
  const Context context = start(g, batch);
  ggml_tensor* output = build_encoder_graph(g, hparams_, weights_, ops_);
  check_support(backend_.get(), g.graph);

  if (!ggml_gallocr_alloc_graph(allocator_.get(), g.graph)) {
    throw Error(ErrorCode::out_of_memory,
                "no memory to compute " + std::to_string(batch.num_tokens()) + " tokens at once");
  }
  const size_t scratch_bytes = scratch_.bytes(g.members);
  if (scratch_.buffer.size() < scratch_bytes) scratch_.buffer = AlignedBuffer(scratch_bytes);
  // Queued in order: only the logits are waited for. What is fed lives until then.
  const auto feed = [&](ggml_tensor* input, const void* data) {
    // One that no node reads gets no memory.
    if (input->buffer != nullptr)
      ggml_backend_tensor_set_async(backend_.get(), input, data, 0, ggml_nbytes(input));
  };
  std::vector<int32_t> inputs;
  // Our kernels take ids from the batch itself.
  if (g.inputs->buffer != nullptr) inputs = joined_inputs(g, input_part_size(batch));
  feed(g.inputs, inputs.data());
  for (const HostInput& input : g.host_inputs) feed(input.tensor, input.bytes.data());

  const ggml_status status = ggml_backend_graph_compute_async(backend_.get(), g.graph);
  if (status == GGML_STATUS_ABORTED) throw Error(ErrorCode::aborted, "the call was aborted");
  if (status != GGML_STATUS_SUCCESS) {
    throw Error(status == GGML_STATUS_ALLOC_FAILED ? ErrorCode::out_of_memory : ErrorCode::internal,
                std::string("computing the graph failed: ") + ggml_status_to_string(status));
  }
  std::vector<float> outputs(size_t(ggml_nelements(output)));
  ggml_backend_tensor_get_async(backend_.get(), output, outputs.data(), 0, ggml_nbytes(output));
  ggml_backend_synchronize(backend_.get());
  append_logits(outputs, hparams_, logits);
}

}  // namespace enc
