/** An adapter's folder and its base's, read as the one checkpoint that merging them would give. */
import type { Limits } from '../../support/limits';
import type { Checkpoint, CheckpointFiles, TokenizerFiles } from '../checkpoint';
import { ConfigReader } from '../config';
import type { TensorSource } from '../readers/tensor-source';
import type { SetFitHead } from '../setfit-head';
import { readAdapterConfig } from './adapter-config';
import { AdaptedWeights } from './adapted-weights';

/** What config.json says of the head, which is the adapter's. */
const OF_THE_HEAD = ['id2label', 'label2id', 'num_labels', '_num_labels', 'problem_type', 'sentence_transformers'];

export class AdaptedCheckpoint implements CheckpointFiles {
  readonly modules = undefined;

  constructor(
    private readonly adapter: Checkpoint,
    private readonly base: Checkpoint,
    private readonly limits: Limits,
  ) {}

  get folder(): string {
    return this.adapter.folder;
  }

  get modelFolder(): string {
    return this.adapter.modelFolder;
  }

  get name(): string {
    return this.adapter.name;
  }

  /** The base's, for a class that its model_type decides; labels are those in a config.json beside the adapter. */
  async config(): Promise<ConfigReader> {
    const { json, path } = await this.base.config();
    const own = await this.adapter.optionalConfig();
    const head = OF_THE_HEAD.map((key) => [key, own?.get(key) ?? null] as const);
    return new ConfigReader({ ...json, architectures: null, ...Object.fromEntries(head) }, path);
  }

  async weights(): Promise<TensorSource> {
    const config = await this.adapter.adapterConfig();
    return AdaptedWeights.join(
      await this.base.weights(),
      await this.adapter.adapterWeights(),
      readAdapterConfig(config!),
      this.limits,
    );
  }

  /** The adapter's where it was saved with a tokenizer, as trainers do; else the base's. */
  async tokenizerFiles(): Promise<TokenizerFiles> {
    const files = await this.adapter.tokenizerFiles();
    const found = files.tokenizer ?? files.vocabulary ?? files.vocabularyTable ?? files.sentencePiece;
    return found === undefined ? this.base.tokenizerFiles() : files;
  }

  settings(...[name]: Parameters<Checkpoint['settings']>): Promise<ConfigReader | undefined> {
    return this.adapter.settings(name);
  }

  chatTemplate(): ReturnType<Checkpoint['chatTemplate']> {
    return this.adapter.chatTemplate();
  }

  moduleConfig(name: string): Promise<ConfigReader> {
    return this.adapter.moduleConfig(name);
  }

  optionalModuleConfig(name: string): Promise<ConfigReader | undefined> {
    return this.adapter.optionalModuleConfig(name);
  }

  setFitHead(): Promise<SetFitHead> {
    return this.adapter.setFitHead();
  }

  moduleWeights(name: string): Promise<TensorSource> {
    return this.adapter.moduleWeights(name);
  }
}
