/** How an evaluation was made: its settings, what was wrong with the circumstances, the machine. */
import type { RecordedEvaluation } from '../../evaluation/results-file.js';
import { busyReason, isBusyWarning } from '../../measurement/busy.js';
import { formatBytes, formatPercent } from '../format.js';
import { pooledRows } from './evaluation-figures.js';
import { counted } from './headline.js';
import { type Content, html } from './html.js';
import { facts, warningLines } from './section.js';

/** One sentence. */
export function conditions(evaluation: RecordedEvaluation): string {
  const { settings, environment } = evaluation;
  const { prompts } = pooledRows(evaluation)[0]!;
  const sampling =
    settings.temperature === 0
      ? 'greedy'
      : `temperature ${settings.temperature}, ${settings.coupling} coupling`;
  return `${counted(prompts, 'prompt')}, each decoded by every method in turn, ${counted(settings.repetitions, 'time')}; ${lengths(settings)}, ${sampling}; ${counted(environment.threads, 'thread')} on ${environment.cpu}.`;
}

function lengths({ max_new_tokens, grid }: RecordedEvaluation['settings']): string {
  if (!grid) return `up to ${max_new_tokens} new tokens`;
  const { prompt_tokens, max_new_tokens: most } = grid;
  const prompts = prompt_tokens === null ? '' : `prompts of ${prompt_tokens.join(', ')} tokens, `;
  return `${prompts}up to ${most.join(', ')} new tokens, a row for each as prompt tokens + most new tokens`;
}

/** What the user was warned of. */
export function warnings({ environment, warnings: noted }: RecordedEvaluation): Content {
  const reason = busyReason(environment);
  const busy =
    reason === undefined
      ? null
      : html`<p class="warning" role="note"><strong>The machine was busy</strong> when this was measured (${reason}): timings are noisy, and speedups may be wrong.</p>`;
  // What was said before the first measurement, of which that one tells as a whole.
  const others = noted.filter((sentence) => busy === null || !isBusyWarning(sentence));
  return [busy, warningLines(others)];
}

/** Names and values: model, machine, versions, settings. */
export function environment(evaluation: RecordedEvaluation): Content {
  const { environment: machine, settings, datasets, model, precision } = evaluation;
  const { temperature, top_k, top_p, min_p } = settings;
  return facts([
    ['model', `${model} in ${precision}`],
    ['weights', machine.model_hash],
    [
      'CPU',
      `${machine.cpu}, ${counted(machine.physical_cores, 'physical core')}, ${machine.logical_cores} logical`,
    ],
    ['threads', String(machine.threads)],
    ['memory', formatBytes(machine.memory_bytes)],
    ['system', machine.os],
    [
      'versions',
      `sspec ${machine.sspec}, onnxruntime ${machine.onnxruntime}, Node.js ${machine.node}`,
    ],
    ['load at start', machine.load_average.join(', ')],
    [
      'CPU used by others',
      machine.others_cpu_share === undefined ? null : formatPercent(machine.others_cpu_share),
    ],
    ['measured', `${machine.time.slice(0, 16).replace('T', ' ')} UTC`],
    [
      'repetitions',
      `${settings.repetitions}, after ${counted(settings.warmup, 'generation')} of each method to warm up`,
    ],
    [
      'sampling',
      temperature === 0
        ? 'greedy'
        : `temperature ${temperature}, top-k ${top_k}, top-p ${top_p}, min-p ${min_p}, seed ${settings.seed}, ${settings.coupling} coupling`,
    ],
    ...datasets.map(
      ({ name, version, hash, prompts, split }) =>
        [
          `dataset ${name}`,
          `${counted(prompts, 'prompt')}${split === null ? '' : `, ${split}`}, version ${version}, ${hash}`,
        ] as const,
    ),
  ]);
}
