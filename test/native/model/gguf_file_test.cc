#include "model/gguf_file.h"

#include <limits>

#include "check.h"
#include "enc/error.h"
#include "gguf_builder.h"

namespace enc::test {
namespace {

constexpr uint64_t kMax = std::numeric_limits<uint64_t>::max();

GgufBuilder small_file() {
  return GgufBuilder()
      .str("general.architecture", "bert")
      .u32("answer", 42)
      .tensor("a", {4, 2}, {1, 2, 3, 4, 5, 6, 7, 8})
      .tensor("b", {3}, {9, 10, 11});
}

/// The code with which these bytes are refused; ErrorCode::internal when they are accepted.
ErrorCode refusal(const std::string& content) {
  const TemporaryFile file(content);
  try {
    GgufFile opened(file.path());
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

bool malformed(const GgufBuilder& builder) {
  return refusal(builder.build()) == ErrorCode::gguf_malformed;
}

}  // namespace

TEST(gguf_reads_values_and_tensors) {
  const TemporaryFile file(small_file().strs("labels", {"x", "", "ü"}).build());
  const GgufFile gguf(file.path());
  CHECK(gguf.string("general.architecture") == "bert");
  CHECK(gguf.integer("answer") == 42);
  CHECK(gguf.strings("labels").size() == 3 && gguf.strings("labels")[2] == "ü");
  CHECK(gguf.integer("absent", 7) == 7);
  CHECK_THROWS_CODE(gguf.string("absent"), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(gguf.string("answer"), ErrorCode::gguf_malformed);
  CHECK_THROWS_CODE(gguf.integer("general.architecture"), ErrorCode::gguf_malformed);
  const GgufTensor* b = gguf.find_tensor("b");
  CHECK(b != nullptr && b->shape == std::vector<int64_t>{3} && b->size_bytes == 12);
  float values[3];
  gguf.read_tensor(*b, 0, values, sizeof values);
  CHECK(values[0] == 9 && values[2] == 11);
  CHECK_THROWS_CODE(gguf.read_tensor(*b, 8, values, 8), ErrorCode::internal);
  CHECK(gguf.find_tensor("c") == nullptr);
}

TEST(gguf_missing_file_and_folder) {
  CHECK_THROWS_CODE(GgufFile("/nonexistent/model.gguf"), ErrorCode::model_not_found);
  CHECK_THROWS_CODE(GgufFile("/"), ErrorCode::io_failed);
}

TEST(gguf_refuses_every_truncation) {
  const std::string whole = small_file().build();
  for (size_t size = 0; size < whole.size(); size++) {
    CHECK(refusal(whole.substr(0, size)) == ErrorCode::gguf_malformed);
  }
  CHECK(refusal(whole) == ErrorCode::internal);
  CHECK(refusal(whole + std::string(31, '\0')) == ErrorCode::internal);
  CHECK(refusal(whole + std::string(64, '\0')) == ErrorCode::gguf_malformed);
}

TEST(gguf_refuses_bad_headers) {
  CHECK(refusal("GGML" + small_file().build().substr(4)) == ErrorCode::gguf_malformed);
  for (const uint32_t version : {0u, 1u, 4u, 0x03000000u}) {
    CHECK(refusal(small_file().build(version)) == ErrorCode::gguf_malformed);
  }
  const auto with_counts = [](uint64_t tensors, uint64_t values) {
    return "GGUF" + GgufBuilder::raw<uint32_t>(3) + GgufBuilder::raw(tensors) + GgufBuilder::raw(values) +
           std::string(4096, '\0');
  };
  for (const uint64_t count : {uint64_t(65537), uint64_t(1) << 40, kMax}) {
    CHECK(refusal(with_counts(count, 0)) == ErrorCode::limit_exceeded);
    CHECK(refusal(with_counts(0, count)) == ErrorCode::limit_exceeded);
  }
  CHECK(refusal(with_counts(60000, 0)) == ErrorCode::gguf_malformed);
}

TEST(gguf_refuses_bad_values) {
  CHECK(malformed(small_file().u32("answer", 1)));
  CHECK(malformed(small_file().u32("", 1)));
  CHECK(malformed(small_file().u32(std::string("a\0b", 3), 1)));
  CHECK(malformed(small_file().u32("\xff\xfe", 1)));
  CHECK(malformed(small_file().value("x", 7, GgufBuilder::raw<uint8_t>(2))));
  CHECK(malformed(small_file().value("x", 13, "")));
  CHECK(malformed(small_file().value("x", 8, GgufBuilder::raw<uint64_t>(kMax))));
  CHECK(malformed(small_file().value("x", 9, GgufBuilder::raw<uint32_t>(9) + GgufBuilder::raw<uint64_t>(1))));
  CHECK(malformed(
      small_file().value("x", 9, GgufBuilder::raw<uint32_t>(4) + GgufBuilder::raw<uint64_t>(1 << 20))));
  CHECK(refusal(small_file()
                    .value("x", 9, GgufBuilder::raw<uint32_t>(4) + GgufBuilder::raw<uint64_t>(kMax))
                    .build()) == ErrorCode::limit_exceeded);
  CHECK(refusal(small_file().u32(std::string(256, 'k'), 1).build()) == ErrorCode::limit_exceeded);
  for (const uint32_t alignment : {0u, 1u, 4u, 24u, 8192u, 0x80000000u}) {
    CHECK(malformed(small_file().u32("general.alignment", alignment)));
  }
  CHECK(malformed(small_file().str("general.alignment", "32")));
}

TEST(gguf_refuses_bad_tensors) {
  const auto with_shape = [](std::vector<uint64_t> shape, uint32_t type) {
    return GgufBuilder().raw_tensor({"t", std::move(shape), type, 0, std::string(64, '\0')});
  };
  CHECK(malformed(with_shape({}, 0)));
  CHECK(malformed(with_shape({1, 1, 1, 1, 1}, 0)));
  for (const uint64_t size : {uint64_t(0), uint64_t(1) << 31, (uint64_t(1) << 62) - 1, kMax, kMax / 4}) {
    CHECK(malformed(with_shape({size}, 0)));
    CHECK(malformed(with_shape({1, size}, 0)));
    CHECK(malformed(with_shape({1, 1, size}, 0)));
  }
  CHECK(malformed(with_shape({1 << 20, 1 << 20, 1 << 20, 1 << 20}, 0)));
  CHECK(malformed(with_shape({17}, 0)));      // one element more than there are bytes for
  CHECK(malformed(with_shape({16, 1}, 8)));   // half a Q8_0 block
  CHECK(malformed(with_shape({32, 1}, 12)));  // an eighth of a Q4_K block
  for (const uint32_t type : {4u, 5u, 9u, 15u, 31u, 255u, 0xffffffffu}) {
    CHECK(refusal(with_shape({16}, type).build()) == ErrorCode::dtype_unsupported);
  }
  CHECK(malformed(GgufBuilder().raw_tensor({"", {16}, 0, 0, std::string(64, '\0')})));
  CHECK(malformed(
      GgufBuilder().tensor("t", {8}, std::vector<float>(8)).tensor("t", {8}, std::vector<float>(8))));
  for (const uint64_t offset : {uint64_t(32), uint64_t(1), kMax - 31, kMax}) {
    CHECK(malformed(GgufBuilder().raw_tensor({"t", {16}, 0, offset, std::string(64, '\0')})));
  }
}

}  // namespace enc::test
