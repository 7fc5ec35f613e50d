/** A GGUF file of another converter as what is converted: opened once, read, checked to have stayed the same. */
import { basename, resolve } from 'node:path';

import { type GgufHead, readGgufHeadOf } from '../../gguf/reader';
import type { Limits } from '../../support/limits';
import { SourceFile } from '../../support/source-file';
import type { ConversionPlan, PlanOptions } from '../conversion-plan';
import { planGguf } from './plan';

export class GgufCheckpoint {
  private constructor(
    private readonly file: SourceFile,
    private readonly head: GgufHead,
  ) {}

  /** Throws `model_not_found`, `io_failed`, `gguf_malformed`, `limit_exceeded`. */
  static async open(source: string, limits: Limits): Promise<GgufCheckpoint> {
    const file = await SourceFile.open(resolve(source), 'model_not_found');
    try {
      return new GgufCheckpoint(file, await readGgufHeadOf(file, limits));
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  get name(): string {
    return basename(this.file.path, '.gguf');
  }

  openFiles(): Promise<void> {
    return Promise.resolve();
  }

  get namedFiles(): readonly { readonly name: string; readonly file: SourceFile }[] {
    return [{ name: basename(this.file.path), file: this.file }];
  }

  plan(options: PlanOptions): Promise<ConversionPlan> {
    return Promise.resolve(planGguf(this.file, this.name, this.head, options));
  }

  async checkUnchanged(): Promise<void> {
    await this.file.checkUnchanged();
  }

  async close(): Promise<void> {
    await this.file.close();
  }
}
