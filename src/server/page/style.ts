/** The page's style, light and dark as the reader's system is. */
export const STYLE = `
:root { color-scheme: light dark; --page: #ffffff; --text: #1c2024; --soft: #5a636e; --line: #d9dee4; --panel: #f6f7f9;
  --strong: #00684a; --on-strong: #ffffff; --accepted: #cdeee0; --fault: #a63a00; }
@media (prefers-color-scheme: dark) { :root { --page: #14171a; --text: #e4e7ea; --soft: #a2abb5; --line: #343b42;
  --panel: #1d2226; --strong: #4fd6a7; --on-strong: #0b2019; --accepted: #0f4a37; --fault: #ff9a56; } }
* { box-sizing: border-box; }
html, body { height: 100%; }
body { margin: 0 auto; max-width: 860px; padding: 12px 16px; display: flex; flex-direction: column; gap: 10px;
  background: var(--page); color: var(--text); overflow-wrap: anywhere;
  font: 1rem/1.5 system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif; }
h1 { font-size: 1.25rem; line-height: 1.2; margin: 0; }
h1 span { font-weight: 400; }
header p, form p { margin: 4px 0 0; color: var(--soft); font-size: .875rem; }
main { flex: 1; min-height: 11rem; display: flex; }
#log { flex: 1; overflow-y: auto; padding: 12px; border: 1px solid var(--line); border-radius: 6px; }
#log article { margin: 0 0 14px; }
#log h2 { font-size: .75rem; margin: 0; color: var(--soft); text-transform: uppercase; letter-spacing: .04em; }
.said { white-space: pre-wrap; }
.user .said { background: var(--panel); border-radius: 6px; padding: 6px 10px; }
.note { color: var(--soft); font-size: .8125rem; font-variant-numeric: tabular-nums; }
.fault { color: var(--fault); }
.accepted { background: var(--accepted); border-radius: 3px; text-decoration: underline dotted 1px; text-underline-offset: 4px; }
.legend span { padding: 1px 5px; margin-right: 6px; color: var(--text); }
label { display: block; font-size: .875rem; font-weight: 600; }
form > label { margin-bottom: 6px; }
textarea, input, select { width: 100%; font: inherit; font-weight: 400; padding: 6px 8px; color: inherit; background: var(--page);
  border: 1px solid var(--soft); border-radius: 6px; }
textarea { resize: vertical; }
input, select { min-height: 2.25rem; }
.row { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; margin-top: 6px; }
button { font: inherit; padding: 6px 14px; border-radius: 6px; border: 1px solid var(--soft); background: var(--panel);
  color: inherit; cursor: pointer; }
button[type=submit] { background: var(--strong); color: var(--on-strong); border-color: var(--strong); }
button:disabled { opacity: .5; cursor: default; }
:focus-visible { outline: 3px solid var(--strong); outline-offset: 2px; }
output { margin-left: auto; font-variant-numeric: tabular-nums; }
summary { cursor: pointer; font-size: .875rem; }
.settings { display: grid; gap: 8px; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); padding: 8px 0; }
.wide { grid-column: 1 / -1; }
[hidden] { display: none; }
`;
