import type { UnitRecord } from './audit-case.js';

/** Everything that was varied, and how a record is sorted by it. */
const dimensions: Readonly<Record<string, (record: UnitRecord) => string>> = {
  model: (record) => record.model,
  precision: (record) => record.precision,
  threads: ({ threads }) => String(threads),
  dataset: (record) => record.dataset,
  method: (record) => record.method,
  draft_exit: (record) => record.draft_exit ?? 'none',
  draft_length: ({ draft_length }) => String(draft_length ?? 'none'),
  skipped_share: ({ mask }) => (mask === null ? 'none' : shareRange(mask)),
  sampling: (record) => record.sampling,
  fallback: (record) => (record.fallback ? 'yes' : 'no'),
  prompt: ({ prompt_tokens }) => contextRange(prompt_tokens),
  context: ({ prompt_tokens, new_tokens }) => contextRange(prompt_tokens + new_tokens),
  self_check: (record) => (record.exact ? 'holds' : 'does not hold'),
};

/** The counts in all, and for each value of each thing that was varied. */
export function summariseAudit(records: readonly UnitRecord[]) {
  const by = Object.entries(dimensions).map(([name, groupOf]) => {
    const groups = new Map<string, UnitRecord[]>();
    for (const record of records) {
      const value = groupOf(record);
      const group = groups.get(value) ?? [];
      group.push(record);
      groups.set(value, group);
    }
    const sorted = [...groups].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }));
    return [name, Object.fromEntries(sorted.map(([value, own]) => [value, countOf(own)]))] as const;
  });
  return { total: countOf(records), by: Object.fromEntries(by) };
}

function countOf(records: readonly UnitRecord[]) {
  const sum = (of: (record: UnitRecord) => number) =>
    records.reduce((total, record) => total + of(record), 0);
  return {
    comparisons: records.length,
    /** New tokens compared. */
    tokens: sum((record) => record.new_tokens),
    /** Different masks that were drafted with. */
    masks: new Set(records.flatMap(({ mask }) => mask ?? [])).size,
    proposed_tokens: sum((record) => record.proposed_tokens),
    accepted_tokens: sum((record) => record.accepted_tokens),
    /** Comparisons whose outputs differ, by class. */
    near_ties: sum(({ divergence }) => (divergence?.kind === 'near-tie' ? 1 : 0)),
    defects: sum(({ divergence }) => (divergence?.kind === 'defect' ? 1 : 0)),
  };
}

/** `129-256`: where the longest sequence of a comparison lies, between powers of two. */
function contextRange(tokens: number): string {
  let top = 64;
  while (top < tokens) top *= 2;
  return top === 64 ? '1-64' : `${top / 2 + 1}-${top}`;
}

/** `20-40%`: which fifth of all masks, by the share of sublayers that they skip. */
function shareRange(mask: string): string {
  const share = mask.replaceAll('0', '').length / mask.length;
  const fifth = Math.min(4, Math.floor(5 * share));
  return `${20 * fifth}-${20 * fifth + 20}%`;
}
