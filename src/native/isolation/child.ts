/** The process that holds an isolated model: one model, driven over IPC, gone as soon as its parent is. */
import { messageOf } from '../../support/error-message';
import { nativeAddon } from '../addon';
import type { NativeJob, NativeModel } from '../bindings';
import type { Answer, Request, Response } from './messages';

let model: NativeModel | undefined;
const jobs = new Map<number, NativeJob<unknown>>();

function reply(response: Response): void {
  // The parent may be gone already; then nobody waits for the answer.
  process.send?.(response, undefined, {}, () => undefined);
}

async function answer(request: Request): Promise<Answer> {
  switch (request.kind) {
    case 'load':
      model = await nativeAddon().loadModel(request.path, request.options).promise;
      return model.info;
    case 'run':
      return track(request.id, loaded().run(request.texts, request.pairs, request.options));
    case 'tokenize':
      return track(request.id, loaded().tokenize(request.texts, request.pairs, request.options));
    case 'cancel':
      jobs.get(request.id)?.cancel();
      return undefined;
    case 'dispose':
      await model?.dispose();
      return undefined;
  }
}

async function track<Result>(id: number, job: NativeJob<Result>): Promise<Result> {
  jobs.set(id, job);
  try {
    return await job.promise;
  } finally {
    jobs.delete(id);
  }
}

function loaded(): NativeModel {
  if (model === undefined) throw Object.assign(new Error('a call before the model was loaded'), { code: 'internal' });
  return model;
}

function failure(error: unknown): { code: string; message: string } {
  const message = messageOf(error);
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : 'internal';
  return { code, message };
}

process.on('message', (request: Request) => {
  answer(request)
    .then((result) => {
      if (request.kind !== 'cancel') reply({ id: request.id, result });
    })
    // Also of a result that is more than the channel can carry.
    .catch((error: unknown) => {
      reply({ id: request.id, error: failure(error) });
    });
});
process.once('disconnect', () => {
  process.exit(0);
});
// Signals meant for the parent's group (Ctrl-C in a terminal) are the parent's business.
for (const signal of ['SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
