/** The page of `evaluate --report`: one file without scripts or anything to load. */
import type { ModelFacts } from '../../../api/model-info';
import { version } from '../../../support/package-root';
import type { Evaluation } from '../evaluate';
import { fileTitle } from '../numbers';
import { STYLE } from './style';
import { escapeMarkup } from './svg';

/** @param input the file that was evaluated, as the caller named it. */
export function renderReport({ examples, truncated, findings }: Evaluation, info: ModelFacts, input: string): string {
  const title = `${fileTitle(info.path)} on ${fileTitle(input)}`;
  const facts = [
    info.sourceClass === '' ? info.architecture : info.sourceClass,
    `${info.numParameters.toLocaleString('en')} parameters`,
    info.weightType.toUpperCase(),
    `${examples.toLocaleString('en')} examples`,
    ...(truncated === 0 ? [] : [`${truncated.toLocaleString('en')} cut to fit the model`]),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeMarkup(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>${escapeMarkup(title)}</h1>
<p>${facts.map(escapeMarkup).join(' · ')}</p>
</header>
<main>
${findings.sections().join('\n')}
</main>
<footer>ggml-encoder ${escapeMarkup(version)}. ${escapeMarkup(findings.note)}</footer>
</body>
</html>
`;
}
