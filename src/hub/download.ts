/** One file from the Hub into the cache: resumed where it broke off, and used only when size and checksum are right. */
import type { HubClient, HubFile } from './client';
import { MAX_ATTEMPTS, isTransient, reasonOf } from './http';
import { PartialFile } from './partial-file';
import { EncoderError } from '../errors';

/**
 * Downloads `file` at `commit` to the path `blob`. `onBytes` hears how much of it is there. Throws `hub_*`, `io_failed`
 * or `aborted`; what was downloaded by then is kept for the next time, unless it is wrong.
 */
export async function downloadBlob(
  client: HubClient,
  commit: string,
  file: HubFile,
  blob: string,
  onBytes: (sizeBytes: number) => void,
): Promise<void> {
  const partial = await PartialFile.open(file, blob);
  try {
    const resumed = partial.length > 0;
    await fill(client, commit, file, partial, onBytes);
    if (!partial.isSound() && resumed) {
      // The old part may be what is wrong: once more, all of it.
      await partial.clear();
      await fill(client, commit, file, partial, onBytes);
    }
    if (!partial.isSound()) {
      await partial.discard();
      const name = file.checksum === 'sha256' ? 'SHA-256' : 'git checksum';
      throw client.http.error('hub_download_corrupt', `${file.path} arrived with another ${name} than the Hub gives`);
    }
    await partial.finish();
  } catch (error) {
    await partial.keep();
    throw error;
  }
}

/** Requests what is missing until all bytes are there; attempts are counted anew whenever one brought something. */
async function fill(
  client: HubClient,
  commit: string,
  file: HubFile,
  partial: PartialFile,
  onBytes: (sizeBytes: number) => void,
): Promise<void> {
  const { http } = client;
  for (let attempt = 1; partial.length < file.sizeBytes; attempt++) {
    const before = partial.length;
    if (attempt > 1) await http.pause(attempt);
    let reason = 'the connection was closed early';
    try {
      const range: Record<string, string> = before > 0 ? { range: `bytes=${before}-` } : {};
      const response = await http.get(client.address(commit, file.path), range);
      await checkExtent(client, file, partial, response);
      for await (const piece of http.pieces(response)) {
        if (partial.length + piece.length > file.sizeBytes) throw wrongSize(client, file, 'more');
        await partial.append(piece);
        onBytes(partial.length);
      }
    } catch (error) {
      http.throwIfAborted();
      if (isTransient(error)) reason = error.failure.message;
      else if (error instanceof EncoderError) throw error;
      else reason = reasonOf(error);
    }
    if (partial.length > before) attempt = 1;
    else if (attempt === MAX_ATTEMPTS) {
      throw http.error(
        'hub_unreachable',
        `${file.path} broke off after ${partial.length} of ${file.sizeBytes} bytes (${reason}); run again to go on from there`,
      );
    }
  }
}

/** A server that ignores the range starts over; one that announces another size than the listing is refused. */
async function checkExtent(client: HubClient, file: HubFile, partial: PartialFile, response: Response): Promise<void> {
  const range = response.headers.get('content-range');
  let start = 0;
  let announced = Number(response.headers.get('content-length') ?? file.sizeBytes);
  if (response.status === 206) {
    const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(range ?? '');
    if (match === null || Number(match[1]) !== partial.length || Number(match[2]) !== file.sizeBytes - 1) {
      await response.body?.cancel();
      throw client.http.error('hub_response_invalid', `${file.path}: another part was sent than asked for`);
    }
    start = partial.length;
    announced = Number(match[3]);
  }
  if (announced !== file.sizeBytes) {
    await response.body?.cancel();
    throw wrongSize(client, file, `${announced}`);
  }
  if (start === 0 && partial.length > 0) await partial.clear();
}

function wrongSize(client: HubClient, file: HubFile, found: string): EncoderError {
  return client.http.error(
    'hub_download_corrupt',
    `${file.path} should have ${file.sizeBytes} bytes, the server sends ${found}`,
  );
}
