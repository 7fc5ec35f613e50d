/** One hostile input: files to lay into a checkpoint folder that is sound otherwise, or a GGUF file to load. */

export interface Case {
  /** format/what: unique, and what a failure is reported under. */
  readonly name: string;
  /** For `convert`: files by name, laid over the sound checkpoint; undefined removes one. */
  readonly files?: Readonly<Record<string, Uint8Array | string | undefined>>;
  /** For `load`: the GGUF file. Each case has either. */
  readonly gguf?: Uint8Array;
  /** The folder is converted as an adapter of the sound checkpoint. */
  readonly isAdapter?: boolean;
  /** Changes the folder further: links, FIFOs, folders in place of files. */
  readonly arrange?: (folder: string) => void;
  /** `refused`: with a code. `any`: that, or finite scores. */
  readonly expect: 'refused' | 'accepted' | 'any';
}

export function refused(name: string, files: Case['files'] & object): Case {
  return { name, files, expect: 'refused' };
}

export function either(name: string, files: Case['files'] & object): Case {
  return { name, files, expect: 'any' };
}
