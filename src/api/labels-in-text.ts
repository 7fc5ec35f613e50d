/** Zero-shot with a model that reads labels and text together: each text goes through it once, with all of its labels. */
import { mapInTurns } from '../support/map-in-turns';
import { placesOf } from './inputs';
import type { resolveZeroShotOptions } from './options';
import { toLabelClassification } from './results';
import type { ZeroShotClassification } from './results';
import type { RunControl, Session } from './session';

/** @internal One run for each list of labels, one after the other. */
export async function classifyByReadLabels<Label extends string>(
  session: Session,
  texts: readonly string[],
  candidates: readonly (readonly Label[])[],
  resolved: ReturnType<typeof resolveZeroShotOptions>,
  control: RunControl,
  nameOf?: (index: number) => string,
): Promise<ZeroShotClassification<Label>[]> {
  const results: ZeroShotClassification<Label>[] = [];
  let through = 0;
  const { onProgress } = control;
  for (const places of placesOf(candidates.map((labels) => JSON.stringify(labels))).values()) {
    const labels = candidates[places[0] ?? 0] ?? [];
    const columns = {
      texts: places.map((place) => texts[place] ?? ''),
      pairs: null,
      ...(nameOf && { nameOf: (index: number) => nameOf(places[index] ?? 0) }),
    };
    const done = through;
    const rows = await session.run(
      columns,
      { ...resolved.run, labels },
      {
        ...control,
        ...(onProgress && {
          onProgress: (progress) => {
            onProgress({ done: done + progress.done, total: texts.length });
          },
        }),
      },
    );
    const own = await mapInTurns(rows, (row) => toLabelClassification(row, labels, resolved));
    own.forEach((result, index) => {
      results[places[index] ?? 0] = result;
    });
    through += places.length;
  }
  return results;
}
