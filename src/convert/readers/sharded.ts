/** Several weight files as one source: those that the map in an index file names. */
import { EncoderError } from '../../errors';
import { isJsonObject, type JsonValue, shown } from '../../support/json';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import type { SourceTensor, TensorSource } from './tensor-source';

/** Shard names are text from the file: letters, digits, spaces and a few marks only, so that none can lead out of the folder. */
const SHARD_NAME = /^[\w-][\w .()+=@,-]{0,242}$/;

/** The distinct names of files, which all end in `extension`. Throws `checkpoint_malformed` or `limit_exceeded`. */
export function readShardIndex(
  json: JsonValue,
  path: string,
  extension: string,
  limits: Limits = DEFAULT_LIMITS,
): string[] {
  const weightMap = isJsonObject(json) ? json['weight_map'] : undefined;
  if (!isJsonObject(weightMap)) throw new EncoderError('checkpoint_malformed', `${path} has no weight_map`);
  const tensors = Object.keys(weightMap);
  if (tensors.length > limits.tensors)
    throw limitExceeded(limits, 'tensors', `${path} names ${tensors.length} tensors`);
  const named = new Set<string>();
  for (const tensor of tensors) {
    const shard = weightMap[tensor];
    if (typeof shard !== 'string' || !SHARD_NAME.test(shard) || !shard.endsWith(extension)) {
      throw new EncoderError(
        'checkpoint_malformed',
        `${path}: ${tensor} is said to lie in ${shown(shard, 100)}, which is no plain file name ending in ${extension}`,
      );
    }
    named.add(shard);
  }
  const shards = [...named].sort();
  if (shards.length > limits.shards) throw limitExceeded(limits, 'shards', `${path} names ${shards.length} files`);
  if (shards.length === 0) throw new EncoderError('checkpoint_malformed', `${path} names no tensors`);
  return shards;
}

export class ShardedSource implements TensorSource {
  private constructor(private readonly sources: ReadonlyMap<string, TensorSource>) {}

  /**
   * Joins the shards by what they hold, like transformers, to which the index only names the files: there may be more in it,
   * less, or another shard than the tensor lies in.
   */
  static join(shards: ReadonlyMap<string, TensorSource>, path: string): ShardedSource {
    const sources = new Map<string, TensorSource>();
    const holders = new Map<string, string>();
    for (const [shard, source] of shards) {
      for (const name of source.names()) {
        const other = holders.get(name);
        if (other !== undefined) {
          const reason = `${name} lies in both ${other} and ${shard}; save the model again, or leave one of the two`;
          throw new EncoderError('checkpoint_malformed', `${path}: ${reason}`);
        }
        holders.set(name, shard);
        sources.set(name, source);
      }
    }
    return new ShardedSource(sources);
  }

  names(): Iterable<string> {
    return this.sources.keys();
  }

  find(name: string): SourceTensor | undefined {
    return this.sources.get(name)?.find(name);
  }

  async read(name: string, offset: number, length: number): Promise<Buffer> {
    const source = this.sources.get(name);
    if (source === undefined) throw new EncoderError('internal', `a read of the absent tensor ${name}`);
    return source.read(name, offset, length);
  }
}
