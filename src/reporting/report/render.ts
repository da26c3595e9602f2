import { toolVersion } from '../../measurement/environment.js';
import type { Figure } from '../figures/figure.js';
import { evaluationSection } from './evaluation-section.js';
import type { ReportInput } from './inputs.js';
import { page } from './page.js';
import { profileSection } from './profile-section.js';
import type { Section } from './section.js';
import { studySection } from './study-section.js';

/** A report before it is written. */
export interface Report {
  readonly html: string;
  /** Every figure of the page, in its order; their names differ. */
  readonly figures: readonly Figure[];
}

/**
 * One page that tells of evaluations, studies and profiles, in the order in which they are given.
 * @param refreshSeconds after which a browser loads the page again; undefined: never.
 * @throws InputError when a study's notes do not fit.
 */
export function renderReport(inputs: readonly ReportInput[], refreshSeconds?: number): Report {
  const sections = toldApart(
    inputs.map((input, i) => section(idOf(inputs, i), input)),
    inputs,
  );
  return {
    html: page(sections, toolVersion(), refreshSeconds),
    figures: sections.flatMap(({ figures }) => figures),
  };
}

/** Sections of one title, as of two evaluations of a model, with the names of their files. */
function toldApart(sections: readonly Section[], inputs: readonly ReportInput[]): Section[] {
  return sections.map((one, i) => {
    const alike = sections.filter(({ title }) => title === one.title);
    return alike.length === 1 ? one : { ...one, title: `${one.title} (${inputs[i]!.path})` };
  });
}

function section(id: string, input: ReportInput): Section {
  switch (input.kind) {
    case 'evaluation':
      return evaluationSection(id, input);
    case 'study':
      return studySection(id, input);
    case 'profile':
      return profileSection(id, input);
  }
}

/** `study`, or `study-2` where there are several. */
function idOf(inputs: readonly ReportInput[], i: number): string {
  const { kind } = inputs[i]!;
  const alike = inputs.filter((input) => input.kind === kind);
  return alike.length === 1 ? kind : `${kind}-${alike.indexOf(inputs[i]!) + 1}`;
}
