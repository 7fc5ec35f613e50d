// The module's exports; src/native/bindings.ts declares them.
#include <napi.h>

#include "enc/device.h"
#include "enc/error.h"
#include "environment.h"
#include "errors.h"
#include "model_wrap.h"
#include "values.h"

namespace enc::node {
namespace {

Napi::Value devices(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  return guarded(env, [&] {
    const std::vector<DeviceInfo> found = list_devices();
    auto array = Napi::Array::New(env, found.size());
    for (size_t i = 0; i < found.size(); i++) array.Set(uint32_t(i), to_js(env, found[i]));
    return Napi::Value(array);
  });
}

void use_backend_folders(const Napi::CallbackInfo& info) {
  guarded(info.Env(), [&] {
    const auto folders = info[0].As<Napi::Array>();
    std::vector<std::string> paths;
    for (uint32_t i = 0; i < folders.Length(); i++)
      paths.push_back(folders.Get(i).As<Napi::String>().Utf8Value());
    set_backend_folders(std::move(paths));
  });
}

void shutdown(const Napi::CallbackInfo& info) {
  Environment::of(info.Env()).shutdown();
}

Napi::Object version(Napi::Env env) {
  auto object = Napi::Object::New(env);
  object.Set("ggml", ENC_GGML_VERSION);
  object.Set("compiler", ENC_COMPILER);
  return object;
}

Napi::Object init(Napi::Env env, Napi::Object exports) {
  Environment& environment = *Environment::create(env);
  environment.model_constructor = Napi::Persistent(ModelWrap::define(env));
  std::vector<std::string> codes;
#define ENC_PUSH(name) codes.emplace_back(#name);
  ENC_ERROR_CODES(ENC_PUSH)
#undef ENC_PUSH
  exports.Set("version", version(env));
  exports.Set("errorCodes", to_js(env, codes));
  exports.Set("devices", Napi::Function::New<devices>(env, "devices"));
  exports.Set("setBackendFolders", Napi::Function::New<use_backend_folders>(env, "setBackendFolders"));
  exports.Set("loadModel", Napi::Function::New<ModelWrap::load>(env, "loadModel"));
  exports.Set("estimateMemory", Napi::Function::New<ModelWrap::estimate>(env, "estimateMemory"));
  exports.Set("shutdown", Napi::Function::New<shutdown>(env, "shutdown"));
  return exports;
}

}  // namespace
}  // namespace enc::node

static Napi::Object init_module(Napi::Env env, Napi::Object exports) {
  return enc::node::init(env, exports);
}

NODE_API_MODULE(ggml_encoder, init_module)
