// Bytes as a tokenizer.json, and a text through whatever tokenizer they make.
#include <cstdint>
#include <new>
#include <string_view>

#include "enc/error.h"
#include "enc/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view json(reinterpret_cast<const char*>(data), size);
  try {
    const auto tokenizer = enc::Tokenizer::from_json(json);
    enc::Encoding encoding;
    enc::EncodeOptions options;
    options.max_length = 64;
    tokenizer->encode("The word  \xC3\xA4\xE6\x97\xA5 [SEP] ##a b", "b", options, encoding);
    for (const int32_t id : encoding.ids) {
      if (id < 0 || size_t(id) >= tokenizer->vocab_size()) __builtin_trap();
    }
  } catch (const enc::Error& error) {
    if (error.code() == enc::ErrorCode::internal) __builtin_trap();
  } catch (const std::bad_alloc&) {
  }
  return 0;
}
