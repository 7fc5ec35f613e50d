/** A checkpoint folder as Hugging Face writes it: which files it has, opened once, and closed together. */
import { readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';

import { EncoderError } from '../errors';
import { type JsonObject, type JsonValue, decodeUtf8, isJsonObject, parseJson, shown } from '../support/json';
import { DEFAULT_LIMITS, type Limits, limitExceeded } from '../support/limits';
import { SourceFile, errnoOf } from '../support/source-file';
import { ADAPTER_CONFIG } from './adapter/adapter-config';
import { ConfigReader } from './config';
import { OnnxWeights } from './readers/onnx-weights';
import { ShardedSource, readShardIndex } from './readers/sharded';
import { SETFIT_CONFIG, SETFIT_HEAD, type SetFitHead, readSetFitHead } from './sentence-transformers/setfit-head';
import type { TensorSource } from './readers/tensor-source';
import {
  MODEL_SETTINGS,
  MODULES,
  type ModuleFolders,
  type TRANSFORMER_SETTINGS,
  listModules,
  moduleFolders,
} from './sentence-transformers/modules';
import {
  ADAPTER_FORMATS,
  ONNX_FILES,
  OTHER_WEIGHTS,
  WEIGHT_FORMATS,
  WEIGHT_NAMES,
  type WeightFormat,
  weightsAdvice,
} from './weight-formats';

const CONFIG = 'config.json';
/** The settings of Stanford's ColBERT. */
export const COLBERT_SETTINGS = 'artifact.metadata';
export const CHAT_TEMPLATE = 'chat_template.jinja';
/** subword-nmt's merges. */
export const SUBWORD_CODES = 'bpe.codes';
export const SENTENCEPIECE_MODELS = [
  'sentencepiece.bpe.model',
  'sentencepiece.model',
  'spm.model',
  'spiece.model',
  'tokenizer.model',
];

/** The tokenizer's files; each is undefined when the folder lacks it. */
export interface TokenizerFiles {
  /** tokenizer.json */
  readonly tokenizer: JsonObject | undefined;
  /** tokenizer_config.json */
  readonly config: JsonObject | undefined;
  /** special_tokens_map.json */
  readonly specialTokens: JsonObject | undefined;
  /** added_tokens.json */
  readonly addedTokens: JsonObject | undefined;
  /** vocab.txt; like vocab.json and merges.txt only looked for where there is no tokenizer.json. */
  readonly vocabulary: string | undefined;
  /** vocab.json */
  readonly vocabularyTable?: JsonObject | undefined;
  /** merges.txt */
  readonly merges?: string | undefined;
  /** bpe.codes, beside which vocab.txt is looked for whatever else is there. */
  readonly codes?: string | undefined;
  /** The first of SENTENCEPIECE_MODELS that is there, looked for like vocab.txt. */
  readonly sentencePiece?: { readonly name: string; readonly bytes: Buffer } | undefined;
}

/** What a conversion asks of a checkpoint: of one folder, or of an adapter and its base together. */
export type CheckpointFiles = Pick<
  Checkpoint,
  | 'folder'
  | 'modelFolder'
  | 'name'
  | 'modules'
  | 'config'
  | 'settings'
  | 'moduleConfig'
  | 'optionalModuleConfig'
  | 'moduleWeights'
  | 'setFitHead'
  | 'colbertSettings'
  | 'chatTemplate'
  | 'tokenizerFiles'
  | 'weights'
>;

export class Checkpoint {
  private readonly files = new Map<string, SourceFile>();
  private model: string;
  private folders: ModuleFolders | undefined;

  private constructor(
    /** Absolute path of the folder that was named. */
    readonly folder: string,
    private readonly allowedRoots: readonly string[],
    private readonly limits: Limits,
  ) {
    this.model = folder;
  }

  /** Throws `checkpoint_not_found` when there is no folder `source`. */
  static async open(source: string, limits: Limits = DEFAULT_LIMITS): Promise<Checkpoint> {
    const folder = resolve(source);
    const stats = await stat(folder).catch((cause: unknown) => {
      const advice = 'pass a folder with a Hugging Face checkpoint, or owner/name of a repository on the Hub';
      throw new EncoderError('checkpoint_not_found', `no checkpoint at ${source} (${errnoOf(cause)}); ${advice}`, {
        cause,
      });
    });
    if (!stats.isDirectory()) {
      throw new EncoderError('checkpoint_not_found', `${source} is a file; pass the folder that holds config.json`);
    }
    const real = await realpath(folder);
    // The Hub's cache keeps snapshots/<revision>/<name> as links into blobs/ beside snapshots/.
    const checkpoint = new Checkpoint(folder, [real, join(dirname(dirname(real)), 'blobs')], limits);
    await checkpoint.findModel().catch(async (error: unknown) => {
      await checkpoint.close();
      throw error;
    });
    return checkpoint;
  }

  /** Absolute path of the folder with the model's own files: `folder`, or the transformer's folder in it. */
  get modelFolder(): string {
    return this.model;
  }

  /** What modules.json says; undefined when there is none. */
  get modules(): ModuleFolders | undefined {
    return this.folders;
  }

  /** A name for people: the Hub's cache folder `models--org--name` gives `name`, any other its own name. */
  get name(): string {
    const repository = basename(dirname(dirname(this.folder)));
    const match = /^models--(?:.+--)?(.+)$/.exec(repository);
    return match !== null && basename(dirname(this.folder)) === 'snapshots' ? match[1]! : basename(this.folder);
  }

  /** Every file opened so far, by its name in the folder, in the order of names. */
  get namedFiles(): readonly { readonly name: string; readonly file: SourceFile }[] {
    return [...this.files].map(([name, file]) => ({ name, file })).sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async config(): Promise<ConfigReader> {
    const config = await this.optionalConfig();
    if (config !== undefined) return config;
    const advice = (await ggufAdvice(this.modelFolder)) ?? 'it is no Hugging Face checkpoint';
    throw new EncoderError('checkpoint_not_found', `${this.modelFolder} has no ${CONFIG}; ${advice}`);
  }

  /** config.json; undefined when there is none. */
  async optionalConfig(): Promise<ConfigReader | undefined> {
    return this.optionalReader(CONFIG);
  }

  /** sentence-transformers' settings of the model or of its transformer; undefined when absent. */
  async settings(name: typeof MODEL_SETTINGS | typeof TRANSFORMER_SETTINGS): Promise<ConfigReader | undefined> {
    return this.optionalReader(name, name === MODEL_SETTINGS ? this.folder : this.modelFolder);
  }

  /** The settings of the module in the folder `name` of the model's. */
  async moduleConfig(name: string): Promise<ConfigReader> {
    const config = await this.optionalModuleConfig(name);
    if (config !== undefined) return config;
    throw new EncoderError(
      'checkpoint_not_found',
      `${join(this.folder, name)} has no ${CONFIG}, which the module needs`,
    );
  }

  async optionalModuleConfig(name: string): Promise<ConfigReader | undefined> {
    return this.optionalReader(CONFIG, join(this.folder, name));
  }

  /** The head that SetFit puts on the embeddings of a model without a head of its own. */
  async setFitHead(): Promise<SetFitHead> {
    const path = join(this.folder, SETFIT_HEAD);
    const bytes = await this.optionalBytes(SETFIT_HEAD, 'pickleBytes', this.folder);
    if (bytes === undefined) throw new EncoderError('checkpoint_not_found', `${path} is not there`);
    return readSetFitHead({ bytes, path }, await this.optionalReader(SETFIT_CONFIG, this.folder), this.limits);
  }

  /** What Stanford's ColBERT was trained with; undefined when the folder does not say. */
  async colbertSettings(): Promise<ConfigReader | undefined> {
    return this.optionalReader(COLBERT_SETTINGS, this.folder);
  }

  /** The weights of the module in the folder `name` of the model's. */
  async moduleWeights(name: string): Promise<TensorSource> {
    return this.weightsIn(join(this.folder, name));
  }

  /** Opens what the modules behind the transformer are made of. */
  async openModules(): Promise<void> {
    if (this.folders === undefined) return;
    // The head itself is open: it was looked for beside modules.json.
    if (this.folders.head !== undefined && this.folders.head.scores === undefined) {
      await this.tryOpen(SETFIT_CONFIG, this.folder);
    }
    for (const { folder, hasWeights, isOptional } of listModules(this.folders)) {
      await (isOptional ? this.optionalModuleConfig(folder) : this.moduleConfig(folder));
      if (hasWeights) await this.moduleWeights(folder);
    }
  }

  /** The chat template in a file of its own; undefined when absent. */
  async chatTemplate(): Promise<{ readonly source: string; readonly path: string } | undefined> {
    const source = await this.optionalText(CHAT_TEMPLATE, 'configBytes');
    return source === undefined ? undefined : { source, path: join(this.modelFolder, CHAT_TEMPLATE) };
  }

  async tokenizerFiles(): Promise<TokenizerFiles> {
    const tokenizer = await this.optionalObject('tokenizer.json', 'tokenizerBytes');
    const codes = await this.optionalText(SUBWORD_CODES, 'tokenizerBytes');
    const isWhole = tokenizer !== undefined;
    const hasVocabulary = !isWhole || codes !== undefined;
    return {
      tokenizer,
      config: await this.optionalObject('tokenizer_config.json', 'tokenizerBytes'),
      specialTokens: await this.optionalObject('special_tokens_map.json', 'configBytes'),
      addedTokens: await this.optionalObject('added_tokens.json', 'tokenizerBytes'),
      vocabulary: hasVocabulary ? await this.optionalText('vocab.txt', 'tokenizerBytes') : undefined,
      vocabularyTable: isWhole ? undefined : await this.optionalObject('vocab.json', 'tokenizerBytes'),
      merges: isWhole ? undefined : await this.optionalText('merges.txt', 'tokenizerBytes'),
      codes,
      sentencePiece: isWhole ? undefined : await this.sentencePieceModel(),
    };
  }

  private async sentencePieceModel(): Promise<TokenizerFiles['sentencePiece']> {
    for (const name of SENTENCEPIECE_MODELS) {
      const bytes = await this.optionalBytes(name, 'tokenizerBytes');
      if (bytes !== undefined) return { name, bytes };
    }
    return undefined;
  }

  /** The weights in the first format that the folder has, like transformers; a single file goes before shards, ONNX last. */
  async weights(): Promise<TensorSource> {
    return this.weightsIn(this.modelFolder);
  }

  /** What PEFT says of an adapter; undefined when the folder holds none, or weights of its own, which go first. */
  async adapterConfig(): Promise<ConfigReader | undefined> {
    if ((await this.tryOpen(ADAPTER_CONFIG)) === undefined) return undefined;
    for (const { single, index } of WEIGHT_FORMATS) {
      for (const name of [single, index]) {
        if ((await this.tryOpen(name)) !== undefined) return undefined;
      }
    }
    return this.optionalReader(ADAPTER_CONFIG);
  }

  /** The adapter's own tensors, under PEFT's names. */
  async adapterWeights(): Promise<TensorSource> {
    for (const { single, open } of ADAPTER_FORMATS) {
      const file = await this.tryOpen(single);
      if (file !== undefined) return open(file, this.limits);
    }
    const names = ADAPTER_FORMATS.map(({ single }) => single).join(' nor ');
    throw new EncoderError('checkpoint_not_found', `${this.modelFolder} holds ${ADAPTER_CONFIG}, but no ${names}`);
  }

  /** Throws `io_failed` when a file was written to since it was opened. */
  async checkUnchanged(): Promise<void> {
    for (const file of this.files.values()) await file.checkUnchanged();
  }

  async close(): Promise<void> {
    const files = [...this.files.values()];
    this.files.clear();
    for (const file of files) await file.close();
  }

  private async weightsIn(folder: string): Promise<TensorSource> {
    for (const format of WEIGHT_FORMATS) {
      const single = await this.tryOpen(format.single, folder);
      if (single !== undefined) return format.open(single, this.limits);
      const index = await this.optionalJson(format.index, 'indexBytes', folder);
      if (index !== undefined) return this.shardedWeights(index, join(folder, format.index), format);
    }
    for (const name of ONNX_FILES) {
      const exported = await this.tryOpen(name, folder);
      if (exported === undefined) continue;
      return OnnxWeights.open(exported, this.limits, (data) => this.tryOpen(data, dirname(join(folder, name))));
    }
    return this.reportMissingWeights(folder);
  }

  private async shardedWeights(index: JsonValue, path: string, format: WeightFormat): Promise<TensorSource> {
    const shards = readShardIndex(index, path, format.extension, this.limits);
    const sources = new Map<string, TensorSource>();
    for (const shard of shards) {
      const file = await this.tryOpen(shard, dirname(path));
      if (file === undefined) {
        throw new EncoderError('checkpoint_not_found', `${path} names ${shard}, which is not there; download it too`);
      }
      sources.set(shard, await format.open(file, this.limits));
    }
    return ShardedSource.join(sources, path);
  }

  private async reportMissingWeights(folder: string): Promise<never> {
    for (const name of OTHER_WEIGHTS) {
      const found = await stat(join(folder, name)).catch(() => undefined);
      if (found !== undefined) {
        throw new EncoderError(
          'checkpoint_not_found',
          `${folder} holds ${name} but none of ${WEIGHT_NAMES}; ${weightsAdvice(name)}`,
        );
      }
    }
    const advice = (await ggufAdvice(folder)) ?? 'nor is there an index of shards';
    throw new EncoderError('checkpoint_not_found', `${folder} holds none of ${WEIGHT_NAMES}; ${advice}`);
  }

  /** sentence-transformers may keep the model in a folder of its own. */
  private async findModel(): Promise<void> {
    const modules = await this.optionalJson(MODULES, 'configBytes', this.folder);
    if (modules === undefined) return;
    const hasSetFitHead = (await this.tryOpen(SETFIT_HEAD, this.folder)) !== undefined;
    this.folders = moduleFolders(modules, join(this.folder, MODULES), hasSetFitHead);
    this.model = join(this.folder, this.folders.transformer);
  }

  private async optionalReader(name: string, folder = this.modelFolder): Promise<ConfigReader | undefined> {
    const json = await this.optionalObject(name, 'configBytes', folder);
    return json === undefined ? undefined : new ConfigReader(json, join(folder, name));
  }

  private async optionalObject(
    name: string,
    limit: keyof Limits,
    folder = this.modelFolder,
  ): Promise<JsonObject | undefined> {
    const json = await this.optionalJson(name, limit, folder);
    if (json === undefined || isJsonObject(json)) return json;
    throw new EncoderError('checkpoint_malformed', `${join(folder, name)} is not a JSON object`);
  }

  private async optionalJson(
    name: string,
    limit: keyof Limits,
    folder = this.modelFolder,
  ): Promise<JsonValue | undefined> {
    const text = await this.optionalText(name, limit, folder);
    const isOfPython = limit === 'configBytes' || (limit === 'tokenizerBytes' && name !== 'tokenizer.json');
    return text === undefined ? undefined : parseJson(text, { what: join(folder, name), isOfPython });
  }

  private async optionalText(
    name: string,
    limit: keyof Limits,
    folder = this.modelFolder,
  ): Promise<string | undefined> {
    const bytes = await this.optionalBytes(name, limit, folder);
    return bytes === undefined ? undefined : decodeUtf8(bytes, join(folder, name));
  }

  private async optionalBytes(
    name: string,
    limit: keyof Limits,
    folder = this.modelFolder,
  ): Promise<Buffer | undefined> {
    const file = await this.tryOpen(name, folder);
    if (file === undefined) return undefined;
    if (file.sizeBytes > this.limits[limit]) {
      throw limitExceeded(this.limits, limit, `${file.path} has ${file.sizeBytes} bytes`);
    }
    return file.read(0, file.sizeBytes);
  }

  /** Opens a file of the folder, following links only to where the folder's owner keeps its files. */
  private async tryOpen(name: string, folder = this.modelFolder): Promise<SourceFile | undefined> {
    const path = join(folder, name);
    const key = relative(this.folder, path);
    const opened = this.files.get(key);
    if (opened !== undefined) return opened;
    const real = await realpath(path).catch((cause: unknown) => {
      if (errnoOf(cause) === 'ENOENT') return undefined;
      throw new EncoderError('io_failed', `cannot open ${path} (${errnoOf(cause)})`, { cause });
    });
    if (real === undefined) return undefined;
    if (!this.allowedRoots.some((root) => real.startsWith(root + sep))) {
      throw new EncoderError(
        'checkpoint_malformed',
        `${path} is a link out of the folder, to ${real}; copy the file instead`,
      );
    }
    const file = await SourceFile.open(real, 'checkpoint_not_found');
    this.files.set(key, file);
    return file;
  }
}

/** Undefined for a folder without GGUF files. */
async function ggufAdvice(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const gguf = names.sort().find((name) => name.endsWith('.gguf'));
  return gguf === undefined ? undefined : `pass the file ${shown(gguf)} in it`;
}
