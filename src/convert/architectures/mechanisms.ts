/** Switches that config.json can set and that the encoder graph has, or refuses by name. */
import type { ConfigReader } from '../config';
import { MAX_HEAD_SIZE } from '../limits';
import type { EncoderHyperparameters } from './architecture';

/** Feed-forward activations that the graph computes, by their names in transformers. */
const ACTIVATIONS: readonly string[] = ['gelu', 'gelu_new', 'gelu_pytorch_tanh', 'relu', 'silu', 'swish'];

export function readActivation(config: ConfigReader, key: string): string {
  const name = config.string(key, 'gelu');
  if (!ACTIVATIONS.includes(name)) {
    config.unsupported(`${key} is ${JSON.stringify(name.slice(0, 60))}; supported are ${ACTIVATIONS.join(', ')}`);
  }
  return name;
}

/** Refuses what would make the same tensors mean something else. */
export function refuseDecoder(config: ConfigReader): void {
  for (const key of ['is_decoder', 'add_cross_attention', 'is_encoder_decoder']) {
    if (config.boolean(key, false)) config.unsupported(`${key} is true; only encoders are supported`);
  }
  const positions = config.string('position_embedding_type', 'absolute');
  if (positions !== 'absolute') {
    config.unsupported(
      `position_embedding_type is ${JSON.stringify(positions.slice(0, 60))}; only "absolute" is supported`,
    );
  }
  const pruned = config.get('pruned_heads');
  if (pruned !== undefined && Object.keys(Object(pruned) as object).length > 0) {
    config.unsupported('pruned_heads is not empty; save the model without pruned attention heads');
  }
}

export function checkHeads(config: ConfigReader, { hiddenSize, numHeads }: EncoderHyperparameters): void {
  if (hiddenSize % numHeads !== 0) {
    config.malformed(`the hidden size ${hiddenSize} is no multiple of the ${numHeads} attention heads`);
  }
  if (hiddenSize / numHeads > MAX_HEAD_SIZE) {
    config.unsupported(`attention heads of ${hiddenSize / numHeads} are larger than ${MAX_HEAD_SIZE}`);
  }
}
