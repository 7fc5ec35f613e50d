// JavaScript values to the library's structs and back. Field names are those of src/native/bindings.ts.
#pragma once

#include <napi.h>

#include <vector>

#include "enc/device.h"
#include "enc/model.h"

namespace enc::node {

LoadOptions to_load_options(Napi::Object options);
/// Throws Error(input_too_long) for a text of more than 128 MiB.
std::vector<Input> to_inputs(Napi::Value texts, Napi::Value pairs);
EncodeOptions to_encode_options(Napi::Object options);

Napi::Object to_js(Napi::Env env, const DeviceInfo& device);
Napi::Object to_js(Napi::Env env, const ModelInfo& info);
Napi::Object to_js(Napi::Env env, const MemoryEstimate& estimate);
Napi::Object to_js(Napi::Env env, const RunResult& result);
Napi::Object to_js(Napi::Env env, const TokenizeResult& result);
Napi::Array to_js(Napi::Env env, const std::vector<std::string>& strings);

}  // namespace enc::node
