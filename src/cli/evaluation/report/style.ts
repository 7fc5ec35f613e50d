/** The report's style sheet, for light and dark screens and for paper. */

const SERIES = ['#2f6fde', '#e07b1a', '#1f9d68', '#c2417c', '#7a5bd0', '#b08900', '#0e9aa7', '#8a6d5c'];

export const STYLE = `
:root { --page: #f5f6f8; --card: #fff; --ink: #1c2430; --muted: #5f6b7c; --line: #e3e7ed; --hit: #2f6fde; --miss: #d9534f; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181f; --card: #1d232c; --ink: #e8ecf2; --muted: #9aa6b6; --line: #313a47; --hit: #5b93f5; --miss: #ec6f6b; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
header, main, footer { max-width: 1080px; margin: 0 auto; padding: 0 24px; }
header { padding-top: 32px; }
h1 { font-size: 26px; margin: 0; overflow-wrap: anywhere; }
header p, footer { color: var(--muted); margin: 4px 0 0; }
main { display: grid; grid-template-columns: 1fr 1fr; gap: 20px; padding-top: 24px; align-items: start; }
.wide { grid-column: 1 / -1; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 22px 20px; overflow-x: auto; }
h2 { font-size: 16px; margin: 0 0 12px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr)); gap: 14px; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 14px 18px; }
.tile b { display: block; font-size: 26px; font-variant-numeric: tabular-nums; }
.tile span { color: var(--muted); }
footer { font-size: 13px; padding-top: 20px; padding-bottom: 40px; }
svg { display: block; width: 100%; height: auto; margin: 0 auto; }
svg text { fill: var(--ink); font-size: 13px; }
svg .tick, svg .axis { fill: var(--muted); font-size: 12px; }
svg .middle { text-anchor: middle; }
svg .end { text-anchor: end; }
svg .count { font-size: 13px; font-variant-numeric: tabular-nums; }
svg .on-colour { fill: #fff; }
.grid { stroke: var(--line); }
.diagonal { stroke: var(--ink); stroke-opacity: 0.75; stroke-dasharray: 5 5; }
.empty { fill: var(--line); fill-opacity: 0.45; }
.hit { fill: var(--hit); }
.miss { fill: var(--miss); }
.point { fill: var(--hit); fill-opacity: 0.45; }
.matrices { display: grid; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); gap: 16px; }
figure { margin: 0; }
figcaption { font-weight: 600; text-align: center; overflow-wrap: anywhere; margin-bottom: 6px; }
.gap { fill: var(--miss); fill-opacity: 0.28; stroke: var(--miss); stroke-opacity: 0.6; }
.curve { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
${SERIES.map((colour, index) => `.series-${index} { stroke: ${colour}; }`).join('\n')}
table { border-collapse: collapse; width: 100%; }
td, th { padding: 6px 10px; border-top: 1px solid var(--line); text-align: left; }
tr:first-child > * { border-top: 0; }
th { color: var(--muted); font-weight: 500; }
.classes th:not(:first-child), .num { text-align: right; font-variant-numeric: tabular-nums; }
.average td { font-weight: 600; }
.bar { display: inline-block; width: 110px; padding: 0 6px; border-radius: 4px;
  background: linear-gradient(to right, color-mix(in srgb, var(--hit) 28%, transparent) calc(var(--share) * 100%), transparent 0); }
@media (max-width: 760px) { main { grid-template-columns: 1fr; } }
@media print { body { background: none; } .card, .tile { break-inside: avoid; } }
`;
