/**
 * The converter, loaded when a checkpoint is first named: it is two thirds of the package's modules, and a GGUF file needs
 * none of them.
 */
import type * as Converter from '../convert/converter';
import type { ConvertOptions, ConvertResult } from '../convert/convert';

/** Not by import(), which test runners refuse that keep modules in realms of their own. @internal */
export function converter(): typeof Converter {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require('../convert/converter') as typeof Converter;
}

/**
 * Converts the checkpoint `source` to `options.output`: a folder or, where there is no such path, a repository on the
 * Hugging Face Hub (`owner/name`), whose files are downloaded into the cache that Python shares; or a GGUF file, such as
 * llama.cpp's converter writes. A folder holds config.json, its weights (model.safetensors or pytorch_model.bin, whole or
 * in shards with their index, or tf_model.h5, in this order), and tokenizer.json or vocab.txt. Or it holds an adapter
 * of PEFT (adapter_config.json, adapter_model.safetensors or .bin), which is merged into its base.
 *
 * Throws TypeError or RangeError for wrong options, and EncoderError: `checkpoint_not_found`, `checkpoint_malformed`,
 * `architecture_unsupported`, `tensor_missing`, `tensor_shape_mismatch`, `dtype_unsupported`, `weights_not_finite`,
 * `tokenizer_missing`, `tokenizer_unsupported`, `limit_exceeded`, `output_exists`, `io_failed`, `aborted`, and for the
 * Hub `hub_not_found`, `hub_unauthorized`, `hub_rate_limited`, `hub_unreachable`, `hub_offline`, `hub_response_invalid`,
 * `hub_download_corrupt`; for GGUF files also `gguf_malformed`.
 */
export async function convert(source: string, options: ConvertOptions): Promise<ConvertResult> {
  return converter().convert(source, options);
}
