import { describe, expect, it } from 'vitest';
import { parseTask, readFormats } from '../../src/datasets/task.js';
import { InputError } from '../../src/errors.js';

const source = `
name: a
kind: text
version: 1
description: d
licence: MIT
fields: [prompt, tests]
template: "{prompt} {tests[0]}"
stop: ["\\n"]
reference: null
`;

describe('parseTask', () => {
  it('fills in what may be left out', () => {
    expect(parseTask(source, 'a.yaml')).toMatchObject({
      id: null,
      turns: null,
      stop: ['\n'],
      source,
    });
  });

  it.each([
    ['an unknown key', `${source}stops: []`, /a\.yaml: .*stops/],
    [
      'a template with another field',
      source.replace('{prompt}', '{text}'),
      /a\.yaml: field "template"/,
    ],
    [
      'a path out of the folder',
      `${source}splits: {calibration: ../x.jsonl, heldout: y.jsonl}`,
      /splits\.calibration/,
    ],
    [
      'a version that is no number',
      source.replace('version: 1', 'version: one'),
      /field "version"/,
    ],
    ['parts without a category', `${source}parts: {a: [b]}`, /field "parts" .*needs "category"/],
    ['what is not YAML', `${source}}: [`, /a\.yaml is not valid YAML/],
    [
      'aliases',
      source.replace('kind: text', 'kind: &k text').replace('description: d', 'description: *k'),
      /not valid YAML/,
    ],
  ])('refuses %s', (_, text, message) => {
    expect(() => parseTask(text, 'a.yaml')).toThrow(message);
    expect(() => parseTask(text, 'a.yaml')).toThrow(InputError);
  });
});

it('ships formats with different names and different sets of fields', () => {
  const formats = readFormats();
  expect(formats.map(({ name }) => name)).toContain('humaneval');
  expect(new Set(formats.map(({ name }) => name)).size).toBe(formats.length);
  expect(new Set(formats.map(({ fields }) => [...fields].sort().join())).size).toBe(formats.length);
});
