// What a file says about chats: the template as it stands there, and what its keys may not say.
#include "check.h"
#include "enc/error.h"
#include "enc/model.h"
#include "load_options.h"
#include "tiny_model.h"

namespace enc::test {
namespace {

using Strings = std::vector<std::string>;

GgufBuilder chat_model() {
  GgufBuilder file = tiny_model();
  file.str("tokenizer.chat_template", "{{ messages[0].content }}");
  return file;
}

std::shared_ptr<Model> load(GgufBuilder& file) {
  const TemporaryFile path(file.build());
  return Model::load(path.path(), options_for(KernelChoice::kAuto, 1));
}

ModelInfo load_info(GgufBuilder file) {
  return load(file)->info();
}

TEST(a_chat_template_is_told_with_its_variables) {
  GgufBuilder file = chat_model();
  file.strs("ggml_encoder.chat.variables", {"bos_token"}).strs("ggml_encoder.chat.values", {"[CLS]"});
  const ModelInfo info = load(file)->info();
  CHECK(info.chat_source == "{{ messages[0].content }}");
  CHECK(info.chat_variables == Strings{"bos_token"});
  CHECK(info.chat_values == Strings{"[CLS]"});

  GgufBuilder none = tiny_model();
  CHECK(load(none)->info().chat_source.empty());
}

TEST(an_answer_to_chats_is_told_with_its_beginning) {
  CHECK(!load_info(chat_model()).chat_answer);
  GgufBuilder file = chat_model();
  file.str("ggml_encoder.chat.answer", "It is").boolean("ggml_encoder.chat.generation_prompt", true);
  const ModelInfo info = load_info(std::move(file));
  CHECK(info.chat_answer == "It is");
  CHECK(info.chat_generation_prompt);

  GgufBuilder none = tiny_model();
  none.str("ggml_encoder.chat.answer", "");
  CHECK_THROWS_CODE(load(none), ErrorCode::gguf_malformed);
}

TEST(keys_of_chats_that_contradict_each_other_are_refused) {
  GgufBuilder more = chat_model();
  more.strs("ggml_encoder.chat.variables", {"bos_token"});
  CHECK_THROWS_CODE(load(more), ErrorCode::gguf_malformed);

  // Nothing adds the token that such a head reads.
  GgufBuilder ends = chat_model();
  ends.str("ggml_encoder.head.pooling", "eos").u32("ggml_encoder.head.eos_token_id", 3);
  CHECK_THROWS_CODE(load(ends), ErrorCode::gguf_malformed);
  GgufBuilder sound = tiny_model();
  sound.str("ggml_encoder.head.pooling", "eos").u32("ggml_encoder.head.eos_token_id", 3);
  load(sound);
}

}  // namespace
}  // namespace enc::test
