/** An adapter's folder and its base's, read as the one checkpoint that merging them would give. */
import type { Limits } from '../../support/limits';
import { findArchitecture } from '../architectures/index';
import type { Checkpoint, CheckpointFiles, TokenizerFiles } from '../checkpoint';
import { ConfigReader } from '../config';
import { type ModuleFolders, TRANSFORMER_SETTINGS } from '../sentence-transformers/modules';
import type { SetFitHead } from '../sentence-transformers/setfit-head';
import { type AdapterConfig, type Task, readAdapterConfig } from './adapter-config';
import { AdaptedWeights } from './adapted-weights';

/** What config.json says of the head, which is the adapter's. */
const OF_THE_HEAD = ['id2label', 'label2id', 'num_labels', '_num_labels', 'problem_type', 'sentence_transformers'];

export class AdaptedCheckpoint implements CheckpointFiles {
  private joined: Promise<AdaptedWeights> | undefined;

  private constructor(
    private readonly adapter: Checkpoint,
    private readonly base: Checkpoint,
    private readonly settingsOfAdapter: AdapterConfig,
    private readonly task: Task,
    private readonly limits: Limits,
  ) {}

  static async open(adapter: Checkpoint, base: Checkpoint, limits: Limits): Promise<AdaptedCheckpoint> {
    const own = await adapter.adapterConfig();
    const config = readAdapterConfig(own!);
    const { modules } = adapter;
    if (modules?.head !== undefined || modules?.interaction !== undefined) {
      own!.unsupported('the adapter lies under modules, which are supported for whole models alone');
    }
    // transformers and sentence-transformers leave the task out, which their own settings then say.
    const transformer = config.task === undefined ? await adapter.settings(TRANSFORMER_SETTINGS) : undefined;
    const writes = modules?.logitScore !== undefined || transformer?.string('transformer_task') === 'text-generation';
    return new AdaptedCheckpoint(adapter, base, config, config.task ?? (writes ? 'CAUSAL_LM' : 'SEQ_CLS'), limits);
  }

  /** How a language model scores: as the adapter's folder says or, where it came without modules, the base's. */
  get modules(): ModuleFolders | undefined {
    return this.task === 'CAUSAL_LM' ? this.scorer.modules : this.adapter.modules;
  }

  private get scorer(): Checkpoint {
    const isBase = this.adapter.modules === undefined && this.base.modules?.logitScore !== undefined;
    return this.task === 'CAUSAL_LM' && isBase ? this.base : this.adapter;
  }

  get folder(): string {
    return this.adapter.folder;
  }

  get modelFolder(): string {
    return this.adapter.modelFolder;
  }

  get name(): string {
    return this.adapter.name;
  }

  /**
   * The base's, for the class of the task that its model_type decides; labels are those in a config.json beside the
   * adapter.
   */
  async config(): Promise<ConfigReader> {
    const { json, path } = await this.base.config();
    if (this.task === 'CAUSAL_LM') {
      const { unties } = await this.weights();
      const config = new ConfigReader(unties ? { ...json, tie_word_embeddings: false } : json, path);
      if (findArchitecture(config).scoresVocabulary === 'causal') return config;
      return config.unsupported('the adapter is one of a language model (CAUSAL_LM), and its base is none');
    }
    const own = await this.adapter.optionalConfig();
    const head = OF_THE_HEAD.map((key) => [key, own?.get(key) ?? null] as const);
    return new ConfigReader({ ...json, architectures: null, ...Object.fromEntries(head) }, path);
  }

  /** Joined once: a language model's configuration depends on them too. */
  weights(): Promise<AdaptedWeights> {
    return (this.joined ??= this.join());
  }

  /** Of the class that the adapter was trained in: the base's own, or the classifier of its model_type. */
  private classConfig({ json, path }: ConfigReader): ConfigReader {
    return new ConfigReader(this.task === 'CAUSAL_LM' ? json : { ...json, architectures: null }, path);
  }

  private async join(): Promise<AdaptedWeights> {
    const [base, config] = [await this.base.weights(), await this.base.config()];
    const isSeparate = [...base.names()].some((name) => name.endsWith('lm_head.weight'));
    return AdaptedWeights.join(base, await this.adapter.adapterWeights(), this.settingsOfAdapter, {
      isTied: config.boolean('tie_word_embeddings', !isSeparate),
      transposedModules: findArchitecture(this.classConfig(config)).transposedModules,
      isWhole: this.task === 'CAUSAL_LM',
      limits: this.limits,
    });
  }

  /** The adapter's where it was saved with a tokenizer, as trainers do; else the base's. */
  async tokenizerFiles(): Promise<TokenizerFiles> {
    const files = await this.adapter.tokenizerFiles();
    return hasTokenizer(files) ? files : this.base.tokenizerFiles();
  }

  settings(...[name]: Parameters<Checkpoint['settings']>): Promise<ConfigReader | undefined> {
    return this.scorer.settings(name);
  }

  /** Goes with the tokenizer. */
  async chatTemplate(): ReturnType<Checkpoint['chatTemplate']> {
    const isOwn = hasTokenizer(await this.adapter.tokenizerFiles());
    return (await this.adapter.chatTemplate()) ?? (isOwn ? undefined : this.base.chatTemplate());
  }

  moduleConfig(name: string): Promise<ConfigReader> {
    return this.scorer.moduleConfig(name);
  }

  optionalModuleConfig(name: string): Promise<ConfigReader | undefined> {
    return this.scorer.optionalModuleConfig(name);
  }

  setFitHead(): Promise<SetFitHead> {
    return this.scorer.setFitHead();
  }

  colbertSettings(): Promise<ConfigReader | undefined> {
    return this.scorer.colbertSettings();
  }

  moduleWeights(name: string): ReturnType<Checkpoint['moduleWeights']> {
    return this.scorer.moduleWeights(name);
  }
}

function hasTokenizer(files: TokenizerFiles): boolean {
  return (files.tokenizer ?? files.vocabulary ?? files.vocabularyTable ?? files.sentencePiece) !== undefined;
}
