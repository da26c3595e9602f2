const PLACEHOLDER = /\{(\w+)(?:\[(\d+)\])?\}/g;

/** Names of the fields that a template refers to. */
export function templateFields(template: string): string[] {
  return [...template.matchAll(PLACEHOLDER)].map(([, name]) => name);
}

/**
 * Fills `{field}` and `{field[0]}` (element of a list) in one pass, so braces inside values stay as they are.
 * @param fieldText the text for a field, or for one element of it; throws when there is none
 */
export function renderTemplate(
  template: string,
  fieldText: (field: string, index: number | undefined) => string,
): string {
  return template.replace(PLACEHOLDER, (_, name: string, index: string | undefined) =>
    fieldText(name, index === undefined ? undefined : Number(index)),
  );
}
