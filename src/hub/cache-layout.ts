/**
 * The cache folder that huggingface_hub keeps: blobs under their checksum, commits as folders of links to them, branches
 * and tags as files that name a commit. What is written here Python finds, and the other way round.
 */
import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { copyFile, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';

import { EncoderError } from '../errors';
import { makeFolder } from '../support/make-folder';
import { replaceFile } from '../support/replace-file';
import { errnoOf } from '../support/source-file';
import type { HubFile } from './client';
import { type Repository, isCommit } from './repository';

export class CacheLayout {
  /** Folder of the repository. */
  readonly root: string;

  constructor(
    cacheDir: string,
    private readonly repository: Repository,
  ) {
    this.root = join(cacheDir, `models--${repository.owner}--${repository.name}`);
  }

  snapshot(commit: string): string {
    return join(this.root, 'snapshots', commit);
  }

  blob({ etag }: HubFile): string {
    return join(this.root, 'blobs', etag);
  }

  /** The commit that the revision stood for when it was last looked up; undefined when that is not known. */
  async cachedCommit(): Promise<string | undefined> {
    const { revision } = this.repository;
    const commit = isCommit(revision)
      ? revision
      : await readFile(this.ref(), 'utf8').then(
          (text) => text.trim(),
          () => '',
        );
    if (!isCommit(commit)) return undefined;
    const stats = await stat(this.snapshot(commit)).catch(() => undefined);
    return stats?.isDirectory() === true ? commit : undefined;
  }

  async rememberCommit(commit: string): Promise<void> {
    if (commit === this.repository.revision) return;
    await this.writing(async () => {
      const path = this.ref();
      await makeFolder(dirname(path));
      const temporary = temporaryName(path);
      await writeFile(temporary, commit);
      await replaceFile(temporary, path);
    });
  }

  /** Bytes of a file of the snapshot, undefined when it is not there. */
  async cachedBytes(commit: string, path: string): Promise<number | undefined> {
    const stats = await stat(join(this.snapshot(commit), path)).catch(() => undefined);
    return stats?.isFile() === true ? stats.size : undefined;
  }

  async blobBytes(file: HubFile): Promise<number | undefined> {
    const stats = await stat(this.blob(file)).catch(() => undefined);
    return stats?.isFile() === true ? stats.size : undefined;
  }

  /** True when a lookup has shown that the commit has no such file. */
  async isKnownAbsent(commit: string, path: string): Promise<boolean> {
    return (await stat(this.absence(commit, path)).catch(() => undefined)) !== undefined;
  }

  async rememberAbsent(commit: string, path: string): Promise<void> {
    const marker = this.absence(commit, path);
    await this.writing(async () => {
      await makeFolder(dirname(marker));
      await writeFile(marker, '');
    });
  }

  /** Makes the folders that a file needs. */
  async prepare(commit: string, file: HubFile): Promise<void> {
    await this.writing(async () => {
      await makeFolder(dirname(this.blob(file)));
      await makeFolder(dirname(join(this.snapshot(commit), file.path)));
    });
  }

  /** Puts a complete blob into the snapshot: a relative link or, where the system has none, a copy. */
  async link(commit: string, file: HubFile): Promise<void> {
    const blob = this.blob(file);
    const path = join(this.snapshot(commit), file.path);
    await this.writing(async () => {
      const temporary = temporaryName(path);
      await symlink(relative(dirname(path), blob), temporary).catch(async (error: unknown) => {
        if (!['EPERM', 'EACCES', 'ENOSYS', 'ENOTSUP'].includes(errnoOf(error))) throw error;
        await copyFile(blob, temporary, constants.COPYFILE_FICLONE);
      });
      // Replaced in one step, since others may be reading the snapshot.
      await replaceFile(temporary, path);
    });
  }

  private ref(): string {
    return join(this.root, 'refs', this.repository.revision);
  }

  private absence(commit: string, path: string): string {
    return join(this.root, '.no_exist', commit, path);
  }

  private async writing(action: () => Promise<void>): Promise<void> {
    await action().catch((cause: unknown) => {
      throw new EncoderError('io_failed', `cannot write into the Hub's cache ${this.root} (${errnoOf(cause)})`, {
        cause,
      });
    });
  }
}

function temporaryName(path: string): string {
  return `${path}.${randomBytes(8).toString('hex')}.tmp`;
}
