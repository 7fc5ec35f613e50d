/** Several weight files as one source, after the map in an index file, which is checked against them. */
import { EncoderError } from '../../errors';
import { isJsonObject, type JsonValue, shown } from '../../support/json';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../../support/limits';
import type { SourceTensor, TensorSource } from './tensor-source';

/** Shard names are text from the file: letters, digits and a few marks only, so that none can lead out of the folder. */
const SHARD_NAME = /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,242}$/;

/** Tensor name -> file name, and the distinct file names, which all end in `extension`. Throws `checkpoint_malformed` or `limit_exceeded`. */
export function readShardIndex(
  json: JsonValue,
  path: string,
  extension: string,
  limits: Limits = DEFAULT_LIMITS,
): { map: Map<string, string>; shards: string[] } {
  const weightMap = isJsonObject(json) ? json['weight_map'] : undefined;
  if (!isJsonObject(weightMap)) throw new EncoderError('checkpoint_malformed', `${path} has no weight_map`);
  const tensors = Object.keys(weightMap);
  if (tensors.length > limits.tensors)
    throw limitExceeded(limits, 'tensors', `${path} names ${tensors.length} tensors`);
  const map = new Map<string, string>();
  for (const tensor of tensors) {
    const shard = weightMap[tensor];
    if (typeof shard !== 'string' || !SHARD_NAME.test(shard) || !shard.endsWith(extension)) {
      throw new EncoderError(
        'checkpoint_malformed',
        `${path}: ${tensor} is said to lie in ${shown(shard, 100)}, which is no plain file name ending in ${extension}`,
      );
    }
    map.set(tensor, shard);
  }
  const shards = [...new Set(map.values())].sort();
  if (shards.length > limits.shards) throw limitExceeded(limits, 'shards', `${path} names ${shards.length} files`);
  if (shards.length === 0) throw new EncoderError('checkpoint_malformed', `${path} names no tensors`);
  return { map, shards };
}

export class ShardedSource implements TensorSource {
  private constructor(private readonly sources: ReadonlyMap<string, TensorSource>) {}

  /**
   * Joins the shards. Each may hold only what the index gives it. It may hold less: those who made shards of another
   * format from pytorch_model.bin left tied tensors out and kept them in the index.
   */
  static join(
    index: ReadonlyMap<string, string>,
    shards: ReadonlyMap<string, TensorSource>,
    path: string,
  ): ShardedSource {
    const sources = new Map<string, TensorSource>();
    for (const [shard, source] of shards) {
      for (const name of source.names()) {
        if (index.get(name) !== shard) {
          const said = index.get(name) ?? 'no file';
          throw new EncoderError('checkpoint_malformed', `${path} puts ${name} into ${said}, but ${shard} holds it`);
        }
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
