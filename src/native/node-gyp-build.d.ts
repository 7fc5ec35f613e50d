declare module 'node-gyp-build' {
  interface NodeGypBuild {
    /** Loads the addon that lies under the folder. */
    (folder: string): unknown;
    /** Path of the addon that would be loaded; throws when there is none. */
    resolve(folder: string): string;
  }
  const nodeGypBuild: NodeGypBuild;
  export = nodeGypBuild;
}
