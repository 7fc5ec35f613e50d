{
  # A shim for tools that build through node-gyp: one action runs the CMake build.
  "targets": [
    {
      "target_name": "ggml_encoder_cmake",
      "type": "none",
      "actions": [
        {
          "action_name": "cmake_build",
          "inputs": ["CMakeLists.txt"],
          "outputs": ["<(module_root_dir)/build/Release/ggml_encoder.node"],
          "action": ["node", "<(module_root_dir)/scripts/build.mjs"]
        }
      ]
    }
  ]
}
