import fc from 'fast-check';
import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import type { RecordedEvaluation, RecordedRow } from '../../../src/evaluation/results-file.js';
import {
  type EvaluationInput,
  type ReportInput,
  readReportInputs,
  type StudyInput,
} from '../../../src/reporting/report/inputs.js';
import { renderReport } from '../../../src/reporting/report/render.js';
import { tokenOrigins } from '../../../src/reporting/report/side-by-side.js';
import { shortReference } from '../../../src/reporting/short-reference.js';
import { journalStorage } from '../../../src/study/journal.js';
import { replayStudy } from '../../../src/study/state.js';
import { temporaryDirectory } from '../../helpers/temporary.js';
import { exampleProfile } from '../../profile/example.js';
import { evaluation, samples, writeStudy } from './example.js';

const evaluated = (changes: Partial<RecordedEvaluation> = {}): EvaluationInput => ({
  kind: 'evaluation',
  path: 'results',
  evaluation: { ...evaluation, ...changes },
  samples,
});
const profiled: ReportInput = { kind: 'profile', path: 'code.json', profile: exampleProfile };
const pageOf = (...inputs: ReportInput[]) => parseHTML(renderReport(inputs).html).document;
const texts = (page: ReturnType<typeof pageOf>, selector: string) =>
  [...page.querySelectorAll(selector)].map(({ textContent }) => textContent);
/** The last row, changed. */
const withRow = (changes: Partial<RecordedRow>) => {
  const [baseline, skip] = evaluation.rows;
  return { rows: [baseline!, { ...skip!, ...changes }] };
};

describe('the page of an evaluation', () => {
  const page = pageOf(evaluated());

  it('tells a loss in one plain sentence, with its interval', () => {
    expect(texts(page, '.headlines li')).toEqual([
      '0.80×Self-speculative decoding is slower than autoregressive decoding: 0.80× its speed (95% interval 0.75 to 0.86), on 40 held-out prompts (code).',
    ]);
    expect(page.querySelector('.headlines li')!.className).toBe('worse');
  });

  it.each([
    [{ speedup: 1.3, speedup_ci95: [1.2, 1.4], verdict: 'faster' }, /is faster than/],
    [
      { speedup: 1.02, speedup_ci95: [0.96, 1.1], verdict: 'not distinguishable from 1.0x' },
      /is not distinguishable from autoregressive decoding: 1.02×/,
    ],
    [{ speedup: 1.002, speedup_ci95: [1.001, 1.004], verdict: 'faster' }, /1\.002× .*1\.001 to/],
    [{ verdict: null }, /allows no verdict/],
    // As earlier releases wrote it.
    [{ prompts: 3, verdict: 'faster' }, /0\.80× the speed of .*: too few for an interval/],
  ] as const)('tells %j', (changes, sentence) => {
    const [headline] = texts(pageOf(evaluated(withRow(changes))), '.headlines li');
    expect(headline).toMatch(sentence);
  });

  it('warns once of a busy machine, and has no column without a figure', () => {
    const busy = 'This machine is busy: other processes use 93% of the CPU; timings will be noisy.';
    const warnings = [busy, 'A prompt was left out.'];
    const { environment } = evaluation;
    const told = (others_cpu_share: number) =>
      texts(
        pageOf(evaluated({ environment: { ...environment, others_cpu_share }, warnings })),
        '.warning',
      );
    expect(told(0.5)).toEqual([expect.stringMatching(/^The machine was busy/), warnings[1]]);
    expect(told(0)).toEqual(warnings);
    const heads = (...changes: Partial<RecordedRow>[]) =>
      texts(pageOf(evaluated(...changes.map(withRow))), 'th[scope=col]');
    expect(heads()).toContain('c');
    expect(heads({ c: null })).not.toContain('c');
    expect(heads({ c: null })).toContain('draft acceptance rate');
  });

  it('has no headline from prompts that the profile was searched on', () => {
    const [dataset] = evaluation.datasets;
    const headlines = (change: object) =>
      texts(pageOf(evaluated({ datasets: [{ ...dataset!, ...change }] })), '.headlines li').length;
    expect(headlines({ split: 'calibration' })).toBe(0);
    // Of a file of the user's only the hash can tell; that of the example's search is "a".
    expect(headlines({ split: null, hash: 'a' })).toBe(0);
    expect(headlines({ split: null, hash: 'other' })).toBe(1);
  });

  it('has a figure for all that was measured, and a table with every row', () => {
    expect(texts(page, 'figure h3')).toEqual([
      'Sublayers that the draft runs',
      'Speedup by dataset and method',
      'Where the time goes',
      'Acceptance by offset in the draft',
    ]);
    const [results, waits] = [...page.querySelectorAll('tbody')].map((body) =>
      [...body.querySelectorAll('tr')].map((row) =>
        [...row.children].map(({ textContent }) => textContent),
      ),
    );
    expect(waits![1]).toEqual('code,skip,10.0,11.0,20.0,2.00,2.20,3.00,30.0,31.0,35.0'.split(','));
    const heads = texts(page.querySelector('table')!, 'th[scope=col]');
    const shown = [
      ...['dataset', 'method', 'prompts', 'tokens/s', 'speedup', '95% interval', 'verdict'],
      ...['draft acceptance rate', 'mean acceptance length', 'c'],
      ...['prefill per prompt', 'decode per prompt', 'peak memory'],
    ].map((head) => heads.indexOf(head));
    expect(results!.map((row) => shown.map((i) => row[i]))).toEqual([
      [
        'code',
        'autoregressive',
        '40',
        '500.0',
        '1.00×',
        '',
        'baseline',
        '',
        '1.00',
        '',
        '10.0 ms',
        '18.0 ms',
        '256.0 MiB',
      ],
      [
        'code',
        'skip',
        '40',
        '400.0',
        '0.80×',
        '[0.75, 0.86]',
        'slower',
        '87.5%',
        '2.40',
        '0.610',
        '10.0 ms',
        '18.0 ms',
        '256.0 MiB',
      ],
    ]);
    expect(page.querySelector('.caption')!.textContent).toMatch(/\S/);
  });

  it('colours each token by where it came from', () => {
    const spans = [...page.querySelectorAll('.generated span')];
    expect(spans.map(({ className, textContent }) => [className, textContent])).toEqual([
      ['target', ' return'],
      ['accepted', ' x'],
      ['accepted', ' '],
      ['corrected', '+'],
      ['accepted', ' '],
      ['target', '1'],
    ]);
    expect(texts(page, '.generated')).toEqual([' return x + 1', ' return x + 1']);
    expect(texts(page, '.legend span').length).toBe(3);
  });

  it('says where outputs differ, and that timings of a busy machine are noisy', () => {
    expect(page.body.textContent).toContain('All outputs are identical');
    expect(page.querySelector('.warning')).toBeNull();
    const divergences = [{ prompt: 'c-7', position: 12, margin: 0.5, kind: 'defect' } as const];
    const other = pageOf(
      evaluated({
        ...withRow({ identical_outputs: false, divergences }),
        environment: { ...evaluation.environment, load_average: [3.5, 1, 1] },
      }),
    );
    expect(other.body.textContent).not.toContain('All outputs are identical');
    expect(texts(other, '.caption')[0]).toMatch(/outputs differ/);
    expect(texts(other, 'tbody tr')[0]).toContain('c-7');
    expect(other.querySelector('.warning')!.textContent).toContain('load average 3.5');
  });

  it('gives the commands, the search first', () => {
    expect(texts(page, 'pre.commands')).toEqual([
      'sspec search --trials 300\nsspec eval --profile profiles/code.json',
    ]);
  });

  it('leaves out what there is nothing of', () => {
    const bare = pageOf({
      ...evaluated({ command: null, profiles: [], rows: [evaluation.rows[0]!] }),
      samples: [],
    });
    expect(texts(bare, 'figure h3')).toEqual(['Where the time goes']);
    for (const selector of ['.headlines', '.sides', 'pre', 'nav'])
      expect(bare.querySelector(selector), selector).toBeNull();
  });

  it('names the profiles where there are several', () => {
    const [baseline, skip] = evaluation.rows;
    const rows = [baseline!, skip!, { ...skip!, profile: 'profiles/math.json' }];
    const other = pageOf(evaluated({ rows }));
    expect(texts(other, 'tbody td:nth-child(2)').slice(0, 3)).toEqual([
      'autoregressive',
      'skip code.json',
      'skip math.json',
    ]);
  });
});

describe('the page of a study', () => {
  const read = async (notes?: object) => {
    const folder = temporaryDirectory();
    const path = await writeStudy(folder, 's', notes as Record<string, unknown>);
    return readReportInputs(path, journalStorage(folder));
  };

  it('has mask, trace, fidelity and front, and the headline of the held-out prompts', async () => {
    const page = pageOf(...(await read()));
    expect(texts(page, 'figure h3')).toEqual([
      'Sublayers that the winner runs',
      'Search trace',
      'Fidelity of the prediction',
      'Draft acceptance against draft cost',
    ]);
    expect(texts(page, '.headlines li')[0]).toMatch(/is faster .*1\.08× .*40 held-out prompts/);
    expect([...page.querySelectorAll('.trials circle')].length).toBe(4);
    expect(texts(page, 'tbody tr').length).toBe(5);
    expect(texts(page, 'tbody tr').slice(3)).toEqual([
      expect.stringMatching(/^mask\s*0\.91×.*70\.0%.*0\.500/s),
      expect.stringMatching(/^mask \+ bridges \+ head of 8192 words\s*1\.18×/),
    ]);
    expect(texts(page, 'pre.commands')).toEqual(['sspec search --seed 7']);
  });

  it('that is not done has no headline, and shows the best trial so far', async () => {
    const page = pageOf(...(await read({})));
    expect(page.querySelector('.headlines')).toBeNull();
    expect(texts(page, 'figure h3')).toContain('Sublayers that the best trial so far runs');
    expect(page.body.textContent).toContain('nothing has been measured on held-out prompts yet');
  });

  it('tells by which method each finalist decoded, and a mask where it has one', async () => {
    const [first] = await read();
    const { notes } = replayStudy((first as StudyInput).record);
    const [finalist, ...others] = notes.get('finalists') as object[];
    const lookup = { ...finalist, method: 'lookup', speedup: 1.05 };
    const rows = texts(
      pageOf(
        ...(await read({ ...Object.fromEntries(notes), finalists: [finalist, lookup, ...others] })),
      ),
      'tbody tr',
    );
    expect(rows.find((row) => row.includes('skip'))).toContain('1 + 1');
    expect(rows.find((row) => row.includes('lookup'))).not.toContain('1 + 1');
  });

  it('with a note of another form is refused', async () => {
    const [input] = await read({ holdout: { mask: '01' } });
    expect(() => renderReport([input!])).toThrow(
      /s\.jsonl, the study's notes: field "holdout\.mask"/,
    );
  });
});

describe('any page', () => {
  it('of several inputs lists them, and gives all figures names of their own', async () => {
    const folder = temporaryDirectory();
    const study = await readReportInputs(await writeStudy(folder, 's'), journalStorage(folder));
    const inputs = [evaluated(), ...study, profiled, { ...evaluated(), path: 'other' }];
    const { html, figures } = renderReport(inputs);
    const page = parseHTML(html).document;
    expect(texts(page, 'nav a')).toEqual([
      'Evaluation of demo in int8 (results)',
      'Study s',
      'Profile code.json',
      'Evaluation of demo in int8 (other)',
    ]);
    for (const link of page.querySelectorAll('nav a'))
      expect(page.getElementById(link.getAttribute('href')!.slice(1))).not.toBeNull();
    const names = figures.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
    const ids = [...page.querySelectorAll('[id]')].map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...page.querySelectorAll('figure svg[role=img][aria-label]')].length).toBe(
      names.length,
    );
  });

  it('needs nothing from elsewhere and runs nothing', () => {
    const { html } = renderReport([evaluated(), profiled]);
    const page = parseHTML(html).document;
    expect([...page.querySelectorAll(ACTIVE)]).toEqual([]);
    for (const element of page.querySelectorAll('[src], [href], [style]')) {
      expect(element.getAttribute('src')).toBeNull();
      expect(element.getAttribute('href')).toMatch(/^#/);
    }
    expect(html).not.toMatch(/https?:|url\(|@import/);
    expect(html).toContain('@media (prefers-color-scheme: dark)');
    expect(html).toContain('@media print');
  });

  it('shows text from files as it is, and as nothing but text', () => {
    const evil = fc.constantFrom(
      '<script>alert(1)</script>',
      '</style><script>x</script>',
      '"><img src=x onerror=alert(1)>',
      "' onmouseover='x",
      '<!--',
      ']]>',
      '&lt;b&gt;',
      '{{x}}',
    );
    const text = fc
      .array(fc.oneof(evil, fc.string({ unit: 'grapheme' })), { minLength: 1, maxLength: 4 })
      .map((parts) => parts.join('x'));
    fc.assert(
      fc.property(fc.array(text, { minLength: 9, maxLength: 9 }), ([a, b, c, d, e, f, g, h, i]) => {
        const rows = evaluation.rows.map((row) => ({
          ...row,
          dataset: a!,
          identical_outputs: false,
          divergences: [{ prompt: b!, position: 0, margin: null, kind: 'defect' } as const],
        }));
        const input: EvaluationInput = {
          ...evaluated({
            rows: [rows[0]!, { ...rows[1]!, method: c!, profile: d! }],
            command: e!,
            model: f!,
            environment: { ...evaluation.environment, cpu: g! },
            datasets: [{ ...evaluation.datasets[0]!, name: h! }],
          }),
          samples: samples.map((sample, at) => ({
            ...sample,
            ...(at === 0 ? {} : { method: c!, profile: d! }),
            dataset: a!,
            prompt_text: i!,
            pieces: [i!, a!, b!, c!, d!, e!],
          })),
        };
        const { html } = renderReport([input, { ...profiled, path: a! }]);
        const page = parseHTML(html).document;
        expect([...page.querySelectorAll(ACTIVE)].length).toBe(0);
        for (const element of page.querySelectorAll('*'))
          for (const { name } of element.attributes) expect(name).not.toMatch(/^on|^src$/);
        expect(page.querySelector('pre.commands')!.textContent).toBe(
          `${exampleProfile.provenance.command}\n${e}`,
        );
        expect(texts(page, '.generated').at(-1)).toBe([i, a, b, c, d, e].join(''));
        expect(page.title).toBe('Self-speculative decoding: report');
        expect(texts(page, 'main h2')[0]).toBe(`Evaluation of ${shortReference(f!)} in int8`);
      }),
      { numRuns: 10 },
    );
  });
});

/** Elements that fetch or run something. */
const ACTIVE =
  'script, img, iframe, object, embed, link, base, form, input, video, audio, image, use';

describe('the origins of tokens', () => {
  it('are those of the rounds, whatever they are', () => {
    const round = fc
      .nat(6)
      .chain((drafted) => fc.record({ drafted: fc.constant(drafted), accepted: fc.nat(drafted) }));
    fc.assert(
      fc.property(fc.array(round, { maxLength: 20 }), (rounds) => {
        const origins = tokenOrigins({
          drafted: rounds.map(({ drafted }) => drafted),
          accepted: rounds.map(({ accepted }) => accepted),
        });
        const of = (origin: string) => origins.filter((other) => other === origin).length;
        expect(of('accepted')).toBe(rounds.reduce((sum, { accepted }) => sum + accepted, 0));
        expect(of('corrected')).toBe(rounds.filter((r) => r.accepted < r.drafted).length);
        expect(of('target')).toBe(1 + rounds.filter((r) => r.accepted === r.drafted).length);
      }),
    );
  });
});
