/** Settings of sentence_bert_config.json that would change what the checkpoint says, or what the transformer hands on. */
import { isJsonObject } from '../../support/json';
import { ConfigReader } from '../config';

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

/** Refuses a transformer that hands on something else than the last states of texts, to what is called `reader`. */
export function checkTransformerOutput(transformer: ConfigReader, reader: string): void {
  const task = transformer.string('transformer_task', 'feature-extraction');
  if (task !== 'feature-extraction') {
    transformer.unsupported(
      `transformer_task is ${task.slice(0, 40)}; ${reader} is supported after feature-extraction`,
    );
  }
  const modalities = transformer.object('modality_config');
  if (modalities === undefined) return;
  const text = modalities['text'];
  const output = isJsonObject(text) ? [text['method_output_name']].flat() : [];
  if (!isJsonObject(text) || text['method'] !== 'forward' || output.join() !== 'last_hidden_state') {
    transformer.unsupported('modality_config takes something else than the last_hidden_state of the forward method');
  }
  const name = transformer.string('module_output_name');
  if (name !== 'token_embeddings') {
    transformer.unsupported(`module_output_name is ${name ?? 'absent'}; ${reader} reads token_embeddings`);
  }
}
