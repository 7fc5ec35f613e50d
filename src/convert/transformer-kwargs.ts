/** Arguments that sentence_bert_config.json hands to transformers, and that would change what the checkpoint says. */
import { ConfigReader } from './config';

/** What may stand in model_kwargs without a change to the model. */
const HARMLESS_MODEL_KWARGS = ['attn_implementation', 'device_map', 'dtype', 'torch_dtype', 'trust_remote_code'];
const HARMLESS: Readonly<Record<string, readonly string[]>> = {
  model_kwargs: HARMLESS_MODEL_KWARGS,
  model_args: HARMLESS_MODEL_KWARGS,
  processor_kwargs: ['padding_side', 'trust_remote_code'],
  tokenizer_args: ['padding_side', 'trust_remote_code'],
  config_kwargs: ['trust_remote_code'],
  config_args: ['trust_remote_code'],
};

/** What changes model, configuration or tokenizer on the way in is not followed but refused. */
export function refuseKwargs(transformer: ConfigReader): void {
  for (const [key, harmless] of Object.entries(HARMLESS)) {
    const name = Object.keys(transformer.object(key) ?? {}).find((candidate) => !harmless.includes(candidate));
    if (name !== undefined) transformer.unsupported(`${key} sets ${name.slice(0, 40)}`);
  }
  const processing = new ConfigReader(transformer.object('processing_kwargs') ?? {}, transformer.path);
  for (const key of ['text', 'common']) {
    const [name] = Object.keys(processing.object(key) ?? {});
    if (name !== undefined) transformer.unsupported(`processing_kwargs sets ${key}.${name.slice(0, 40)}`);
  }
}
